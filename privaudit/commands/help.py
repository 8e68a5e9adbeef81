"""What the commands say of themselves and while they run, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "app": "See which lending apps on an Android phone can read contacts, SMS and call log, and how to stop them.",
    "audit": "Check a phone that is connected, or a saved check; reads only, changes nothing.",
    "demo": "Show what a check looks like, on a virtual phone. Everything in it is invented.",
    "capture": "Save what a phone answers, to check it later. The file names every app on the phone: keep it private.",
    "devices": "List the phones that are connected, what stands in the way of checking them, and what to do.",
    "looking": "Looking for phones, on cables and through the ADB server of this computer.",
    "schema": "Print the JSON Schema of the report.",
    "source": (
        "Nothing: the connected phone. Else a capture zip, an Android bug report (zip or text), an AndroidQF folder or "
        "zip, a folder of text files, or a saved report.json."
    ),
    "story": "Which virtual phone; see --list.",
    "list": "List the virtual phones.",
    "file": "The zip to write.",
    "resume": "Go on with a saved check that was interrupted, with the same phone; only what is missing is asked.",
    "output": (
        "Write the report to a file; its suffix says how (.html to read and print, .txt, .csv, .json). “-” writes JSON"
        " to standard output."
    ),
    "json": "Write JSON to standard output.",
    "jsonl": "Write one line of JSON for each source.",
    "lang": "Language: {languages}. Otherwise this computer's.",
    "country": "Your country (two letters, for instance CN): its rules, and how much the lists hold for it.",
    "serial": "Which phone, if several are connected: its serial number or the end of it.",
    "transport": (
        "How to reach the phone: auto, usb, server, or tcp:HOST[:PORT]. “server” is the ADB server of this computer: "
        "it also reaches wireless debugging (Android 11 and later, after “adb pair”), and on Windows and macOS it "
        "needs no other driver. Debugging over a network that you share with others is unwise: they can try it too."
    ),
    "signatures": "A list of your own (a .toml file, or a folder of them).",
    "all_apps": "Put all apps of the phone into the report. Private: it shows far more than lending apps.",
    "unknown": "Name the apps that can read and that this tool does not know. For the phone's owner only.",
    "share": "To be handed on: dates to the month; no names of apps but their packages, no times, no patch level.",
    "no_apks": "Do not read names from the apps' files: quicker, but fewer lending apps are recognised.",
    "hash": "Let the phone compute the SHA-256 of the apps' files, for lists that hold hashes. Takes minutes.",
    "apps": "Package names of apps, for instance com.example.loan.",
    "one_app": "Package name of the app, for instance com.example.loan.",
    "from": "Use a saved check, a folder or a report.json instead of a phone.",
    "from_capture": "Plan from a saved check or a folder. With --apply: only if the phone is still as it was then.",
    "rom": "Use the menus of another maker, for instance miui, coloros or oneui.",
    "usb": "Only how USB debugging is switched on and off; no phone is asked.",
    "android_user": "Whose copy of the app: 0 is the owner, 999 often a clone.",
    "steps": "Print every tap for this phone. Changes nothing.",
    "open": "Show a settings page on the phone. Changes the screen, no setting.",
    "revoke": "Plan how to close what the named apps can read. Only --apply changes anything, and undo takes it back.",
    "undo": "Show what a ledger would take back; --apply does it.",
    "diff": "Show what changed between two reports or saved checks of one phone: what was closed, what came back.",
    "diff_before": "The earlier report.json or saved check.",
    "diff_after": "The later one.",
    "diff_output": "Write it to a file, too; its suffix says how (.html, .txt, .json).",
    "apply": "Do it: take a check first, ask, change, read back. Without it nothing is changed.",
    "yes": "Do not ask. (Uninstalling asks all the same.)",
    "uninstall": "In the end, uninstall the app. Asks on its own; deletes the app's data.",
    "ledger": "Where to write down what is changed; a ledger that is there already is continued.",
    "ledger_undo": "The ledger that “privaudit revoke --apply” wrote.",
    "starting_plan": "privaudit {version}: makes a plan. Nothing is changed.",
    "starting_apply": "privaudit {version}: reads first, then asks before it changes anything.",
    "starting_undo": "privaudit {version}: takes back what was changed, after asking.",
    "resuming": "Going on with a run that was stopped: {n} of {of} changes are open.",
    "nothing_open": "Nothing is open in this ledger: all of it was finished, or taken back.",
    "only_planned": "Only a plan: nothing was changed. To do it, add --apply.",
    "ask_apply": (
        "Have you thought of who will help if they notice, and are the screenshots taken? Change {n} things? [y/N]"
    ),
    "ask_uninstall": "To uninstall {app} with all its data, which cannot be undone, type its package name:",
    "ask_undo": "Open these doors again? [y/N]",
    "nothing_done": "Nothing was changed.",
    "stopped_between": (
        "Stopped in the middle. What was done is in {path}. To go on, run the same command again with --ledger {path}"
    ),
    "stopped_undo": "Stopped in the middle. What was taken back is in {path}. Run the same command again to go on.",
    "ledger_kept": "What was changed is in {path}. Keep it private. To take it back: privaudit undo {path} --apply",
    "undo_done": "The ledger says what was taken back.",
    "letter": "Write a draft: a demand to delete, a complaint, or a list of what was kept. Nothing is sent.",
    "letter_from": "A saved report (privaudit audit -o report.json).",
    "kind": "deletion, complaint or evidence-list.",
    "paper_to": "Write to a file; its suffix says how (.txt, .md, .html). Without it, to standard output.",
    "letter_country": "Country whose law and offices it names (two letters); without it, the country of the report.",
    "yes_letter": "Do not ask what happens if they notice: you have thought of it.",
    "ask_letter": "Have you thought of who will help if they notice? Write the draft? [y/N]",
    "nothing_written": "Nothing was written.",
    "rights": "Show what a borrower can do in a country: police, offices, articles, answers; each line has its source.",
    "rights_of": "Country (two letters, for instance CN). Without it: what is true everywhere, and no law.",
    "rights_choose": "This page names no law. For a country: privaudit rights CC; there are {known}.",
    "friends": "Only half a page for the friends who got called.",
    "evidence": "Keep what was found, in two parts: one to show, one for your lawyer first. Names no person.",
    "evidence_from": "A saved check or a report.json. With --check: nothing.",
    "evidence_to": "The folder to make.",
    "evidence_app": "Show only this app; may be repeated. A lender need not know of the others.",
    "evidence_check": "Check a folder that was kept: does every file still have its hash?",
    "evidence_kept": "Kept: {path}. Now photograph the number on {sheet}",
    "evidence_apps": {"one": "The part to show names 1 app.", "other": "The part to show names {n} apps."},
    "evidence_sealed": "{path} names every app on the phone: for your lawyer first. Give it to nobody else.",
    "evidence_sealed_report": (
        "{path} holds the whole report: for your lawyer first. Give it to nobody else. A saved check shows more: keep "
        "one too (privaudit capture)."
    ),
    "evidence_same": {"one": "1 file is what it was.", "other": "{n} files are what they were."},
    "evidence_changed": "Changed: {path}",
    "evidence_missing": "Not there: {path}",
    "evidence_added": "Not of this folder: {path}",
    "evidence_sheet_differs": "Does not show the number below: {path}",
    "evidence_compare": "The number now. Compare it with the photograph:",
    "evidence_unchanged": "By its own list nothing changed. Only the photograph shows that the list is the same.",
    "evidence_differs": "This is not what was kept, or not all of it.",
    "page": "Which page, for instance permissions, accessibility, app_info or usb_debugging.",
    "starting_open": "privaudit {version}: shows a page, changes no setting. Please unlock the phone first.",
    "opened": "The phone should now show: {page}. If it does not, tap:",
    "opened_other": "This page did not open; the phone shows instead: {page}. Go on like this:",
    "opened_copy": "The phone may show the owner's page: look whether it is the copy of user {user}.",
    "not_opened": "The phone did not open it: {said}",
    "naming": "Reading the names of the apps.",
    "named": "{done} of {total} names read",
    "plain": "No colours and no moving lines.",
    "version": "Print the version.",
    "install_completion": "Let this shell complete the commands with the Tab key.",
    "show_completion": "Print what the shell would need for that.",
    "workshop": (
        "Run a workshop in FOLDER: phone after phone, several at once, each with consent. Reads only. With "
        "--totals: what was counted. “workshop kit -o FOLDER” writes what is printed before."
    ),
    "workshop_folder": "A folder of its own, new or from earlier today. With --totals one or more. Or: kit",
    "workshop_keep": (
        "What is kept of each phone: nothing (counts only), handout (one page, deleted at the close), or "
        "capture (the saved check too)."
    ),
    "workshop_rehearse": "Practise with N virtual phones that come and go by themselves.",
    "workshop_pace": "Rehearsal: about so many seconds from one phone to the next.",
    "workshop_totals": (
        "Show what was counted, without names; small counts are left out. Several folders are added. With -o: "
        ".json, .csv, .html, .txt"
    ),
    # Without a command, in a terminal.
    "menu_title": "privaudit {version}. What would you like to do?",
    "menu_demo": "See what a check looks like, on a virtual phone",
    "menu_audit": "Check a phone (reads only)",
    "menu_usb": "How USB debugging is switched on before, and off afterwards",
    "menu_devices": "No phone is found: see what stands in the way",
    "menu_rights": "Collectors call my family or me: what can be done",
    "menu_commands": "All commands, to be typed",
    "menu_leave": "Leave",
    "menu_choose": "Type a number or a language, then Enter:",
    "menu_unknown": "There is no “{given}” here.",
    "menu_ready": (
        "Are the screenshots inside loan apps taken? Is the phone plugged in, unlocked, USB debugging on, and its "
        "owner here and willing? Enter goes on."
    ),
    "menu_country": "Which country? Type one of {known}, or only Enter for what is true everywhere:",
    "menu_opened": "The page opens in the browser now. It is {path}",
    "menu_open": "Open this page in a browser: {path}",
    "menu_keep": (
        "Read or print it first. Keep it on this computer? Whoever uses the computer could read it; without a yes it is"
        " deleted. [y/N]"
    ),
    "menu_kept": "Kept: {path}",
    "menu_back": "Enter: back to the menu.",
    # While running.
    "starting": "privaudit {version}: reads only; no contact, message or call is read, no setting is changed.",
    "starting_demo": "privaudit {version}: a virtual phone on this computer, all of it invented.",
    "first_round": "Asking the phone. This can take a minute; leave the cable in.",
    "later_round": "Asking for details.",
    "starting_saved": "privaudit {version}: reads a saved source. No phone is asked.",
    "now": "Now: {path}",
    "allow": (
        "Ask the owner to unlock the phone. It asks “Allow USB debugging?” and shows a fingerprint. If it is\n"
        "  {fingerprint}\ntap “Allow”; if not, “Cancel”. Do not tick “Always allow from this computer”."
    ),
    "allow_unseen": (
        "Ask the owner to unlock the phone. It asks “Allow USB debugging?” for the ADB server of this computer. Tap\n"
        "“Allow” only if you have started this check yourself. Do not tick “Always allow from this computer”."
    ),
    "seconds_left": {"one": "1 second left", "other": "{n} seconds left"},
    "saved": "Saved: {path}",
    "saved_private": "Saved: {path}. It names every app on the phone. Keep it private; do not send it on.",
    "nothing_missing": "{path} is whole already: nothing is missing. The file was left as it is.",
    "nothing_new": "Nothing more could be read. {path} was left as it is.",
    "interrupted": "Stopped. Nothing was changed on the phone.",
    "what": "What happened: ",
    "why": "Why: ",
    "next": "What to do: ",
    "mistakes": {"one": "1 mistake:", "other": "{n} mistakes:"},
    "bug": (
        "This is a mistake in privaudit, not yours: {kind} at {where}. Please report it, without any data of a phone."
    ),
    "usage_what": "This command cannot be understood.",
    "usage_why": "{said}",
    "usage_command": "There is no command “{given}”.",
    "usage_option": "There is no option “{given}” here.",
    "usage_value": "The option “{given}” needs something after it.",
    "usage_missing": "“{given}” is missing.",
    "usage_next": "See what there is: {command} --help",
}

"""What the workshop says, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    # The start and the end.
    "starting": (
        "privaudit {version}: a workshop. It only reads; nothing is changed on any phone, and no network is used."
    ),
    "rehearsal": "Rehearsal: virtual phones, all of it invented. No real phone is asked.",
    "going_on": {
        "one": "Going on with today's workshop in this folder: 1 phone is finished.",
        "other": "Going on with today's workshop in this folder: {n} phones are finished.",
    },
    "day_key": "A key for today lies in memory only. Its fingerprint: {fingerprint}",
    "server_here": (
        "An ADB server runs on this computer and holds the phones. The key for the day cannot be used: the "
        "server's key stays on the phones. So each page begins with revoking the authorisations. To use the "
        "key for the day, end the server yourself (adb kill-server) and start again."
    ),
    "trouble": "The cables cannot be looked at: {what}",
    "nobody": "No phone is plugged in. Plug in one phone; wait for its code.",
    "quit": {
        "one": (
            "1 page is here. Print all in one job: {path}. At the close pages, the day's secret and what is known "
            "of single phones are deleted; only counts stay. y = close and delete, k = close and keep the pages, "
            "n = go on"
        ),
        "other": (
            "{n} pages are here. Print all in one job: {path}. At the close pages, the day's secret and what is "
            "known of single phones are deleted; only counts stay. y = close and delete, k = close and keep the "
            "pages, n = go on"
        ),
    },
    "quit_running": {
        "one": "1 phone is still being read. What is not finished then is lost; finished phones are not.",
        "other": "{n} phones are still being read. What is not finished then is lost; finished phones are not.",
    },
    "closed": "The workshop is closed. What is left in {path}: counts without names.",
    "closed_pages": (
        "The workshop is closed. The pages are still in {path}: they belong to the participants. Delete them "
        "when they are handed out."
    ),
    "not_closed": (
        "Not closed. Finished phones stay finished: start again in {path} today to go on. Another day's start "
        "closes it and deletes its pages."
    ),
    "not_counted": (
        "The counts could not be written, so nothing was deleted. Free some room on the disk and press q again."
    ),
    "rehearsal_over": "All phones of the rehearsal have come and gone. q ends it.",
    # A phone on the board.
    "phone": "{code}  {phone}",
    "no_code": "–",
    "unnamed": "a phone",
    "stage_blocked": "needs help",
    "stage_queued": "waits for its turn",
    "stage_consent": "ask its owner",
    "stage_calling": "is being connected",
    "stage_asked": "waits for “Allow” on the phone, {n} s left",
    "stage_sticker": "sticker {code} goes on it now",
    "stage_reading": "is being read",
    "stage_part": "is being read: {part}",
    "part_first_round": "apps and permissions",
    "part_later_round": "details",
    "part_naming": "names",
    "stage_done": "done; the result is hidden",
    "stage_shown": "done; handed to its owner",
    "stage_failed": "stopped, and can be repeated",
    "stage_refused": "not read: its owner said no",
    "stage_left": "unplugged",
    "stage_left_done": "unplugged; finished",
    "again": "here before today",
    # What to do next.
    "plugged": (
        "Unlock the phone and leave it unlocked. It asks “Allow USB debugging?” only after its owner has agreed here."
    ),
    "plugged_server": (
        "Unlock the phone. It may be asking already: the ADB server of this computer made it ask. Tap nothing "
        "before its owner has agreed here."
    ),
    "next_queued": "One phone at a time gets a code. This one comes next, without doing anything.",
    "crowd": (
        "Several phones without a code are plugged in. Unplug all but one, so that the right owner is asked "
        "and the code goes on the right phone."
    ),
    "next_consent": "c = the owner agrees, r = refuses, x = later, l = another language",
    "next_sticker": "Code {code} belongs to the phone that has just asked. Put the sticker on it. Then press s.",
    "next_sticker_silent": (
        "This phone did not ask “Allow”. Not sure which one it is? Unplug it: then {code} must leave this "
        "list. Sticker on it? Then press s."
    ),
    "next_sticker_again": (
        "This phone was here today as {code}. Its sticker says {code}: press s. No such sticker: press n, it "
        "gets another code."
    ),
    "next_unmarked": "It cannot be told from other phones, so it is not counted.",
    "next_reading": "Nothing to do. The next phone may be plugged in. Leave the cable in.",
    "next_done": "Let its owner come. Then press v.",
    "confirm": (
        "Only its owner looks now. Does the sticker on the phone say {code}? Does the owner say: this is my "
        "phone, {phone}? y = yes, n = no"
    ),
    "not_confirmed": (
        "{code} stays hidden. Compare the stickers. If they were swapped, unplug both, take the stickers off "
        "and plug in one after the other."
    ),
    "next_shown": (
        "h = hide, f = full report onto the owner's own stick, o = close-out check, l = another language. The "
        "taps are done at the seat, on paper. Then unplug the phone."
    ),
    "page_is": "Its page: {path}. p joins all pages into one print job.",
    "no_page": "No page is kept. Let the owner write down or photograph what stands here.",
    "next_failed": "a = again, r = leave it",
    "next_refused": "Nothing is kept of it. Unplug it. a = ask again",
    "repeat": "If it is gone from the list, plug it in again: it goes on under its code.",
    "not_now": "That does not fit {code} now.",
    "no_such_key": "There is no key {key} here. ? shows the keys.",
    "no_such_code": "No phone has the code {code}.",
    "needs_code": "Say which phone, for instance: {key} K7",
    "keys": (
        "Keys: up/down = another phone, c = agrees, r = refuses or withdraws, x = later, s = sticker is on, v "
        "= show (owner confirms), h = hide, a = again, f = full report to the owner's stick, o = close-out "
        "check, l = language, p = print job, q = end"
    ),
    "keys_plain": (
        "Write a letter and a code, then Enter: for instance “c K7”. c agrees, r refuses or withdraws, x "
        "later, s sticker is on, n no, v show, y yes, h hide, a again, f K7 FOLDER full report, o close-out "
        "check, l language, p print job, w who is here, q end."
    ),
    "ask_folder": "Folder on the owner's own stick (Enter alone: none): {typed}",
    "full_saved": "The full report of {code} is in {path}; its hash is on the page. It belongs to the owner.",
    "print_job": "All pages in one job: {path}",
    "no_pages": "There are no pages to print.",
    # Consent, in the participant's language.
    "consent_title": "May this phone be read?",
    "consent_questions": "Is it your own phone? Are you 18 or older? Is it no work phone? Only then.",
    "consent_read": (
        "Read: which apps are installed, which of them are loan apps, what these may read, and when the phone "
        "noted that they did."
    ),
    "consent_not_read": "Not read: contacts, messages, calls, photos. Nothing is changed.",
    "consent_nothing": "Kept: only a count without names.",
    "consent_handout": (
        "Kept until the end of the workshop: one page under a code, for you. After that only a count without names."
    ),
    "consent_capture": (
        "Kept: one page under a code, for you, and a saved check that names every app on the phone, for the "
        "host. Ask who gets to see it."
    ),
    "consent_stop": "You may stop at any time; then what was kept is deleted.",
    "consent_bank": (
        "While USB debugging is on, payment and bank apps may not work. It is switched off before you leave."
    ),
    "consent_advice": "This is no legal advice. Closing a permission calls nothing back, and they may notice it.",
    # The close-out check.
    "closing": "Before it leaves, as far as it can be seen from here:",
    "seen_usb_off": "USB debugging is off.",
    "seen_usb_on": "USB debugging is still on.",
    "seen_usb_unknown": "USB debugging: not to be seen. Either it is off, or the cable is out.",
    "seen_wireless_off": "Wireless debugging is off.",
    "seen_wireless_on": "Wireless debugging is still on.",
    "seen_wireless_unknown": "Wireless debugging: not to be seen.",
    "seen_never": "Not to be seen from here: the authorisations, Auto Blocker, payment apps. They are on the page.",
    # The page.
    "handout": "What your phone says",
    "handout_phone": "Code {code} · {phone} · {checked_on}",
    "server_key": (
        "First of all, before you leave: revoke the USB debugging authorisations. The key of this computer is "
        "stored on your phone and stays valid."
    ),
    "handout_first": "First stop a moment",
    "handout_steps": "How to close it ({rom})",
    "can": "{data}: {state}",
    "handout_gaps": "What was not checked",
    "handout_leaving": "Before you leave",
    "unplug": "Unplug the cable.",
    "wireless_off": "If “Wireless debugging” is on, turn it off.",
    "payment_works": "Open a payment app and see whether it works.",
    "handout_hash": "SHA-256 of your full report (the .json file on your own stick):",
    # Totals.
    "totals_title": {
        "one": "Totals of 1 workshop",
        "other": "Totals of {n} workshops",
    },
    "totals_phones": "phones",
    "totals_phones_head": "Phones",
    "totals_roms_head": "By the maker's system",
    "totals_lending_head": "Phones by how many lending apps were recognised on them",
    "totals_lending_row": "lending apps: {number}",
    "totals_can_read_head": "Phones on which a lending app could read",
    "totals_listed_head": "Listed apps, by package name, on how many phones",
    "totals_failures_head": "What went wrong, how often",
    "totals_hidden": "too few to tell",
    "totals_more": "Others, too few to be named.",
    "totals_none": "Nothing.",
    "totals_rule": (
        "Counts below five are left out, and counts that come within five of all. Where a sum would give one "
        "away, another one is left out with it."
    ),
    "totals_days": (
        "Within one day a phone counts once. A phone that came on two days counts twice: nothing is kept by "
        "which it could be known again. A phone that cannot be told from others is not counted."
    ),
    "totals_publish": (
        "With few participants almost nothing may be told. Publish only the totals of many workshops "
        "together, and not beside those of one of them."
    ),
}

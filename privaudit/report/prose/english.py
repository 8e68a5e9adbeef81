"""What every form of the report says, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "title": "privaudit phone permission check",
    "unreviewed": "This translation was not checked by a native speaker.",
    "demo": "[demo phone: apps and lists are invented, this is no real result]",
    # Head.
    "checked": "Checked",
    "phone": "Phone",
    "how": "How",
    "scope": "Scope",
    "when_phone": "{at_at} (phone time, {zone}; {apart} apart from this computer)",
    "when_report": "{at_at} (phone time, as its bug report says)",
    "when_collected": "{at_at} (time of the computer that collected it; the phone's clock was not compared)",
    "when_computer": "{at_at} (this computer's time; the phone's clock was not read)",
    "when_file": "{at_at} (date of the files; the phone's clock is not in them)",
    "android": "Android {android}",
    "android_inferred": "Android version not read; by the look of the text, Android {android} or later",
    "android_unknown": "Android version not read",
    "how_usb": "USB cable, reading only. No contact, message or call was read; no setting was changed.",
    "how_tcp": "network (ADB), reading only. No contact, message or call was read; no setting was changed.",
    "how_server": "this computer's ADB server, reading only. No contact, message or call was read; no setting changed.",
    "how_demo": "a virtual phone on this computer, over the real ADB protocol. No real phone was asked.",
    "how_capture": "a saved check; the phone was not connected.",
    "how_folder": "a folder of text files; the phone was not connected.",
    "how_bugreport": "an Android bug report; the phone was not connected.",
    "how_androidqf": "what AndroidQF collected; the phone was not connected.",
    "user_owner": "the phone itself",
    "user_clone": "app clone {user}",
    "user_work_profile": "work profile {user}",
    "user_private_space": "private space {user}",
    "user_secure_folder": "Secure Folder {user}",
    "user_other": "user {user}",
    "between_sentences": " ",
    "scope_is": "{users}.",
    "scope_not": "Could not be checked: {users}.",
    "scope_unknown": "The users of this phone could not be listed.",
    # 1. The matrix.
    "matrix": {
        "one": "1. Who can read what (1 lending app among {seen} apps; others are not shown)",
        "other": "1. Who can read what ({n} lending apps among {seen} apps; others are not shown)",
    },
    "matrix_all": "1. Who can read what (all {seen} apps; {n} recognised as lending)",
    "matrix_none": "No lending app was recognised.",
    "app": "app",
    "contacts": "contacts",
    "sms": "SMS",
    "call_log": "call log",
    "copy_of": "{app} ({user})",
    "state_can_read": "can read",
    "state_only_while_open": "while open",
    "state_asks_each_time": "asks first",
    "state_blocked": "cannot read",
    "state_not_allowed": "cannot read",
    "state_not_requested": "cannot read",
    "state_unknown": "not known",
    "why_blocked": "on, but blocked",
    "why_refused": "refused",
    "why_not_granted": "not granted",
    "why_not_requested": "never asked",
    "why_unknown": "-",
    "why_incoming": "new ones only",
    "why_other_way": "but another way",
    "history_recorded": "read {day_short}",
    "history_recorded_ago": "read {ago} ago",
    "history_no_record": "no record",
    "history_unknown": "record not read",
    "note_listed": "on a list",
    "note_notified": "in a notice",
    "note_own": "on your own list",
    "note_lender": "known lender",
    "note_registered": "in a register",
    "note_embeds": "also lends",
    "note_name": "name suggests it",
    "note_suspect": "not known here",
    "legend_can_read": "the permission is on: it can read now.",
    "legend_can_read_by_permission": "the permission is on. Whether the phone blocks it all the same was not read.",
    "legend_only_while_open": "it can read while you have it open.",
    "legend_asks_each_time": "the phone asks you each time before it can read.",
    "legend_word_recorded": "read 12 Jan 2026",
    "legend_recorded": "the phone noted that it read, and when last.",
    "legend_no_record": "the phone has no note of reading. That does not mean never.",
    "legend_history_unknown": "whether the phone has a note of reading was not read.",
    "legend_incoming": "it receives new SMS; it cannot open the old ones.",
    "legend_other_way": "not by this permission, but by a right that stands below.",
    "legend_blocked": "the permission is on, but the phone gives the app nothing.",
    "legend_refused": "the permission is off: somebody chose so on this phone.",
    "legend_not_granted": "the app may ask; the permission was not given.",
    "legend_not_requested": "the app has not asked for this permission.",
    "legend_unknown": "it could not be read this time. That does not mean no.",
    "days": {"one": "1 day", "other": "{n} days"},
    "hours": {"one": "1 hour", "other": "{n} hours"},
    "minutes": {"one": "1 min", "other": "{n} min"},
    "seconds": {"one": "1 s", "other": "{n} s"},
    # 2. Findings.
    "findings": "2. What to look at (in the order to act, not by who is right)",
    "findings_none": "Nothing.",
    "high": "act first",
    "medium": "act next",
    "low": "keep in mind",
    "info": "for information",
    "version": "version {version}",
    "last_read": (
        "The phone's record: it last read {data} on {at_at} (phone time)."
        " How much, and whether it was sent away, is not recorded."
    ),
    "last_read_ago": (
        "The phone's record: it last read {data} {ago} before the check."
        " How much, and whether it was sent away, is not recorded."
    ),
    "last_received": (
        "The phone's record: it last received a new SMS on {at_at} (phone time). What it did with it is not recorded."
    ),
    "last_received_ago": (
        "The phone's record: it last received a new SMS {ago} before the check. What it did with it is not recorded."
    ),
    "no_record": "No record of reading {data}. No record does not mean never.",
    "read_for_another": "That time it read for another app.",
    "read_through_another": "That time another app or a part of the phone fetched the data for it.",
    "refused": "The phone's record: it last tried to reach {data} on {at_at} (phone time) and was turned away.",
    "refused_ago": "The phone's record: it last tried to reach {data} {ago} before the check and was turned away.",
    "switched_off": "The app is switched off on this phone. While it is, it cannot run.",
    "other_way": "By its permissions it cannot read {data}; another right, told of here, reaches them all the same.",
    "history_not_read": "When it last read {data} could not be read.",
    "permission_alone": (
        "This rests on the permission alone: whether the phone blocks it all the same could not be read."
    ),
    "only_incoming": "It can receive new SMS; it cannot open the old ones.",
    "blocked": "For {data} the permission is on, but the phone blocks it: the app gets nothing.",
    "not_read": "Whether it can read {data} could not be read. Look at the phone.",
    "no_installer": ("The phone has no note that it came from an app store (moving from an old phone looks the same)."),
    "installed_by": "Installed by, as the phone notes it: {installer}.",
    "as_above": "What is known of this app from lists and names stands above, at the first copy.",
    "in_user": "This copy belongs to: {user}. It has permissions of its own, to be closed on their own.",
    "name": "{name}",
    "ground": "Ground: ",
    "ground_separator": "; ",
    "ground_lines": {"one": "{question}, line {lines}", "other": "{question}, lines {lines}"},
    "ground_and": ", ",
    "ground_list": "list {signature}",
    # 3. Gaps.
    "gaps": "3. What was not checked",
    "gap_answered": "{what}: {why}.",
    "gap_refused": "{what}: the phone refuses.",
    "gap_unreadable": "{what}: could not be read.",
    "gap_unreadable_why": "{what}: could not be read ({why}).",
    "gap_timed_out": "{what}: the phone took too long.",
    "gap_not_supported": "{what}: this phone does not know the question.",
    "gap_not_asked": "{what}: not in this source.",
    "gap_lost": "{what}: the connection ended before.",
    "gap_of_user": "{what} ({user})",
    "gap_user": "{user}: {why}.",
    "why_user_refused": "the phone does not let us look",
    "why_user_partly": "the phone does not let us list its apps; what it says of them elsewhere stands above",
    "why_user_other": "could not be looked at",
    "gap_appops": "So “can read” rests on the permission alone: a block in effect would not be seen.",
    "records_each": (
        "Earlier readings: of each app and kind of data Android {android} keeps the last time only,"
        " and nothing of an app that was removed."
    ),
    "records_state": (
        "Earlier readings: of each app and kind of data the phone keeps the last time only (one for the open app,"
        " one for the background …), and nothing of an app that was removed."
    ),
    "records_since": "This phone's records of these apps can go back to {since_on}.",
    "never_uninstalled": "Apps that were uninstalled. They may have read before.",
    "never_mini": "Mini-programs inside WeChat or Alipay, and loans in the browser.",
    "never_sent": "Whether contacts were sent away. A phone does not show it.",
    "never_elsewhere": "Numbers from elsewhere: contacts typed in an application, call lists you authorised …",
    "never_names": "Names under the icons were not read, so apps are recognised by package name alone.",
    "names_read": "Names under the icons: {read}. Apps that came with the phone and were never updated are left out.",
    "name_unread": "Its name could not be read: {why}.",
    "other_name": "Under its icon stands “{names}”.",
    "no_icon": "It asks for no icon among the apps.",
    "list_is": (
        "The published lists hold {packages} package names, the newest dated {newest_on}."
        " “Not on the list” says little."
    ),
    "list_country": (
        "The published lists hold {packages} package names, {here} of them for {country},"
        " the newest dated {newest_on}. “Not on the list” says little."
    ),
    "list_country_none": (
        "The published lists hold {packages} package names, none of them for {country}"
        " (the newest dated {newest_on}). So there, “not on the list” says nothing."
    ),
    "list_country_few": (
        "The published lists hold {packages} package names, only {here} of them for {country}"
        " (the newest dated {newest_on}). So there, “not on the list” says nothing."
    ),
    "list_old": "The newest of these lists is {n} days old. Loan apps that appeared since are on none of them.",
    "list_held": "These lists hold {packages} package names, the newest dated {newest_on}.",
    "list_held_country": (
        "These lists hold {packages} package names, {here} of them for {country}, the newest dated {newest_on}."
    ),
    "list_choose": "To see how many are for your country: --country, for instance --country CN.",
    "suspects": {
        "one": (
            "1 more app can read contacts, SMS or call log. No app store is on record for it,"
            " and this tool does not know it. It may be harmless."
        ),
        "other": (
            "{n} more apps can read contacts, SMS or call log. No app store is on record for them,"
            " and this tool does not know them. They may be harmless."
        ),
    },
    "suspects_how": "Names only for the owner: privaudit audit --unknown",
    # 4 and 5. Steps.
    "stop": "4. Stop a moment, then act",
    "steps": "5. How to close it",
    "taps_for": "Steps for {rom}. Another maker's phone? Add --rom and its name.",
    "taps_bank_first": (
        "Before USB debugging is on: bank, payment and loan apps may refuse to run or raise an alarm while it is."
        " Must you pay something now? Then wait. Leave these apps first, and open none of them until it is off again."
    ),
    "taps_usb_on": "Switch USB debugging on:",
    "taps_usb_off": "When you are done: switch USB debugging off.",
    "taps_uninstall": "{app}: uninstall, but not now.",
    "steps_none": "Nothing to close.",
    # Summary.
    "summary": "Result",
    "found": {
        "one": "1 lending app found; {contacts} can read contacts now.",
        "other": "{n} lending apps found; {contacts} of them can read contacts now.",
    },
    "found_listed": {
        "one": "The package name of 1 of them equals one on a published list.",
        "other": "The package names of {n} of them equal ones on published lists.",
    },
    "found_other": "Can read SMS now: {sms}. Call log: {call_log}.",
    "found_notified": {
        "one": "1 of them is named in a regulator's notice.",
        "other": "{n} of them are named in a regulator's notice.",
    },
    "found_own": {
        "one": "1 of them is on your own list.",
        "other": "{n} of them are on your own list.",
    },
    "found_embeds": {
        "one": "1 of them is a wallet or shop app that also offers loans.",
        "other": "{n} of them are wallet or shop apps that also offer loans.",
    },
    "found_by_name": {
        "one": "1 of them was recognised by its name alone, which can be wrong.",
        "other": "{n} of them were recognised by their names alone, which can be wrong.",
    },
    "found_unsure": {
        "one": "1 of them stands only in a collection that nobody vouches for, which can be wrong.",
        "other": "{n} of them stand only in collections that nobody vouches for, which can be wrong.",
    },
    "found_gaps": {
        "one": "1 thing could not be checked, so this is not everything.",
        "other": "{n} things could not be checked, so this is not everything.",
    },
    "nothing_read": (
        "Not one app could be read, so nothing can be said about this phone."
        " What went wrong stands under “What was not checked”."
    ),
    "nothing_complete": (
        "Everything that can be asked was asked; no lending app was recognised."
        " Uninstalled apps, mini-programs and web loans cannot be found."
    ),
    "nothing_gaps": {
        "one": (
            "In what could be read, no lending app was recognised."
            " 1 thing could not be checked; it stands under “What was not checked”."
            " This does not mean that the phone is fine, nor that contacts were never taken."
        ),
        "other": (
            "In what could be read, no lending app was recognised."
            " {n} things could not be checked; they stand under “What was not checked”."
            " This does not mean that the phone is fine, nor that contacts were never taken."
        ),
    },
    "remember": "Remember",
    "remember_debt": "Deleting data does not cancel a debt; a debt does not license harassment.",
    "not_advice": (
        "This sheet is not legal advice and does not say who broke a law. It says what the phone and the lists say."
        " Before you complain, sue or sign, ask a lawyer or legal aid."
    ),
    "next": "Next",
    "next_save": "To print it and to keep it: privaudit audit -o check.html -o check.json",
    "next_connect": "On a real phone: plug it in, then privaudit audit",
    "leaving": "Before leaving",
    "leaving_1": "1. Unplug the cable.",
    "leaving_2": "2. In Developer options, tap “Revoke USB debugging authorisations”.",
    "leaving_3": "3. Switch off “USB debugging”, then “Developer options”.",
    "leaving_4": "4. Open a payment app and see whether it works.",
    # The page: what it says beside all this.
    "page_title": "Phone permission check",
    "page_changed": "Phone permission check: what changed",
    "page_private": "Names of apps stand on this page. Keep it to yourself.",
    "page_shared": "Made to be handed on: dates to the month, no names of apps but their packages.",
    "page_contents": "On this page",
    "page_all_read": "Everything that this check asks could be read. What no check can see stands further below.",
    "page_acts": "One thing after the other. First these three:",
    "act_keep": "Keep what shows it",
    "act_close": "Then close the permissions",
    "act_close_how": (
        "Every tap stands below, under each app, with a box to tick. Do not uninstall yet: you may need to log in once"
        " more."
    ),
    "act_demand": "Then demand it in writing",
    "act_demand_how": (
        "Ask the lender in writing to stop, to delete, and to say who got your contacts. Before you sign or promise"
        " anything, ask a lawyer or legal aid."
    ),
    "act_look": "Look for yourself",
    "act_look_how": "Search Settings for “{word}”, tap “{group}”, and see who is allowed.",
    "act_help": "Find help",
    "act_help_how": "If the calls go on, take the screenshots and this page to a lawyer or legal aid.",
    "act_again": "Check once more",
    "act_again_how": "Read under “What was not checked” what went wrong, then plug the phone in again.",
    "page_matrix": "Who can read what",
    "page_counts": {
        "one": "1 lending app among {seen} apps. Other apps are not shown.",
        "other": "{n} lending apps among {seen} apps. Other apps are not shown.",
    },
    "page_counts_all": "All {seen} apps of this phone; {n} recognised as lending.",
    "page_words": "What the words mean",
    "other_routes": "other ways",
    "other_phone": "phone",
    "phone_data": "the phone's number or call state",
    "other_location": "location",
    "other_media": "photos",
    "other_app_list": "list of apps",
    "routes_none": "none seen",
    "routes_more_unknown": "others not known",
    "legend_phone": "numbers and identifiers of the phone, and whether a call is going on.",
    "legend_routes": "rights beside the permission list: a role, notifications, the screen …",
    "way_permission": "by its permission",
    "way_incoming": "as new ones arrive",
    "way_no_permission_needed": "needs no permission",
    "way_none": "no way seen",
    "between_ways": ", ",
    "page_timeline": "When each last read",
    "event_installed": "{at_at}: installed",
    "event_updated": "{at_at}: updated",
    "event_read": "{when}: last read {data}",
    "event_received": "{when}: last received a new SMS",
    "event_ago": "{ago} before the check",
    "scale_day": "{day_short}",
    "timeline_last": (
        "The phone keeps the last time only. It does not keep how much was read, nor whether it was sent away."
    ),
    "timeline_never": "No mark of reading does not mean never.",
    "timeline_unknown": "Of some, the times of reading could not be read: there a mark may be missing.",
    "page_stop": "Stop a moment, then act",
    "page_apps": "App by app",
    "page_package": "package",
    "page_version": "version",
    "page_installed": "installed",
    "page_updated": "updated",
    "page_data": "kind of data",
    "page_can": "can it read?",
    "page_ways": "by which way",
    "page_record": "what is recorded",
    "page_found": "What was found",
    "page_evidence": {"one": "The line of the phone that shows it", "other": "The {n} lines of the phone that show it"},
    "page_steps": "How to close it",
    "page_gaps": "What was not checked",
    "page_cannot": "What this page cannot tell you",
    "cannot_sent": "Whether contacts were sent away, to whom, and who is calling.",
    "cannot_gone": "Anything of another phone, of uninstalled apps, of mini-programs and loans in the browser.",
    "cannot_much": "How much an app has read, and how often.",
    "cannot_harmless": "Which app is harmless. A lending app whose name does not tell may be missing here.",
    "cannot_same": "Whether an app that bears the package name of a list is the same app.",
    "page_made_by": "Made by privaudit {version}. This page loads nothing and sends nothing.",
    # The table, where it needs words of its own.
    "csv_demo": "demo",
    "csv_yes": "yes",
    "csv_no": "no",
    "csv_user": "Android user",
    "csv_label": "name",
    "csv_first": "what comes first",
    "csv_why": "why it is here",
    "csv_record": "{data}: last read",
    "csv_lists": "on which lists",
    "csv_installer": "installed by",
    "csv_gaps": "things not checked",
}

"""What every form of the document on an APK says, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "title": "privaudit: before you install this app",
    "page_title": "Before you install this app",
    "file": "File",
    "app": "App",
    "signer": "Signer",
    "made_for": "Made for",
    "file_is": "{path} ({kind}, {megabytes} MB)",
    "file_unread": "{path}",
    "file_base": "{path} ({kind}, {megabytes} MB; the app is {entry} in it, with {n} further parts)",
    "file_installed": "{path} (on the phone, {megabytes} MB, {n} further parts)",
    "kind_apk": "APK",
    "kind_xapk": "XAPK bundle",
    "kind_apks": "APKS bundle",
    "kind_apkm": "APKM bundle",
    "kind_installed": "installed app",
    "kind_unknown": "file",
    "app_is": "{name}",
    "package": "{package}",
    "version": "version {version}",
    "signer_is": "certificate SHA-256 {digest} (read from the file; whether the signature holds was not checked)",
    "signer_unread": "could not be read: {why}",
    "made_for_is": "Android with SDK {target}",
    "made_for_unknown": "its manifest does not say",
    # 1.
    "asks": "1. What it may ask for, once installed",
    "contacts": "contacts",
    "sms": "SMS",
    "call_log": "call log",
    "phone": "phone, numbers",
    "location": "location",
    "media": "photos, videos",
    "app_list": "list of apps",
    "state_may_ask": "may ask",
    "state_another_way": "another way",
    "state_needs_nobody": "needs not ask",
    "state_not_requested": "does not ask",
    "asks_incoming": "new messages only",
    "asks_until": "up to SDK {sdk} only",
    "way_accessibility": "accessibility (sees the screen)",
    "way_notification_listener": "notification access (sees new messages)",
    "way_all_files": "access to all files",
    "way_usage": "usage access (sees which apps run)",
    "also": "It is also built to ask for: {rights}.",
    "right_accessibility": "accessibility, which sees and works the screen",
    "right_notification_listener": "notification access, which sees new messages",
    "right_device_admin": "the rights of a device administrator",
    "right_input_method": "a keyboard of its own",
    "right_overlay": "drawing over other apps",
    "right_usage": "usage access",
    "right_all_files": "access to all files",
    "right_install_packages": "installing other apps",
    "at_install": (
        "It is made for Android 5 or older: what it asks for is given when it is installed, without a question."
    ),
    "asked_is_not_taken": "Asking is not taking: until it is installed and allowed it reads nothing.",
    # 2.
    "known": "2. What is known of it",
    "nothing_known": "Neither its name nor a list says that it lends. That does not mean that it does not.",
    "other_name": "Under its icon stands “{names}”.",
    "no_icon": "It asks for no icon among the apps.",
    "name_unread": "Its name could not be read: {why}.",
    # 3.
    "rules": "3. Rules that its permissions touch",
    "rules_of_stores": (
        "A store's rules bind what the store itself offers. A file does not say where it comes from, so all are named."
    ),
    "rules_none": "None of the rules that are known here speaks of what it may ask for.",
    "rules_for_lenders": "These rules are about lending apps, and it was not recognised as one, so none is named.",
    # 4.
    "code": "4. Code of other makers in it",
    "code_is": "{names}: {purpose}. Found: {signs}.",
    "code_collects": "Its maker's papers, or its code, speak of: {collects}.",
    "code_lending": "Lenders use it.",
    "code_ordinary": "Ordinary apps carry it too: it says nothing of lending.",
    "code_sign": "This is a sign, not proof: code can be there and never run, and a name can be copied.",
    "code_none": (
        "None of the {n} makers whose code is known here was found. Code can be renamed, hidden or fetched later."
    ),
    "purpose_alt_credit_score": "scores borrowers by their phone's data",
    "purpose_contact_sms_harvest": "collects data of the phone for scoring borrowers",
    "purpose_credit_data_crawler": "reads a borrower's accounts with other services",
    "purpose_device_fingerprint": "tells phones apart",
    "purpose_generic_antifraud": "looks for abuse",
    "purpose_identity_check": "checks identity papers and faces",
    "sign_class": "classes {name} in {entry}",
    "sign_spoken": "the class name {name}, without its code, in {entry}",
    "sign_library": "library {name}",
    "sign_component": "component {name} in the manifest",
    # 5.
    "gaps": "5. What was not looked at",
    "gap": "{part}: {why}.",
    "part_file": "The file",
    "part_label": "Its name",
    "part_signers": "Its signers",
    "never_code": "What its code does. Only names in it were compared; nothing was run.",
    "never_later": "What it fetches after it is installed, and what its web pages ask you to type in.",
    "never_signature": "Whether the signature holds: the phone checks that when it installs.",
    # 6.
    "advice": "6. Before you hand it data",
    "advice_who": (
        "Know the lender first: its full name, its address, and whether the regulator of your country knows it."
        " That it is on no list here says little."
    ),
    "advice_policy": "Read its privacy policy, and save it with today's date.",
    "advice_contacts": "Type in single contacts, with their consent, rather than allow the whole address book.",
    "advice_store": "A file that somebody sent you can be another app under the same name. Ask where it comes from.",
    # Result.
    "result": "Result",
    "result_unread": "Nothing could be read of this file ({why}), so nothing can be said of it.",
    "result_lender": "It looks like a lending app, and it may ask for {data}.",
    "result_lender_quiet": "It looks like a lending app. It does not ask for contacts, SMS or call log.",
    "result_embeds": "It is a wallet or shop app that also offers loans, and it may ask for {data}.",
    "result_embeds_quiet": (
        "It is a wallet or shop app that also offers loans. It does not ask for contacts, SMS or call log."
    ),
    "result_other": (
        "It was not recognised as a lending app; that does not mean that it is none. It may ask for {data}."
    ),
    "result_other_quiet": (
        "It was not recognised as a lending app; that does not mean that it is none."
        " It does not ask for contacts, SMS or call log."
    ),
    "result_listed": {
        "one": "It is on 1 published list; what that says stands above.",
        "other": "It is on {n} published lists; what they say stands above.",
    },
    "result_gaps": {
        "one": "1 thing could not be looked at, so this is not everything.",
        "other": "{n} things could not be looked at, so this is not everything.",
    },
    # The table of many files.
    "counted": {
        "one": "1 file was read: {lending} lending apps, {listed} on a list.",
        "other": "{n} files were read: {lending} lending apps, {listed} on a list.",
    },
    "counted_unread": {"one": "1 file could not be read.", "other": "{n} files could not be read."},
    "counted_partly": {"one": "1 file was read in part.", "other": "{n} files were read in part."},
    "counted_others": {
        "one": "1 other app may ask for contacts, SMS or call log; it was not recognised as lending.",
        "other": "{n} other apps may ask for contacts, SMS or call log; they were not recognised as lending.",
    },
    "table_none": "No lending app was recognised among them. That does not mean that there is none.",
    "table_app": "app",
    "table_lists": "lists",
    "cell_listed": "on a list",
    "cell_notified": "in a notice",
    "cell_own": "your own",
    "cell_no": "-",
    "table_more": "{n} more stand in the lines of JSON only.",
    "unread_title": "Not read:",
    "unread_row": "{path}: {why}",
    "done_before": {
        "one": "1 file stands in {path} already and has not changed since; it is not read again.",
        "other": "{n} files stand in {path} already and have not changed since; they are not read again.",
    },
    "not_advice": "This is not legal advice and does not say who broke a law.",
}

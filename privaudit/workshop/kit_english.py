"""What the printed kit says, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    # Files and titles.
    "kit": "All sheets in one print job",
    "consent": "Before your phone is read",
    "usb": "{rom}: USB debugging on and off",
    "poster": "In this order",
    "evidence": "What they did: my notes",
    "closing": "Before you leave",
    "friends": "For those who are called because of somebody's loan",
    "iphone": "iPhone: by hand",
    "harmony": "HarmonyOS NEXT (HarmonyOS 5 and later): by hand",
    "country": "For this place: {country}",
    # Consent slip.
    "own": "It is my own phone.",
    "adult": "I am 18 or older.",
    "no_work": "It is no work phone, and nobody manages it for an employer.",
    "urgent": "I need not pay anything urgently right now.",
    "noticed": "I have thought of what happens if they notice, and who helps me.",
    "i_agree": "I agree to:",
    "agree_read": "reading: loan apps, what they may read, when the phone noted that they did",
    "agree_page": "a printed page under a code, for me",
    "agree_full": "the full report on my own stick",
    "agree_counts": "counting without names",
    "no_name": "No name is needed. I may stop at any time; then what was kept is deleted.",
    "duty": "What the hosts must report by law:",
    "code": "Code on my phone",
    "date": "Date",
    "delete_by": "Deleted by",
    "initials": "Initials",
    "talk": "Two minutes, in your own words",
    # Cards.
    "screenshots_first": "Take the screenshots inside loan apps first; then leave these apps.",
    "cable": "Use a cable that also carries data. Leave the phone unlocked.",
    "allow_once": (
        "The phone asks “Allow USB debugging?”. Allow it only when the helper says so, and do not tick “Always allow”."
    ),
    # Poster.
    "step_safety": (
        "Is somebody threatening you? Call the police first. Too much to bear? First find someone to be with you."
    ),
    "step_talk": "Talk and consent: what is read, what is not, what is kept.",
    "step_evidence": (
        "Save evidence: collectors' messages, calls, posts, contract, payments, privacy policy with its date."
    ),
    "step_permissions": "Screenshots: app page, permission page, permission history (it fades within days).",
    "step_read": "At the laptop: the phone is read, four minutes. Sticker with the code first.",
    "step_timeline": "Write the timeline: who, when, which number, which words.",
    "step_close": "Close permissions, as on your page; copies of apps too.",
    "step_demand": "Written demand: stop, delete, say who got it. Do not uninstall yet.",
    "step_again": "Read again, and compare.",
    "step_complain": "Complain, go to court, go to the police: ask legal aid first.",
    "step_uninstall": "Uninstall last, and close the account.",
    "step_leave": "Before leaving: the close-out card.",
    # Evidence log.
    "log_keep": "This sheet stays with you. Others' numbers on it: cover them before you show it.",
    "log_date": "date, time",
    "log_channel": "call, SMS, chat, post, visit",
    "log_number": "number or account",
    "log_who": "who was contacted (relation)",
    "log_words": "exact words, short",
    "log_file": "screenshot file",
    "log_witness": "witness",
    "log_reported": "reported to, number",
    # Close-out.
    "samsung": "Samsung: turn “Auto Blocker” on again.",
    "other_maker": "Menus differ: the card for your phone has them word by word.",
    # Friends.
    "friends_why": (
        "Your number stood in somebody's phone. An app may have copied it, or it came from elsewhere. You did "
        "nothing wrong."
    ),
    "friends_ask": "Ask: your name, your company, your written mandate? Write down number, date, time and words.",
    "friends_give": "Give no numbers, addresses or names of others. Open no links. Pay nothing at their word.",
    "friends_stop": "Say once: do not contact me again. Then you may hang up and block.",
    "friends_keep": "Keep messages and screenshots. They help your friend, and they are your own matter too.",
    "friends_help": "Threats: police. What you yourself may demand: ask legal aid, {helpline}",
    # By hand.
    "iphone_why": (
        "No cable check for iPhones. On an iPhone no app can read SMS or the call log; contacts, photos and "
        "location it can, if allowed."
    ),
    "iphone_1": "Open Settings, tap “Privacy & Security”.",
    "iphone_2": "Tap “Contacts”. Every app in this list has asked.",
    "iphone_3": "Take a screenshot.",
    "iphone_4": "Loan apps: tap the app, choose “None” or turn the switch off.",
    "iphone_5": "Do the same for “Photos”, “Location Services”, “Microphone” and “Camera”.",
    "iphone_6": (
        "Back in “Privacy & Security”, tap “App Privacy Report”: it shows what apps used in the last 7 days. "
        "Screenshot."
    ),
    "iphone_7": "Loans in the browser: what was typed there is gone already.",
    "harmony_why": (
        "HarmonyOS NEXT has no Android apps and no ADB. It cannot be read by cable; this sheet is done by hand."
    ),
    "harmony_1": "Open Settings, search for “Permission manager”.",
    "harmony_2": "Tap “Contacts”. See which apps are allowed. Take a screenshot.",
    "harmony_3": "Loan apps: tap the app, choose “Deny”.",
    "harmony_4": "Do the same for “Messages”, “Call logs”, “Location” and “Photos”, as far as they are there.",
    "harmony_5": "Search Settings for “Access records”: when did they read? Take a screenshot.",
    "harmony_6": "Settings, System, “App Twin”: a copy has permissions of its own. Close them too.",
    "unverified": (
        "These menus were not tried on a real phone by us, and they differ by version. Not there? Search "
        "Settings for the word."
    ),
    # This place.
    "fill_in": "Fill in before printing, and check each number on the day:",
    "police": "Police",
    "helpline": "Crisis line",
    "legal_aid": "Legal aid",
    "regulator": "Where to complain",
    "interpreter": "Interpreter",
    "checked": "Checked on, by",
}

"""What papers say, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "title_deletion": "Demand concerning personal data",
    "title_complaint": "Complaint concerning personal data",
    "title_evidence_list": "List of what was kept",
    # Before it is used; stays at home.
    "before": "A draft. First read this page: it is for you, and no part of the letter.",
    "notice": (
        "What happens if they notice? A letter may bring more calls, or calls to your family. First think of who will "
        "help you. In danger: police first, no letter."
    ),
    "before_blank": "Fill in the blanks by hand. Nothing in them came from the phone.",
    "before_verify": (
        "Where it says “check before use”, compare with the text of the law or ask legal aid; strike out what nobody "
        "checked, and the mark itself."
    ),
    "before_promise": "Add no sentence that admits the debt or offers payment. Ask a lawyer first.",
    "before_day": "The day in the last demand is your own request. Whether a law sets one, legal aid can tell.",
    "before_send": (
        "Date and sign it. Send it in several ways (message inside the app, e-mail, registered post), and keep a "
        "screenshot or receipt of each, and a copy."
    ),
    "before_office": "Choose one office. Call it or look at its page first: numbers and addresses change.",
    "before_copy": "Send copies, keep the originals. Cover other people's numbers in screenshots.",
    # Blanks and what stands beside the app.
    "to": "To (company)",
    "to_reach": "Its address, e-mail",
    "from": "From",
    "account": "My account or registered number there",
    "date": "Date",
    "reach": "How to reach me, in writing",
    "signature": "Signature",
    "against": "About (lender or collector)",
    "app": "App",
    "package": "Package name (the app's internal name)",
    "version": "Version",
    "tool": "Read with",
    "lists": "Lists: newest date; packages; hash",
    "user": "On",
    "between": "; ",
    "computer_time": "This computer's time",
    "found": "What the settings of my phone showed of this app on {when}:",
    "found_limits": (
        "A permission shows what an app can read. It does not show what it read or sent. “No record” does not mean "
        "never."
    ),
    # Demand.
    "demand_head": "I demand",
    "demand_stop": (
        "Stop. I do not agree that my contact list, messages or call log are used, and I withdraw any consent to it. "
        "Contact nobody but me."
    ),
    "demand_recipients": (
        "Say in writing which of my data and of my contacts' data you hold, when and how you got them, to whom you "
        "gave them, and on what ground."
    ),
    "demand_delete": (
        "Delete these data, and have everybody delete them to whom you gave them. If you say that a law obliges you to "
        "keep some, name the data, the law and the time, and use them for nothing else."
    ),
    "demand_caller": (
        "Name everybody who calls or writes for you, to me or to others: full name, employer, and your written mandate."
    ),
    "demand_answer": (
        "Confirm in writing by ______________ (date) what you have done. If you refuse any of this, give the reason in "
        "writing."
    ),
    "demand_kept": "I keep: ______ screenshots, ______ messages, a list of ______ calls.",
    "no_debt": ("This letter concerns personal data only. It admits no debt and changes no right about it."),
    "cite_open": " (",
    "cite_between": "; ",
    "cite_close": ")",
    # Complaint.
    "complaint_to": "To (tick one)",
    "complaint_other": "________________________",
    "happened": "What happened",
    "happened_first": "First call or message (date)",
    "happened_often": "How often since",
    "happened_numbers": "Numbers or accounts they used",
    "happened_whom": "Who was contacted (relationship only, no names)",
    "happened_words": "What was said (short, exact words)",
    "asks_head": "What I ask",
    "asks_look": (
        "Look into how this app, and whoever collects for it, got, used and passed on my contacts, messages and call "
        "log."
    ),
    "asks_stop": "See to it that they stop, delete these data, and say to whom they went.",
    "asks_result": "Tell me the result in writing.",
    "done_head": "What I have done already",
    "done_demand": "Written demand, sent on ______________",
    "done_reply": "Reply on ______________ / no reply",
    "done_desk": "Complaint to the lender, reference ______________",
    "done_police": "Report to the police, reference ______________",
    "attached_head": "Attached",
    "attached_list": "List of what was kept",
    "attached_demand": "Copy of the demand, proof of sending",
    "attached_report": "Report on the phone's permissions",
    "judge": "Whether a rule was broken is for you to decide.",
    # List of what was kept.
    "list_intro": "Names no person. Other people's numbers do not belong on it.",
    "list_lines": "Lines of the phone's answers",
    "list_by_hand": "To be added by hand",
    "line_user": "On",
    "line_question": "Answer",
    "line_number": "Line",
    "line_text": "Text",
    # The rights page.
    "page_title": "What you can do ({country})",
    "page_intro": (
        "The number behind a line is its source, on the last page. “Check before use”: nobody has compared it, or it "
        "changes often; call or look before you rely on it. No lawyer has read this page."
    ),
    "part_police": "Police first",
    "part_ladder": "The ladder",
    "part_law": "What the law says",
    "part_licence": "Before borrowing",
    "part_save": "What to save",
    "part_caller": "What to ask whoever calls",
    "part_question": "Questions and answers",
    "part_friends": "For friends who got called",
    "part_sources": "Sources",
    "sources_intro": "Who compared a line with its source, and when.",
    "checked": "Checked on {day_on}: {who}",
    "by_research": "research notes of this project, no lawyer",
    "by_maintainer": "a maintainer of this project, no lawyer",
    "unchecked": "Not checked by anybody.",
    "friends_title": "For people who got called by a collector",
    "friends_where": "Where you can complain yourself",
    "friends_not_advice": "This is not legal advice. Sources of every line: privaudit rights",
    # What lies in a folder of kept material.
    "sheet_title": "Kept material: photograph this page",
    "sheet_intro": (
        "This number is the hash (SHA-256) of the list of all files that were kept. Photograph it with another phone, "
        "and send the picture on the same day to somebody you trust."
    ),
    "kept_at": "Kept at (this computer's time)",
    "apps_named": "Apps named in the part to show",
    "hash_shows": "What it shows",
    "hash_shows_1": "A hash is computed from a file. If one sign in it changes, another number comes out.",
    "hash_shows_2": "The same number later: no file of both parts changed since the number was photographed.",
    "hash_shows_3": "The sealed part has its hash in the list too, so it can be shown later that it is the same one.",
    "hash_shows_not": "What it does not show",
    "hash_shows_not_1": "That what the phone said is true, or that nothing is missing.",
    "hash_shows_not_2": (
        "When it was made or by whom, unless somebody else saw the number that day. Whoever changes the files can "
        "compute a new number: without the photograph it says nothing."
    ),
    "hash_shows_not_3": (
        "It is no signature and no expert opinion. A notary or a third party's time-stamp carries more: ask a lawyer."
    ),
    "hash_later": "How to check later",
    "hash_later_1": "privaudit evidence --check FOLDER says which file changed, and prints the number to compare.",
    "hash_later_2": "Without privaudit, in the folder: sha256sum --check disclosable/hashes.txt (Linux).",
    "hash_later_3": "On Windows: certutil -hashfile FILE SHA256, file after file.",
    "lines_intro": (
        "The lines of the phone's answers on which the report rests, with the file and the line in the sealed part; of "
        "the apps named here, and no other. "
        "“[removed]” stands where other apps, or a person, would have been named."
    ),
    "sealed_title": "Sealed part: for your lawyer first",
    "sealed_1": "The file beside this one names every app on the phone: health, faith, dating, work, other lenders.",
    "sealed_report": "The file beside this one is the whole report, with the apps that the part to show leaves out.",
    "sealed_2": "Give it to nobody before your lawyer or legal aid says to whom: to no lender, to no office.",
    "sealed_3": "Its hash stands in disclosable/hashes.txt, so nothing is lost by keeping it closed.",
    # The log.
    "log_head": "Log of calls and messages",
    "log_intro": "By hand, at once, each time. Stays with the person. Relationship only, no names.",
    "log_no": "No.",
    "log_when": "Date, time",
    "log_channel": "Call, SMS, chat, post, visit",
    "log_number": "Number or account shown",
    "log_whom": "Who was contacted (relationship)",
    "log_words": "What was said (exact words)",
    "log_file": "File of the screenshot",
    "log_witness": "Witness?",
    "log_reported": "Reported to, reference",
}

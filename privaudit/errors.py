"""What happened, why, and what to do next. Each error knows its exit code.

The words stand in `WORDS` as ``NAME.what``, ``NAME.why`` and ``NAME.next``; locales translate them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privaudit.model import Message, PhoneState, Value  # to make all nouns takes longer than to print the help

EXIT_OK = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_FOUND = 3
EXIT_UNREADABLE = 4
EXIT_GAPS = 5
EXIT_INTERRUPTED = 130


class PrivauditError(Exception):
    """An error to show to a person. `name` picks its three sentences."""

    exit_code = EXIT_UNREADABLE

    def __init__(self, name: str, **values: Value) -> None:
        super().__init__(name, values)
        self.name = name
        self.values = values

    @property
    def what(self) -> Message:
        """What happened."""
        return self._told("what")

    @property
    def why(self) -> Message:
        """Why, as far as it is known."""
        return self._told("why")

    @property
    def next(self) -> Message:
        """What to do next."""
        return self._told("next")

    def _told(self, part: str) -> Message:
        from privaudit.model import Message

        return Message(key=f"errors.{self.name}.{part}", values=self.values)


class UsageError(PrivauditError):
    """A wrong argument."""

    exit_code = EXIT_USAGE


class SourceError(PrivauditError):
    """A file or folder that cannot be read as a source."""


class KnowledgeError(PrivauditError):
    """A data file of ours, or of the user's, with mistakes. `mistakes` lists them all, to print one a line."""

    exit_code = EXIT_USAGE

    def __init__(self, name: str, mistakes: tuple[Message, ...], **values: Value) -> None:
        super().__init__(name, count=len(mistakes), **values)
        self.mistakes = mistakes


class ListsError(PrivauditError):
    """Lists that cannot be taken in, or written. Those in force stay in force."""


class ClusterError(PrivauditError):
    """The computers that were to do the work cannot be used."""


class PhoneError(PrivauditError):
    """The phone cannot be reached, or not any more."""

    @property
    def state(self) -> PhoneState:
        """How the phone is, as far as this error tells."""
        from privaudit.model import PhoneState

        name = self.name.removesuffix("_macos").removesuffix("_windows")
        return PhoneState(_STATES.get(name, "absent"))


class ConnectionLost(PhoneError):  # noqa: N818 - what it says is what happened
    """The connection ended in the middle of an answer. `partial` is what had come until then."""

    def __init__(self, name: str, partial: bytes = b"", **values: Value) -> None:
        super().__init__(name, **values)
        self.partial = partial


_STATES: Mapping[str, str] = {
    "another_phone": "ready",
    "busy": "busy",
    "debugging_off": "debugging_off",
    "garbled": "offline",
    "in_recovery": "recovery",
    "no_permission": "no_permission",
    "not_allowed": "unauthorised",
    "not_allowed_unseen": "unauthorised",
    "offline": "offline",
    "other_system": "other_system",
    "refused": "recovery",
    "silent": "offline",
    "too_much_output": "ready",
    "too_slow": "offline",
    "unauthorised": "unauthorised",
    "waiting": "waiting",
    "windows_driver": "no_driver",
}
"""Name of an error → `PhoneState`. What is not here says that no phone is to be seen, or not any more."""

WORDS: Mapping[str, str] = {
    "address_wrong.what": "“{given}” is no address of a phone.",
    "address_wrong.why": "An address is tcp:HOST or tcp:HOST:PORT, for instance tcp:192.168.1.7:5555.",
    "address_wrong.next": "Correct the address and try again.",
    "androidqf_encrypted.what": "{path} is encrypted.",
    "androidqf_encrypted.why": "AndroidQF encrypted it for whoever has the private key. privaudit cannot open it.",
    "androidqf_encrypted.next": (
        "Whoever has the key decrypts it with the program age (https://age-encryption.org): “age --decrypt -i "
        "KEY.txt -o {plain} {path}”. Then give {plain}. Delete it afterwards: it holds private data."
    ),
    "androidqf_without_answers.what": "In {path} there is nothing of what AndroidQF collects about apps.",
    "androidqf_without_answers.why": "It looks for packages.json, dumpsys.txt, getprop.txt and settings_secure.txt.",
    "androidqf_without_answers.next": "Let AndroidQF collect again, to its end, or check the phone itself.",
    "bugreport_without_answers.what": "The bug report {path} says nothing of apps.",
    "bugreport_without_answers.why": "It is cut short, or of a small kind (telephony, Wi-Fi), which leaves apps out.",
    "bugreport_without_answers.next": (
        "On the phone, take a full report (developer options, “Take bug report”, “Full report”), or check the phone "
        "itself."
    ),
    "app_missing.what": "“{app}” is not on the phone.",
    "app_missing.why": "This user has no app of that package name, or the name is misspelt.",
    "app_missing.next": "See what there is with “privaudit audit” and copy the package name from it.",
    "apk_missing.what": "{path} is not there.",
    "apk_missing.why": "There is no file and no folder of this name.",
    "apk_missing.next": "Check the name. For an app that is on a phone, write --installed and its package.",
    "apk_nothing.what": "There is nothing to vet.",
    "apk_nothing.why": "An APK is a file, a folder of files, or an installed app that --installed names.",
    "apk_nothing.next": "Write, for instance: privaudit apk loan.apk",
    "apk_one_file.what": "A page or a document is about one file.",
    "apk_one_file.why": "Several files were given, or a folder.",
    "apk_one_file.next": "Give one file, or write lines: -o results.jsonl",
    "apk_one_place.what": "An installed app is vetted on its phone, and files here: not both at once.",
    "apk_one_place.why": "Only one of FILE, --installed and --scheduler can say where to look.",
    "apk_one_place.next": "Leave one of them out.",
    "apk_files_none.what": "In what was given there is no file that is called an app.",
    "apk_files_none.why": "Folders are searched for names that end in {known}.",
    "apk_files_none.next": "Give the file itself if it is called otherwise.",
    "another_phone.what": "This is another phone than the one in the saved check.",
    "another_phone.why": "What it answers about itself does not fit what was noted when the check was begun.",
    "another_phone.next": "Connect the phone that the check was begun with, or begin a new check under another name.",
    "app_unread.what": "How “{app}” stands could not be read.",
    "app_unread.why": "The phone did not give its details, or they are not what Android prints.",
    "app_unread.next": "Nothing was changed. Try again, or tap by hand what “privaudit steps” prints.",
    "busy.what": "Another program on this computer is using the phone.",
    "busy.why": (
        "Only one program at a time can talk to a phone over the cable. It is often Android Studio, or adb running "
        "in the background."
    ),
    "busy.next": (
        "Close Android Studio and other phone programs. If you use adb yourself, you can end it with “adb "
        "kill-server”. Then try again."
    ),
    "capture_changed.what": "The saved check {path} was changed after it was made.",
    "capture_changed.why": "{entry} does not have the content that was recorded when it was saved.",
    "capture_changed.next": "Use an untouched copy, or check the phone again.",
    "capture_damaged.what": "The saved check {path} is damaged.",
    "capture_damaged.why": "{entry} cannot be read. The file may be cut short.",
    "capture_damaged.next": "Copy it again from where you have it, or check the phone again.",
    "capture_too_large.what": "{path} is larger than any check can be.",
    "capture_too_large.why": "It may not be a check of this tool, or somebody made it to harm this computer.",
    "capture_too_large.next": "Do not open it. Ask whoever gave it to you.",
    "cluster_empty.what": "The cluster at {address} has no workers.",
    "cluster_empty.why": "Its scheduler answers, and no computer has joined it.",
    "cluster_empty.next": "Start workers (“dask worker {address}”), then try again.",
    "cluster_lost.what": "The scheduler of the cluster at {address} does not answer any more.",
    "cluster_lost.why": "It ended, or the network did.",
    "cluster_lost.next": "Start it again. With -o results.jsonl, the same command then goes on with the rest.",
    "cluster_missing.what": "Dask is not installed.",
    "cluster_missing.why": "privaudit brings it only to those who ask for it.",
    "cluster_missing.next": 'Install it: pip install "privaudit[cluster]". Or leave out --scheduler.',
    "cluster_unreachable.what": "No scheduler of a cluster answers at {address}.",
    "cluster_unreachable.why": "The address may be wrong, or it is not running. It was tried for {seconds} seconds.",
    "cluster_unreachable.next": "Compare the address with what “dask scheduler” prints, or leave out --scheduler.",
    "cluster_versions.what": "The workers of {address} do not run the same privaudit.",
    "cluster_versions.why": "Here it is {here}. With another version, the same file could get another line.",
    "cluster_versions.next": "Install privaudit {here} on every worker.",
    "app_not_in_report.what": "The report says nothing of “{app}”.",
    "app_not_in_report.why": "What is written rests on what was found. Something was found of: {known}.",
    "app_not_in_report.next": "Copy the package name from the report and try again.",
    "country_needed.what": "No country was chosen.",
    "country_needed.why": "A letter names the law and the offices of one country. There are pages for {known}.",
    "country_needed.next": "Add it, for instance --country CN.",
    "country_without_rights.what": "privaudit has no page for the country “{given}”.",
    "country_without_rights.why": "It names no law and no office without a source. There are pages for {known}.",
    "country_without_rights.next": (
        "Choose one of these, or see what is true everywhere with “privaudit rights”, and ask legal aid where you live."
    ),
    "country_unknown.what": "“{given}” is no country code.",
    "country_unknown.why": "A country has two letters: CN, IN, ID, PH, PK, KE, NG, MX …",
    "country_unknown.next": "Correct it and try again.",
    "cut_audit.what": "The connection ended before everything was read.",
    "cut_audit.why": (
        "The cable was pulled or moved, the phone fell asleep, or it was restarted. The report holds what was read "
        "until then and names the rest as not read."
    ),
    "cut_audit.next": "Check the cable, unlock the phone and check it again. It may ask its owner again.",
    "cut_capture.what": "The connection ended before everything was read.",
    "cut_capture.why": (
        "The cable was pulled or moved, the phone fell asleep, or it was restarted. What was read until then is in "
        "{path}; the rest is marked as not read."
    ),
    "cut_capture.next": (
        "Connect the same phone, unlock it, and go on: privaudit capture --resume {path} (it may ask its owner again)"
    ),
    "debugging_off.what": "A phone is on the cable ({phones}), but USB debugging is off.",
    "debugging_off.why": "The computer sees the phone and no way to ask it anything. Or the phone only charges.",
    "debugging_off.next": "Read the next lines in their order, then try again.",
    "diff_order.what": "The second is older than the first.",
    "diff_order.why": "A comparison goes from the earlier to the later.",
    "diff_order.next": "Give them the other way round.",
    "diff_phones.what": "These are two phones.",
    "diff_phones.why": "Their models differ, or the same apps were installed at other times.",
    "diff_phones.next": "Compare two reports of one phone.",
    "evidence_either.what": "--check looks at what was kept; it makes no folder.",
    "evidence_either.why": "A source, or -o, was given beside it.",
    "evidence_either.next": "Give either: privaudit evidence --check FOLDER, or privaudit evidence SOURCE -o FOLDER",
    "evidence_nothing.what": "It is not clear what to keep, or where.",
    "evidence_nothing.why": "A saved check or a report is needed, and the folder to make.",
    "evidence_nothing.next": "For instance: privaudit evidence check.zip -o kept",
    "kept_list_damaged.what": "{path} cannot be used.",
    "kept_list_damaged.why": "It is not as privaudit writes it: every line a SHA-256, two blanks, a file.",
    "kept_list_damaged.next": "Use another copy of the folder, and compare it with the photograph.",
    "not_kept.what": "{path} is no folder that privaudit kept.",
    "not_kept.why": "disclosable/hashes.txt or disclosable/sheet.html is not in it.",
    "not_kept.next": "Give the folder that holds “disclosable” and “sealed”.",
    "exists.what": "{path} is there already.",
    "exists.why": "privaudit overwrites no saved check: it may be evidence.",
    "exists.next": "Choose another name.",
    "export_unknown.what": "privaudit cannot export to “{given}”.",
    "export_unknown.why": "The end of the name says how to write; there are {known}.",
    "export_unknown.next": "Choose one of these, for instance lists.csv.",
    "folder_without_answers.what": "In the folder {path} there is no file that privaudit knows.",
    "folder_without_answers.why": "It looks for files of these names: {known}.",
    "folder_without_answers.next": "Save what the phone prints under these names, or give another folder.",
    "format_unknown.what": "privaudit cannot write “{given}”.",
    "format_unknown.why": "The end of the name says how to write; there are {known}.",
    "format_unknown.next": "Choose one of these, for instance report.json.",
    "garbled.what": "What the phone sent could not be understood.",
    "garbled.why": "A loose plug or a worn cable often does this.",
    "garbled.next": "Unplug the cable and plug it in again, or use another cable. Then try again.",
    "in_recovery.what": "The phone has not started Android.",
    "in_recovery.why": "It is in recovery, sideload or the boot loader: a screen for repairs, without apps.",
    "in_recovery.next": "Restart the phone in the ordinary way (“Reboot system now”), unlock it and try again.",
    "import_mistakes.what": "{path} holds mistakes: {count}.",
    "import_mistakes.why": "A list with mistakes would miss apps or name wrong ones, so none was written.",
    "import_mistakes.next": "Mend what the lines below say, then import it again.",
    "import_nothing.what": "There is nothing to import, or no place to write to.",
    "import_nothing.why": "A list is made of one file, and written to another.",
    "import_nothing.next": "Write, for instance: privaudit signatures import apps.csv -o mine.toml",
    "import_several.what": "{path} holds rows of {count} sources, and one file to write.",
    "import_several.why": "A list has one source: a publisher, a title, a date.",
    "import_several.next": "Give a folder: -o FOLDER writes one file for each source.",
    "import_unknown.what": "privaudit cannot import “{given}”.",
    "import_unknown.why": "It reads tables (.csv, .txt) and STIX 2.1 (.stix2, .json).",
    "import_unknown.next": (
        "Save it in one of these formats; “privaudit signatures import --template” prints an empty table."
    ),
    "installed_anew.what": "“{app}” was removed and installed anew since.",
    "installed_anew.why": "What the ledger says of it is about the copy that was there before.",
    "installed_anew.next": "Nothing was done. Make a new plan: privaudit revoke {app}",
    "key_folder_unwritable.what": "The key for this computer could not be written to {path}.",
    "key_folder_unwritable.why": (
        "The phone recognises this computer by a key, and there is none yet. The folder cannot be written to."
    ),
    "key_folder_unwritable.next": "Make the folder writable for you, or free some disk space. Then try again.",
    "key_unreadable.what": "The key in {path} could not be read.",
    "key_unreadable.why": (
        "The phone recognises this computer by this key. The file is damaged, has a password, or belongs to another "
        "person on this computer."
    ),
    "key_unreadable.next": (
        "Move the file to another place; a new key is made at the next try. Programs that use the old key will ask "
        "on the phone again."
    ),
    "knowledge_missing.what": "The lists that belong to privaudit are missing.",
    "knowledge_missing.why": "The installation is not complete; without lists nothing can be recognised.",
    "knowledge_missing.next": "Install privaudit again.",
    "knowledge_mistakes.what": "The list files hold mistakes: {count}.",
    "knowledge_mistakes.why": "A list with mistakes would miss apps or name wrong ones, so none was used.",
    "knowledge_mistakes.next": "Mend what the lines below say, then try again.",
    "knowledge_taken.what": "The lists that were taken in by “signatures update” hold mistakes: {count}.",
    "knowledge_taken.why": "They may be meant for another privaudit, or were changed since. None was used.",
    "knowledge_taken.next": "Delete the folder {path}: privaudit then uses its own lists.",
    "ledger_changed.what": "The ledger {path} was changed after it was written.",
    "ledger_changed.why": "Its content does not fit its seal: somebody edited it, or it was damaged.",
    "ledger_changed.next": "Nothing was done. Use an untouched copy, or tap by hand what “privaudit steps” prints.",
    "ledger_damaged.what": "{path} is no ledger of privaudit, or it is damaged.",
    "ledger_damaged.why": "At “{where}”: {problem}.",
    "ledger_damaged.next": "Nothing was done. Give the ledger that “privaudit revoke --apply” wrote.",
    "ledger_other_apps.what": "The ledger {path} is about other apps.",
    "ledger_other_apps.why": "A ledger that is there already is continued, with the apps that stand in it.",
    "ledger_other_apps.next": "Name the same apps, or choose another name for a new ledger.",
    "libusb_missing.what": "This computer lacks a part that is needed to talk over USB (libusb).",
    "libusb_missing.why": "It usually comes with privaudit, but not for every kind of computer.",
    "libusb_missing.next": (
        "Install it: on Debian or Ubuntu “sudo apt install libusb-1.0-0”, on a Mac “brew install libusb”. Then try "
        "again."
    ),
    "list_exists.what": "{path} is there already.",
    "list_exists.why": "privaudit overwrites no list: somebody may have worked on it.",
    "list_exists.next": "Choose another name.",
    "lists_key_unreadable.what": "The key {path} could not be read.",
    "lists_key_unreadable.why": "A public key of minisign is a line of 56 characters, alone or below a comment.",
    "lists_key_unreadable.next": "Give the file that ends in .pub, or the line itself.",
    "lists_malformed.what": "{path} is not a zip of lists, so it was not taken.",
    "lists_malformed.why": (
        "It holds something that does not belong there: {reason}. The lists that you have stay in force."
    ),
    "lists_malformed.next": "Get the file again, from where it is published.",
    "lists_mistakes.what": "The lists in {path} hold mistakes ({count}), so they were not taken.",
    "lists_mistakes.why": (
        "A list with mistakes would miss apps or name wrong ones. The lists that you have stay in force."
    ),
    "lists_mistakes.next": (
        "Tell whoever published them; the lines below say what is wrong. A newer privaudit may be needed."
    ),
    "lists_no_key.what": "No key is configured, so no new lists can be taken.",
    "lists_no_key.why": "privaudit comes without one: whose signature you believe is for you to say.",
    "lists_no_key.next": (
        "Ask whoever publishes the lists for their minisign public key, over a way that you trust. Save "
        "it in {path} as a file that ends in .pub, or give it with --key."
    ),
    "lists_not_fetched.what": "{path} could not be fetched.",
    "lists_not_fetched.why": "The answer was: {reason}. The lists that you have stay in force.",
    "lists_not_fetched.next": "Check the address and the network. A file works too, for instance from a USB stick.",
    "lists_not_newer.what": "The lists in {path} are no newer than those in force, so they were not taken.",
    "lists_not_newer.why": (
        "They are edition {number}; in force is {present}. Old lists are refused even if they are "
        "signed: somebody could hide newer rows with them."
    ),
    "lists_not_newer.next": "Nothing needs to be done.",
    "lists_signature_malformed.what": "The signature of {path} cannot be read, so the lists were not taken.",
    "lists_signature_malformed.why": "It is not what minisign writes. The lists that you have stay in force.",
    "lists_signature_malformed.next": "Get both files again, from where they are published.",
    "lists_signature_other_key.what": (
        "The lists in {path} are not signed with a key that you configured, so they were not taken."
    ),
    "lists_signature_other_key.why": (
        "Somebody else signed them, or the publisher has a new key. The lists that you have stay in force."
    ),
    "lists_signature_other_key.next": "Ask the publisher, over a way that you trust, which key is theirs.",
    "lists_signature_wrong.what": "The signature does not belong to {path}, so the lists were not taken.",
    "lists_signature_wrong.why": (
        "The file was changed after it was signed, or is not whole. The lists that you have stay in force."
    ),
    "lists_signature_wrong.next": "Get both files again. If it happens again, tell the publisher.",
    "lists_too_large.what": "{path} is larger than any lists are, so it was not taken.",
    "lists_too_large.why": (
        "Reading stopped at {megabytes} MB, to protect this computer. The lists that you have stay in force."
    ),
    "lists_too_large.next": "Get the file again, from where it is published.",
    "lists_unsigned.what": "{path} is not there, so the lists were not taken.",
    "lists_unsigned.why": "New lists need a signature beside them. The lists that you have stay in force.",
    "lists_unsigned.next": "Put the file that ends in .minisig beside the zip.",
    "lost.what": "The connection to the phone ended.",
    "lost.why": "The cable was pulled or moved, the phone was restarted, or USB debugging was switched off.",
    "lost.next": "Check the cable, unlock the phone and try again. It may ask its owner again.",
    "needs_capture.what": "{path} does not say enough for a plan.",
    "needs_capture.why": "A report leaves out what must be known to take a change back.",
    "needs_capture.next": "Give a check that “privaudit capture” saved, or connect the phone.",
    "needs_pairing.what": "The phone asks for pairing before it answers over Wi-Fi.",
    "needs_pairing.why": "This is the wireless debugging of Android 11 and later. privaudit cannot pair.",
    "needs_pairing.next": (
        "Use a USB cable. Or pair with Google's adb: “adb pair HOST:PORT CODE”, then “adb connect HOST:PORT”, both "
        "as the phone shows them, and try again with --transport server. Not on a network that you share with people "
        "you do not know: switch wireless debugging off again at once."
    ),
    "no_answer.what": "No phone answers at {host}, port {port}.",
    "no_answer.why": (
        "The address may be wrong, the phone may be asleep or on another network, or debugging over the network is off."
    ),
    "no_answer.next": "Wake the phone, compare the address and the network, and try again. A USB cable is simpler.",
    "kind_unknown.what": "privaudit writes no letter of the kind “{given}”.",
    "kind_unknown.why": "There are {known}.",
    "kind_unknown.next": "Choose one of these.",
    "nothing_to_write_about.what": "There is nothing to write about.",
    "nothing_to_write_about.why": "The report has no finding about any app, and a letter without one would be a guess.",
    "nothing_to_write_about.next": (
        "If something could not be read, check the phone again. What you can do without a report: privaudit rights"
    ),
    "paper_exists.what": "{path} is there already.",
    "paper_exists.why": "Somebody may have filled it in, so it is not overwritten.",
    "paper_exists.next": "Choose another name.",
    "report_torn.what": "{path} is not whole.",
    "report_torn.why": "It is no complete JSON document: it was cut while it was copied, or changed.",
    "report_torn.next": "Use another copy, or check again with -o report.json.",
    "report_wanted.what": "{path} is no saved report.",
    "report_wanted.why": "A letter is filled from a report: a file that ends in .json.",
    "report_wanted.next": "Make one: privaudit audit {path} -o report.json",
    "no_folder.what": "The folder {path} is not there.",
    "no_folder.why": "A file can only be written into a folder that exists.",
    "no_folder.next": "Make the folder, or choose another.",
    "no_permission.what": "This computer does not let you use the phone over USB.",
    "no_permission.why": "On Linux a rule must say who may use phones. The phone itself is fine.",
    "no_permission.next": (
        "Run “sudo apt install android-sdk-platform-tools-common” and “sudo usermod -aG plugdev $USER”, log out and "
        "in again, then unplug the phone and plug it in again."
    ),
    "no_permission_macos.what": "The Mac does not let privaudit use the phone.",
    "no_permission_macos.why": (
        "Another program on this Mac probably holds it: Android File Transfer, Android Studio or adb."
    ),
    "no_permission_macos.next": "Quit these programs, unplug the phone and plug it in again. Then try again.",
    "no_permission_windows.what": "Windows does not let privaudit use the phone.",
    "no_permission_windows.why": (
        "Another program on this computer probably holds it: Android Studio, adb or a phone assistant."
    ),
    "no_permission_windows.next": "Quit these programs, unplug the phone and plug it in again. Then try again.",
    "no_phone.what": "No phone with USB debugging was found.",
    "no_phone.why": (
        "Either the cable only charges, or USB debugging is switched off on the phone. A phone with HarmonyOS 5 or "
        "later (HarmonyOS NEXT) has no adb and no Android apps: it cannot be checked."
    ),
    "no_phone.next": (
        "Try a cable that also carries data, unlock the phone, and choose “File transfer” on it. Before you switch "
        "USB debugging on: bank, payment and loan apps may refuse to run or raise an alarm while it is on. If you "
        "must pay something now, wait. Take the screenshots inside loan apps first, then quit these apps and do not "
        "open them until you have switched it off again. Then switch on “USB debugging” in the developer options."
    ),
    "no_story.what": "There is no virtual phone “{given}”.",
    "no_story.why": "There are: {known}.",
    "no_story.next": "Choose one of these.",
    "no_usb.what": "This computer shows no USB to privaudit.",
    "no_usb.why": "This happens inside containers and some virtual machines.",
    "no_usb.next": "Run privaudit on the computer itself, or pass the USB port through to where it runs.",
    "not_a_report.what": "{path} is not a report of privaudit.",
    "not_a_report.why": "A report follows {schema}; here, at “{where}”: {problem}.",
    "not_a_report.next": "Give the file that “privaudit audit -o report.json” wrote.",
    "nobody_answers.what": "A question was not answered.",
    "nobody_answers.why": "Nothing is changed without a yes, and nobody is at the keyboard.",
    "nobody_answers.next": "Nothing was changed. Run it in a terminal, or add --yes if you have decided.",
    "not_a_package.what": "“{given}” is no package name.",
    "not_a_package.why": "A package name is an app's name inside the phone, such as com.example.loan.",
    "not_a_package.next": "See the package names with “privaudit audit”, then try again.",
    "not_adb.what": "What answers there is not a phone with debugging on.",
    "not_adb.why": "It speaks, but not the language that phones speak to computers (ADB).",
    "not_adb.next": "Check the address and the port. Phones usually listen on port 5555.",
    "not_adb_server.what": "What answers on port {port} of this computer is no ADB server.",
    "not_adb_server.why": "Another program uses this port.",
    "not_adb_server.next": "Use --transport usb, or name the server's port in ANDROID_ADB_SERVER_PORT.",
    "not_allowed.what": "Nobody tapped “Allow” on the phone in time.",
    "not_allowed.why": (
        "The phone asks its owner before it answers a computer. Whether “Cancel” was tapped or the question was not "
        "seen cannot be told from here."
    ),
    "not_allowed.next": (
        "Ask the owner to unlock the phone. Try again, compare the fingerprint on the phone with {fingerprint}, and "
        "if it is the same, let the owner tap “Allow”. If no question appears, unplug the cable and plug it in again."
    ),
    "not_allowed_unseen.what": "Nobody answered the question on the phone in time.",
    "not_allowed_unseen.why": (
        "The ADB server of this computer has put it. Whether “Cancel” was tapped or the question was not seen cannot "
        "be told from here."
    ),
    "not_allowed_unseen.next": (
        "Ask the owner to unlock the phone. If the question is gone, unplug the cable and plug it in again: then it "
        "comes back, and “Allow” lets this computer in."
    ),
    "not_written.what": "{path} could not be written.",
    "not_written.why": "This computer says: {reason}.",
    "not_written.next": "Make room, or choose another folder. Nothing was left half-written.",
    "not_zip.what": "“{given}” does not end in .zip.",
    "not_zip.why": "A saved check is a zip file.",
    "not_zip.next": "Choose a name such as check.zip.",
    "offline.what": "The phone is there but does not answer.",
    "offline.why": "It has just been plugged in, is asleep or starting, or its debugging hangs.",
    "offline.next": (
        "Unlock the phone. Unplug the cable and plug it in again; if that does not help, switch USB debugging off "
        "and on again. Then try again."
    ),
    "one_source.what": "Several sources, and one place to write.",
    "one_source.why": "One report is about one phone.",
    "one_source.next": "Use --jsonl, or check one after the other.",
    "other_system.what": "The phone on the cable ({phones}) does not run Android.",
    "other_system.why": "HarmonyOS NEXT (HarmonyOS 5 and later) runs no Android apps and has no ADB.",
    "other_system.next": (
        "privaudit cannot check this phone. Look through the permissions of its apps in its own settings."
    ),
    "nothing_opened.what": "The phone opened no page.",
    "nothing_opened.why": "Its screen may be locked, or its maker does not allow pages to be opened this way.",
    "nothing_opened.next": "Unlock the phone and try again, or tap by hand what “privaudit steps” prints.",
    "page_unknown.what": "There is no page “{given}”.",
    "page_unknown.why": "These can be opened: {known}.",
    "page_unknown.next": "Choose one of these.",
    "phone_unmarked.what": "This saved check does not say which phone it is of.",
    "phone_unmarked.why": (
        "It was saved by an earlier version, or its phone could not compute what it is known again by."
    ),
    "phone_unmarked.next": "Begin a new check under another name.",
    "other_phone.what": "This is another phone.",
    "other_phone.why": "The plan or ledger was made for a phone with other apps, or this one was reset since.",
    "other_phone.next": "Nothing was done. Connect the phone that it was made for.",
    "plan_changed.what": "The phone is not as it was when the plan was made.",
    "plan_changed.why": "“{app}” differs now, at “{what}”. Somebody tapped in between, or the plan is old.",
    "plan_changed.next": "Nothing was done. Make a new plan and look at it.",
    "refused.what": "The phone does not run commands in its present state.",
    "refused.why": "It may be in recovery mode, or its maker has closed this way.",
    "refused.next": "Restart the phone in the ordinary way, unlock it and try again.",
    "report_too_large.what": "{path} is larger than any report can be.",
    "report_too_large.why": "It may not be a report of this tool.",
    "report_too_large.next": "Do not open it. Ask whoever gave it to you.",
    "rom_unknown.what": "privaudit does not know “{given}”.",
    "rom_unknown.why": "It knows the menus of: {known}.",
    "rom_unknown.next": "Choose one of these, or leave it out to use what the phone says of itself.",
    "results_other.what": "{path} holds something else than lines on APKs.",
    "results_other.why": "Lines are appended to such a file, and those in it say what is done.",
    "results_other.next": "Choose another name.",
    "scheduler_address.what": "“{given}” is no address of a scheduler.",
    "scheduler_address.why": "An address is HOST:PORT or tcp://HOST:PORT, for instance tcp://10.0.0.7:8786.",
    "scheduler_address.next": "Correct the address and try again.",
    "sdk_unread.what": "The phone did not say which Android it has.",
    "sdk_unread.why": "Without it nobody knows which commands it obeys.",
    "sdk_unread.next": "Nothing was done. Try again, or tap by hand what “privaudit steps” prints.",
    "serial_not_found.what": "The phone that you named is not attached.",
    "serial_not_found.why": "Attached now: {phones}.",
    "serial_not_found.next": "Check the last characters of the serial number, or plug in the phone that you mean.",
    "serial_shared.what": "Two phones have the same serial number.",
    "serial_shared.why": "Some cheap phones are made that way, and this ADB server cannot tell them apart.",
    "serial_shared.next": "Unplug all phones but one.",
    "server_absent.what": "No ADB server answers on this computer (port {port}).",
    "server_absent.why": "It runs only after somebody has started it, and privaudit starts and stops none.",
    "server_absent.next": (
        "Start it with “adb start-server” and try again. Without adb, use the cable directly: --transport usb."
    ),
    "server_address.what": "“{given}” is no ADB server of this computer.",
    "server_address.why": (
        "ADB_SERVER_SOCKET, ANDROID_ADB_SERVER_ADDRESS or ANDROID_ADB_SERVER_PORT says where it is. One on another "
        "computer would see all that is read of the phone."
    ),
    "server_address.next": "Unset these variables, or name a port of this computer: tcp:localhost:5037.",
    "server_said.what": "The ADB server of this computer could not pass the question on.",
    "server_said.why": "It says: {said}.",
    "server_said.next": (
        "Unplug the cable and plug it in again, then try again. Or use --transport usb after you have closed the "
        "programs that use adb."
    ),
    "several_phones.what": "More than one phone fits.",
    "several_phones.why": "Attached now: {phones}. In brackets: the end of the serial number.",
    "several_phones.next": "Unplug all phones but one, or say which one: --serial and the end of its serial number.",
    "silent.what": "The phone stopped answering.",
    "silent.why": "It may be busy, asleep or locked.",
    "silent.next": (
        "Unlock the phone, keep its screen on and try again. If that does not help, unplug the cable and plug it in "
        "again."
    ),
    "source_cut.what": "{path} is a zip file whose end is missing.",
    "source_cut.why": "It was not copied or downloaded to its end, or the disk was full.",
    "source_cut.next": "Copy it again from where you have it, or give another.",
    "source_missing.what": "{path} is not there.",
    "source_missing.why": "There is no file and no folder of this name.",
    "source_missing.next": "Check the name. To check a connected phone, give no name at all.",
    "source_unknown.what": "privaudit does not know what {path} is.",
    "source_unknown.why": (
        "It reads a saved check (.zip), a report (.json), an Android bug report (.zip or text), what AndroidQF "
        "collected, or a folder of text files."
    ),
    "source_unknown.next": (
        "If it is a text file that a phone printed, put it into a folder under its usual name and give the folder."
    ),
    "source_unreadable.what": "{path} could not be read.",
    "source_unreadable.why": "This computer says: {reason}.",
    "source_unreadable.next": "Copy it again from where you have it, or give another.",
    "too_much_output.what": "The phone gave far more than a phone needs to say.",
    "too_much_output.why": "Reading stopped at {megabytes} MB, to protect this computer.",
    "too_much_output.next": "Restart the phone and try again. If it happens again, please report it.",
    "too_slow.what": "The phone did not finish within {seconds} seconds.",
    "too_slow.why": "It may be busy, or have very many apps.",
    "too_slow.next": "Let the phone rest for a minute, keep its screen on and try again.",
    "transport_unknown.what": "“{given}” is no way to reach a phone.",
    "transport_unknown.why": "There are auto, usb, server and tcp:HOST[:PORT].",
    "transport_unknown.next": "Leave the option out: then privaudit finds the way itself.",
    "unauthorised.what": "The phone does not know this computer yet.",
    "unauthorised.why": "It answers a computer only after its owner has allowed it.",
    "unauthorised.next": (
        "Start the check with “privaudit audit”, unlock the phone and let the owner tap “Allow” there. If no "
        "question comes: revoke the USB debugging authorisations in the developer options, unplug the cable and plug "
        "it in again."
    ),
    "unknown_language.what": "privaudit does not speak “{given}” yet.",
    "unknown_language.why": "It speaks: {known}.",
    "unknown_language.next": "Choose one of these.",
    "waiting.what": "The phone asks its owner whether this computer may talk to it.",
    "waiting.why": "Nobody has answered on the phone yet, or “Cancel” was tapped: this cannot be told from here.",
    "waiting.next": (
        "Ask the owner to unlock the phone and to tap “Allow”. If no question is there: revoke the USB debugging "
        "authorisations in the developer options, unplug the cable and plug it in again."
    ),
    "user_missing.what": "The phone has no user {user}, or its apps cannot be read.",
    "user_missing.why": "The phone said: {said}.",
    "user_missing.next": "See which users there are with “privaudit audit”.",
    "windows_driver.what": "Windows has no driver for this phone.",
    "windows_driver.why": "Many newer phones need none; this one does.",
    "windows_driver.next": (
        "Install the USB driver of the phone's maker, or Google's USB driver. Then unplug the phone and plug it in "
        "again."
    ),
    # Workshops.
    "folder_damaged.what": "{path} cannot be read.",
    "folder_damaged.why": "It is none of the workshop's own files, or was changed or cut.",
    "folder_damaged.next": "Move it away and start again; what it counted is lost.",
    "folder_foreign.what": "The folder {path} holds other things.",
    "folder_foreign.why": "A workshop deletes what it no longer needs, so it wants a folder of its own.",
    "folder_foreign.next": "Give a new folder, or an empty one.",
    "folder_in_use.what": "Another workshop is running in {path}.",
    "folder_in_use.why": "Only one program at a time may give out codes and count in one folder.",
    "folder_in_use.next": (
        "Go on there, or give this one another folder. Their totals can be added: privaudit workshop FOLDER "
        "FOLDER --totals"
    ),
    "keep_changed.what": "Today's workshop in {path} was begun with --keep {keep}.",
    "keep_changed.why": "Its participants have agreed to that, and not to another.",
    "keep_changed.next": "Go on with --keep {keep}, or close it first and begin anew.",
    "keep_unknown.what": "“{given}” is nothing that a workshop can keep.",
    "keep_unknown.why": "It keeps one of {known}.",
    "keep_unknown.next": "Choose one of these, for instance --keep handout.",
    "kit_where.what": "It is not said where the kit goes.",
    "kit_where.why": "It is a few pages, so it wants one folder.",
    "kit_where.next": "For instance: privaudit workshop kit -o kit",
    "no_totals.what": "There are no counts in {path}.",
    "no_totals.why": "It is no folder of a workshop, or no phone was finished in it.",
    "no_totals.next": "Check the name of the folder.",
    "not_their_own.what": "{path} belongs to the workshop.",
    "not_their_own.why": (
        "The full report is for the phone's owner alone, and goes onto a stick or into a folder of their own."
    ),
    "not_their_own.next": "Give the folder of the owner's stick.",
    "one_workshop.what": "That is for totals, or for the kit.",
    "one_workshop.why": "A workshop runs in one folder and writes its pages there.",
    "one_workshop.next": "Leave out the other folders and -o or --json, or add --totals.",
    "rehearsal_mixed.what": "{path} holds a rehearsal, or real counts, and this is the other kind.",
    "rehearsal_mixed.why": "Counts of invented phones among real ones would be worth nothing.",
    "rehearsal_mixed.next": "Give another folder.",
    "totals_mixed.what": "Rehearsals and real workshops cannot be added.",
    "totals_mixed.why": "The phones of a rehearsal are invented.",
    "totals_mixed.next": "Leave the rehearsals out.",
    "cut_visit.what": "The phone went away before everything was read.",
    "cut_visit.why": (
        "The cable was pulled or moved, the hub lost its power, or the phone was restarted. Nothing of it is "
        "kept or counted."
    ),
    "cut_visit.next": "Check the cable, plug the phone in again, unlock it.",
    "visit_bug.what": "This phone could not be read: a mistake in privaudit ({kind}).",
    "visit_bug.why": "What this phone answers was not expected. The other phones are not affected.",
    "visit_bug.next": "Go on with the others. Please report it, without any data of the phone.",
}

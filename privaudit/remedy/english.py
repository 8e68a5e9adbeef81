"""What is said of a plan, of each change and of what became of it, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    # The plan.
    "title": "What would be changed on this phone",
    "title_undo": "What would be taken back on this phone",
    "phone": "{model}, {rom}, Android {android}",
    "nothing": "Nothing to change: what could be read of these apps is closed.",
    "nothing_undo": "Nothing to take back: all stands as it did before.",
    "order": (
        "In this order: roles, special access, permissions, then the app is ended. Each is read back, and all but"
        " uninstalling can be undone. Written demand next, uninstall last."
    ),
    "by_hand": "By hand, because no cable can do it:",
    "notes": "Before you decide:",
    "list_without": "$ settings put secure enabled_accessibility_services: the same list without this one",
    "undo_opens": "Taking back opens these doors again.",
    "of_user": "{app} (user {user})",
    # What a change closes.
    "role": "{what}: another app takes it over",
    "accessibility": "Accessibility off ({what})",
    "listener": "Notification access off ({what})",
    "special_op": "{what} off",
    "permission": "{what} off: of the group “{group}”",
    "force_stop": "End the app; it runs again when somebody opens it",
    "uninstall": "Uninstall, with all its data. This cannot be undone",
    "uninstall_system": "Uninstall for this user. It can be brought back, without its data",
    "default_sms": "Default SMS app",
    "default_phone": "Default phone app",
    "overlay": "Display over other apps",
    "usage": "Usage access",
    "install_packages": "Install unknown apps",
    "all_files": "All files access",
    "contacts": "Contacts",
    "sms": "SMS",
    "call_log": "Call logs",
    "phone_group": "Phone",
    # Why.
    "why_role": "As long as it holds this, it reads without any permission.",
    "why_accessibility": "With this it reads the screen, messages among it.",
    "why_listener": "With this it reads messages that appear as notifications.",
    "why_overlay": "With this it can lay pages over other apps.",
    "why_usage": "With this it sees which apps are used.",
    "why_install_packages": "With this it can bring other apps.",
    "why_all_files": "With this it reads exported contact files and photos.",
    "why_permission": "It is granted now.",
    "why_member": "It is granted now; one member of a group that stays open gives back the others.",
    "why_force_stop": "So that it stops working with what it has in memory.",
    "why_uninstall": "You asked for it with --uninstall.",
    # What may not work here.
    "gate_shut": "The phone says that “{word}” is off: it will be refused. Do not turn that on; tap by hand.",
    "gate_may": "This maker may refuse it unless “{word}” is on. Do not turn that on; tap by hand if it is refused.",
    "fixed_system": "The maker fixed it: it may be refused, or ignored without a word.",
    "fixed_policy": "A device policy fixed it (work or finance): it may be refused.",
    "old_app": (
        "The app is for Android 5 or older: revoking would do nothing, so it is blocked instead. Read back afterwards."
    ),
    "op_ignored": "Android 15 and 16 may ignore the block without a word. Read back afterwards.",
    "as_above": "As above.",
    "unverified": "Not tried on a real phone yet. Read back afterwards.",
    # Notes.
    "note_embeds": "“{app}” is a wallet or shop app that also offers loans: something else in it may stop working.",
    "note_unknown": "“{app}” is not recognised as a lending app. You named it, so it is in the plan.",
    "note_system": "“{app}” came with the phone: something else may stop working.",
    "note_owner": "“{app}” manages this phone, for work or by instalments. Ask a lawyer or legal aid first.",
    "note_shared": "“{app}” shares its permissions with other apps that you did not name: they would lose them too.",
    "note_user": "User {user} of the phone could not be read: a copy of the app there is not in the plan.",
    "note_ops": "App-ops could not be read: blocks beside the permissions are left alone.",
    # What became of it. These stand behind the change.
    "done": "done",
    "refused": "refused",
    "not_changed": "not changed: the phone said nothing, and nothing happened",
    "unread": "not known: it could not be read back",
    "undone": "taken back",
    "stays": "cannot be taken back",
    "result_closed": "Read again at {time}: {app}: {what} not allowed.",
    "result_open": "Read again at {time}: {app}: {what} can still be read.",
    "result_unknown": "Read again at {time}: {app}: whether {what} can be read is not known.",
    "instead": "What did not work, by hand:",
    "regrant": "Some phones give permissions back by themselves. Check again tomorrow: privaudit diff",
}

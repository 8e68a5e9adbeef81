"""Constants of the Android platform that more than one stage needs: uids, permission names, SDK levels.

A constant that one module alone needs stays there. `privaudit.virtual_phone` has its own: a test double that shared
these would share their mistakes.
"""

from typing import Final

PER_USER_RANGE: Final = 100_000
"""Uids of each Android user: uid = user id * this + app id (AOSP ``UserHandle.PER_USER_RANGE``)."""
FIRST_APP_ID: Final = 10_000
"""First app id of an installed app (AOSP ``Process.FIRST_APPLICATION_UID``). Lower ones belong to the system."""
MAX_PACKAGES: Final = 5000
"""More apps than any phone has. What a phone says of more of them is not read, so that an audit ends."""
PERMISSION_PREFIX: Final = "android.permission."
"""Namespace of the platform's permissions (AOSP ``core/res/AndroidManifest.xml``)."""

RUNTIME_PERMISSIONS_SDK: Final = 23
"""Android 6 (``VERSION_CODES.M``): permissions are granted at run time. An app with a lower target SDK is granted all
that it requests at installation."""
CALL_LOG_GROUP_SDK: Final = 28
"""Android 9 (``VERSION_CODES.P``): the call log has a permission group of its own. Before, it belongs to Phone (AOSP
``core/res/AndroidManifest.xml``, ``android.permission-group.CALL_LOG``)."""
ROLES_SDK: Final = 29
"""Android 10 (``VERSION_CODES.Q``): the default SMS and phone apps hold a role (AOSP ``RoleManagerService``)."""
PACKAGE_VISIBILITY_SDK: Final = 30
"""Android 11 (``VERSION_CODES.R``): an app with this target SDK sees only some of the installed apps (AOSP
``AppsFilter``). Every other app sees the list of all."""
OPS_FOLLOW_PERMISSION_SDK: Final = 35
"""Android 15: the app-op of a runtime permission follows the permission alone. Setting one is ignored without an error
(AOSP flag ``runtime_permission_appops_mapping_enabled``)."""

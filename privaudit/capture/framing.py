"""Lines that frame the parts of a bug report, or of a ``dumpsys`` of all services.

Before each service stand 79 dashes and ``DUMP OF SERVICE [CRITICAL |HIGH ]name:``; behind it, since Android 8, how long
it took and when it ended. Other parts stand below ``------ TITLE (command) ------``. A service that ends without a line
feed has the frame right behind its last word.

Sources: AOSP ``frameworks/native/cmds/dumpsys/dumpsys.cpp`` (``writeDumpHeader``, ``writeDump``, ``writeDumpFooter``),
``cmds/dumpstate/dumpstate.cpp`` (``RunDumpsysTextByPriority``, ``DurationReporter``), ``utils.c`` of Android 6.
"""

from __future__ import annotations

import re
from typing import Final

DASH_LINE: Final = b"-" * 79
SERVICE_HEADER: Final = re.compile(rb"DUMP OF SERVICE (?:CRITICAL |HIGH )?(\S{1,200}):")
"""The line below `DASH_LINE`. Group: the service."""
FOOTER_MARKER: Final = b"s was the duration of dumpsys "
"""Stands in each `SERVICE_FOOTER`."""
SERVICE_FOOTER: Final = re.compile(
    rb"(?s:(.*))-{9} [\d.,]{1,12}s was the duration of dumpsys (\S{1,200}?)"
    rb"(?:, ending at: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d))?"
)
"""Groups: what stands before it, the service, the phone's local time."""

TITLE_PREFIX: Final = b"------ "
SECTION_TITLE: Final = re.compile(rb"-{6} .{1,500} -{6}")
"""Of another part, or how long one took."""
PROPERTIES_TITLE: Final = re.compile(rb"-{6} SYSTEM PROPERTIES(?: \(getprop\))? -{6}")
TIMEOUT_MARKER: Final = b"(killing pid "
TIMEOUT_LINE: Final = re.compile(rb"\*\*\* .{1,200}[Tt]imed out after [\d.,]{1,12}s \(killing pid \d{1,9}\)$")
"""What ``dumpstate`` writes behind the output of a command that took too long."""

DUMPSTATE_PREFIX: Final = b"== dumpstate: "
DUMPSTATE_HEADER: Final = re.compile(rb"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
"""Of the whole report. Group: the phone's local time."""

PACKAGE_BLOCK_PREFIX: Final = b"  Package ["
PACKAGE_BLOCK: Final = re.compile(rb"  Package \[[^\]]{1,300}\] \([0-9a-f]{1,16}\):")
"""The first line of an app in ``dumpsys package``; it stands nowhere else."""

DUMPSYS_PREAMBLE: Final = re.compile(
    rb"(?:Service host process PID: \d+|Client PIDs: [\d, ]*|Threads in use: \d+/\d+)\r*\n"
)
"""Lines that ``dumpsys`` itself puts above a dump, since Android 12."""

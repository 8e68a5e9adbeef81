"""``dumpsys appops`` in the layouts of Android 6 to 16, ages, uids, and text that imitates Android's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from privaudit import facts
from privaudit.dumpsys import appops
from privaudit.dumpsys.appops import parse_event_age, parse_uid
from privaudit.model import AnswerState, DataClass, History

# --- the four layouts: the same state, as each release prints it -----------------------------------------------------

A = """Current AppOps Service state:
  Op mode watchers:
    Op READ_CONTACTS:
      #0: com.android.server.AppOpsService$Callback@2070e48

  Uid u0a85:
      COARSE_LOCATION: mode=1
    Package com.x:
      READ_CONTACTS: mode=0; time=+49m49s517ms ago; rejectTime=+318d17h53m40s180ms ago; duration=+1s2ms
      CAMERA: mode=2; time=+1h2m ago (running)
"""
B = """Current AppOps Service state:
  Uid u0a85:
    state=cch\x20\x20
      COARSE_LOCATION: mode=ignore
    Package com.x:
      READ_CONTACTS (allow):\x20
          Access: top   = 2018-10-01 13:01:02.345 (-49m49s517ms)
                  pers  = 2018-10-02 13:01:02.345 (-1h50m)
          Reject: bg    = 2018-10-02 13:01:02.345 (-318d17h53m40s180ms)
          duration=+1s2ms
      CAMERA (deny):\x20
          Running start at: +5s
          startNesting=2
          Access: top   = 2018-10-01 13:01:02.345 (-1h2m)
"""
C = """Current AppOps Service state:
  Uid u0a85:
    state=cch
      COARSE_LOCATION: mode=ignore
    Package com.x:
      READ_CONTACTS (allow):\x20
          Access: [fg-s] 2021-05-19 22:02:49.186 (-49m49s517ms) duration=+33ms proxy[uid=10174, pkg=com.y]
          Access: [bg-s] 2021-05-19 21:02:49.186 (-1h50m)
          Reject: [cch-s]2022-03-29 18:48:02.923 (-318d17h53m40s180ms)
      CAMERA (deny):\x20
          Access: [fg-s|tpd] 2021-05-19 22:02:49.186 (-1h2m)
"""
D = """Current AppOps Service state:
  Settings:
    top_state_settle_time=+5s0ms

  Uid u0a85:
    state=cch
    capability=------
    appWidgetVisible=false
    foregroundOps:
      FINE_LOCATION: WATCHER
    hasForegroundWatchers=false
      COARSE_LOCATION: mode=ignore
    Package com.x:
      READ_CONTACTS (allow):\x20
        some_tag=[
          Access: [bg-s] 2026-04-30 12:56:01.880 (-1h50m)
        ]
        null=[
          Access: [top-tpd] 2026-04-30 12:56:01.880 (-49m49s517ms) proxy[uid=1, pkg=y, attributionTag=z]
          Reject: [cch-s]2022-03-29 18:48:02.923 (-318d17h53m40s180ms)
        ]
        empty=[
        ]
      CAMERA (deny / switch CAMERA=deny):\x20
        null=[
          Access: [fg-s|tpd] 2021-05-19 22:02:49.186 (-1h2m)
        ]

"""
# EMUI 5 breaks the header of a package over three lines.
EMUI = A.replace("Package com.x:", "Package com.x isPrivileged: \nfalse needSyncPriv:\nfalse :")
MIUI = D.replace("foregroundOps:\n      FINE_LOCATION: WATCHER", "x=y").replace(
    "      CAMERA", "      MIUIOP(10029) (ignore): \n      MIUIOP(10008) (ask): \n      CAMERA"
)


def _doubtful(dump):
    return [uid for uid, ops in dump.uids.items() if ops.is_doubtful]


@pytest.mark.parametrize("text", [A, B, C, D, EMUI, MIUI], ids=["A", "B", "C", "D", "EMUI", "MIUI"])
def test_every_layout_gives_the_same_ops(text):
    dump = appops.parse_appops(text)
    uid = dump.uids[10085]
    ops = uid.packages["com.x"]
    assert {name: mode for name, (mode, _) in uid.uid_modes.items()} == {"COARSE_LOCATION": "ignore"}
    assert (ops["READ_CONTACTS"].mode, ops["CAMERA"].mode) == ("allow", "deny")
    assert ops["READ_CONTACTS"].last_access.age == timedelta(minutes=49, seconds=49, milliseconds=517)
    assert ops["READ_CONTACTS"].last_reject.age == timedelta(
        days=318, hours=17, minutes=53, seconds=40, milliseconds=180
    )
    assert ops["CAMERA"].last_access.age == timedelta(hours=1, minutes=2)
    assert (_doubtful(dump), dump.unparsed_lines) == ([], 0)
    for name, op in ops.items():
        assert name in text[op.offset :].partition("\n")[0] or "MIUIOP" in text[op.offset :].partition("\n")[0]


@pytest.mark.parametrize(
    ("printed", "op", "mode"),
    [
        ("OP_READ_PHONE_STATE: mode=0", "READ_PHONE_STATE", "allow"),  # Android 6
        ("READ_CONTACTS: mode=3", "READ_CONTACTS", "default"),
        ("READ_CONTACTS: mode=4", "READ_CONTACTS", "ask"),  # MIUI, up to Android 9
        ("READ_CONTACTS (foreground): ", "READ_CONTACTS", "foreground"),
        ("READ_CONTACTS (ask): ", "READ_CONTACTS", "ask"),
        ("MIUIOP(10028) (ignore): ", "READ_SMS_REAL", "ignore"),
        ("READ_ICC_SMS (allow / switch READ_SMS=ignore): ", "READ_ICC_SMS", "ignore"),
    ],
)
def test_modes_are_parsed_by_number_and_by_name(printed, op, mode):
    dump = appops.parse_appops(f"  Uid u0a1:\n    Package a.b:\n      {printed}\n")
    assert dump.uids[10001].packages["a.b"][op].mode == mode
    assert dump.unparsed_lines == 0


@pytest.mark.parametrize("printed", ["READ_CONTACTS (mode=7): ", "READ_CONTACTS (maybe): ", "READ_CONTACTS: mode=9"])
def test_unknown_mode_is_not_allow(capture_of, printed):
    text = f"  Uid u0a1:\n    Package a.b:\n      {printed}\n\n"
    dump = appops.parse_appops(text)
    assert dump.unparsed_lines == 1
    assert dump.uids[10001].packages["a.b"]["READ_CONTACTS"].mode not in {"allow", "default"}


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("1000", 1000), ("u0a0", 10000), ("u0a85", 10085), ("u10a123", 1010123), ("u999a1", 99910001),
        ("u0i5", None), ("u0ai5", None), ("u10s1000", None), ("x", None), ("9" * 5000, None),
        ("u0a" + "9" * 5000, None),
    ],
)  # fmt: skip
def test_parse_uid(word, number):
    assert parse_uid(word) == number


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("0", timedelta()),
        ("+5ms", timedelta(milliseconds=5)),
        ("-4d5h33m59s857ms", timedelta(days=4, hours=5, minutes=33, seconds=59, milliseconds=857)),
        ("+1m0s0ms", timedelta(minutes=1)),
        ("+318d17h53m40s180ms", timedelta(days=318, hours=17, minutes=53, seconds=40, milliseconds=180)),
        ("", None), ("+", None), ("5", None), ("+5", None), ("+5x", None), ("+999999999d", timedelta(days=999999999)),
        ("+9999999999d", None), ("+" + "9" * 5000 + "d", None),
    ],
)  # fmt: skip
def test_parse_event_age(word, expected):
    assert parse_event_age(word) == expected


def test_mode_directly_below_a_uid_is_its_uid_mode():
    dump = appops.parse_appops("  Uid u0a1:\n      READ_SMS: mode=1\n    Package a.b:\n      READ_SMS: mode=0\n")
    assert dump.uids[10001].uid_modes["READ_SMS"][0] == "ignore"
    assert dump.uids[10001].packages["a.b"]["READ_SMS"].mode == "allow"


@pytest.mark.parametrize(
    ("behind", "ends"),
    [
        ("", False),
        ("\n", True),
        ("  User restrictions:\n", True),
        ("  Ui", False),
        ("  Uid u0a9:", False),
        ("\n\n", True),
    ],
)
def test_reached_end_only_after_the_last_uid(behind, ends):
    assert appops.parse_appops(f"  Uid u0a1:\n    Package a.b:\n      READ_SMS (allow): \n{behind}").reached_end == ends


# --- attribution tags are an app's own text --------------------------------------------------------------------------

DUMP = """Current AppOps Service state:
  Uid u0a60:
    state=cch
    Package com.attacker.app:
      READ_CONTACTS (allow):\x20
        {tag}=[
          Access: [top-s] 2026-01-09 12:00:00.000 (-1d)
        ]
        null=[
          Access: [top-s] 2026-01-10 12:00:00.000 (-1h)
        ]
      READ_SMS (ignore):\x20
        null=[
          Access: [top-s] 2026-01-10 12:00:00.000 (-2h)
        ]
  Uid u0a61:
    Package com.victim.app:
      CAMERA (allow):\x20

"""
TAGS = {
    "a line break": "x\ny",
    "a blank and a break": " \ny",
    "a closed tag": "x=[\n        ]\n        y",
    "another package": "x\n    Package com.victim.app:\n      READ_SMS (allow): \n        y",
    "another package, closed": "x=[\n        ]\n    Package com.victim.app:\n      GPS (allow): \n        y",
    "another package, a blank before": " x\n    Package com.victim.app:\n      GPS (allow): \n        y",
    "another package without an op": "x=[\n        ]\n    Package com.victim.app:\n        y",
    "the same package": "x=[\n        ]\n    Package com.attacker.app:\n      GPS (allow): \n        y",
    "another uid": "x=[\n        ]\n  Uid u0a99:\n      READ_CONTACTS: mode=ignore\n        y",
    "the victim's uid": "x=[\n        ]\n  Uid u0a61:\n    Package com.victim.app:\n      GPS (allow): \n        y",
    "no uid": "\n  Uid u0a99:\n      READ_SMS: mode=allow",
    "another part": "x=[\n        ]\n  User restrictions:\n        y",
    "the same op": "x=[\n        ]\n      READ_CONTACTS (ignore): \n        y",
    "an op that follows": "x=[\n        ]\n      READ_SMS (allow): \n        y",
    "an op of Android 6": "x=[\n        ]\n      READ_CALL_LOG: mode=0; time=+1s ago\n        y",
    "an op of its own": "x=[\n        ]\n      WRITE_CONTACTS (allow): \n        y",
    "an access": "x=[\n          Access: [top-s] 2026-01-10 12:00:00.000 (-1s)\n        ]\n        y",
}
HARMLESS = {"a closed tag", "an access", "an op of its own"}
"""An app can forge only its own events. What it hides becomes unknown, never "no record"."""


@pytest.mark.parametrize("tag", TAGS)
def test_forged_attribution_tag_is_detected(capture_of, tag):
    block = "  Package [{0}] (1):\n    userId={1}\n    User 0: installed=true\n"
    blocks = block.format("com.attacker.app", 10060) + block.format("com.victim.app", 10061)
    texts = {"appops": DUMP.format(tag=TAGS[tag]), "packages": f"Packages:\n{blocks}\nPackage Changes:\n"}
    gathered = facts.gather_facts(capture_of(texts))
    attacker, victim = gathered.apps
    row = next(row for row in gathered.coverage if row.question == "appops")
    noticed = row.state is AnswerState.UNREADABLE or row.unparsed_lines > 0
    assert noticed == (tag not in HARMLESS)
    # Never "no record" of what was recorded, and nothing about the other app.
    assert attacker.access[DataClass.CONTACTS].history is not History.NO_RECORD
    assert attacker.access[DataClass.SMS].history is not History.NO_RECORD
    for access in victim.access.values():
        assert (access.last_read, access.history is History.RECORDED) == (None, False)
    assert all(permission.mode is None for permission in victim.permissions)


@pytest.mark.parametrize("tag", ["null", "my_tag", "音声", "a b", "a=[b", "Access: ", "READ_SMS (allow):"])
def test_genuine_attribution_tags_are_not_forged(tag):
    dump = appops.parse_appops(DUMP.format(tag=tag))
    ops = dump.uids[10060].packages["com.attacker.app"]
    assert ops["READ_CONTACTS"].last_access.age == timedelta(hours=1)
    assert (_doubtful(dump), dump.unparsed_lines, dump.reached_end) == ([], 0, True)


@pytest.mark.parametrize(
    "text",
    [
        "  Uid u0a1:\n  Uid u0a1:\n",
        "  Uid u0a1:\n    Package a.b:\n    Package a.b:\n",
        "  Uid u0a1:\n    Package a.b:\n      CAMERA (allow): \n      CAMERA (ignore): \n",
        "  Uid u0a1:\n      CAMERA: mode=ignore\n      CAMERA: mode=allow\n",
        "  Uid u0a1:\n    Package a.b:\n      CAMERA (allow): \n      GPS: mode=ignore\n",
        "  Uid u0a1:\n    Package a.b:\n          Access: [top-s] 2026-01-10 12:00:00.000 (-1s)\n",
    ],
)
def test_repeated_uid_package_or_op_is_forged(text):
    assert _doubtful(appops.parse_appops(text))


@pytest.mark.parametrize(
    "text",
    [
        "  Uid x:\n",
        "  Uid u0a1:\n    Package a b:\n",
        "  Uid u0a1:\n      CAMERA\n",
        "  Uid u0a1:\n    Package a.b:\n      CAMERA\n",
        "  Uid u0a1:\n    Package a.b:\n      CAMERA (allow): \n          Access: when?\n",
        "  Uid u0a1:\n  x\n    Package a.b:\n",
        "  Uid u0a1:\n    Package a.b:\n  x\n      READ_CONTACTS: mode=1; time=+1d ago\n",
        "  Uid u0a1:\n    Package a.b:\n  x\n      READ_CONTACTS (ignore): \n",
    ],
)
def test_unparsed_lines_are_counted(text):
    assert appops.parse_appops(text).unparsed_lines > 0


@pytest.mark.parametrize("text", [" ", "a", "Access: ", "a "])
def test_a_line_as_long_as_a_tag_of_android_11_is_read_once(text):
    """Its time was the square of its length: 200,000 blanks took hours."""
    line = " " * 10 + text * (200_000 // len(text))
    dump = appops.parse_appops(f"  Uid u0a1:\n    Package a.b:\n      CAMERA (allow): \n{line}\n")
    assert dump.unparsed_lines == 1

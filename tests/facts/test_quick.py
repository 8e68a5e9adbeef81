"""What is passed over quickly is read just as if every line were looked at closely, in sound texts and damaged ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys import appops, package_checks
from privaudit.dumpsys.appops import AppOpsLineParser as OpsReader
from privaudit.dumpsys.package_model import PackageDump
from privaudit.dumpsys.package_parser import PackageDumpParser, PackageLineParser
from privaudit.facts.apps import RELEVANT_OPS
from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump
from tests.facts.conftest import NOW

ROUNDS = 12
FORGED = (
    "Packages:", "Hidden system packages:", "Package Changes:", "  Package [a.b] (1):", "    install permissions:",
    "    User 0: installed=true hidden=false", "      runtime permissions:", "      gids=[1]", "    pkgFlags=[ X ]",
    "        android.permission.READ_SMS: granted=false", "      android.permission.READ_SMS: granted=false, userId=10",
    "    x=y", "      x=: granted=true", "", "        null=[", "        ]", "        x=[", "  Uid u0a1:",
    "    Package a.b:", "      READ_SMS (allow): ", "      READ_SMS: mode=4", "      READ_SMS: mode=ignore",
    "          Access: [top-s] 2026-01-01 00:00:00.000 (-1h)",
)  # fmt: skip


def damaged(text, dice):
    """`text` with lines of its own and forged ones where they do not belong."""
    lines = text.split("\n")
    for _ in range(dice.randrange(5)):
        at, other = dice.randrange(len(lines)), dice.choice(lines)
        match dice.randrange(5):
            case 0:
                del lines[at : at + dice.choice((1, 5))]
            case 1:
                lines.insert(at, other)
            case 2:
                lines.insert(at, dice.choice(FORGED))
            case 3:
                lines[at] = " " * dice.randrange(12) + lines[at].strip()
            case 4:
                lines[at] += dice.choice((" ", "\r", "=x", ": granted=true", ", userId=10"))
        lines = lines or [""]
    return "\n".join(lines)


def walked(text, offset, reader):
    """`reader` after every line from `offset` on, one by one."""
    for line in text[offset:].split("\n"):
        if line:
            reader.line(line, offset)
        offset += len(line) + 1
    return reader


def blocks(dump):
    """`dump` and where each permission stands."""
    every = [*dump.packages.values(), *dump.hidden.values(), *dump.shared_users.values()]
    lists = [grants for block in every for grants in (block.install, *block.install_permissions_by_user.values())]
    lists += [state.runtime_permissions for block in every for state in block.users.values()]
    return dump, [grants.offsets for grants in lists]


@pytest.mark.parametrize("wanted", [None, frozenset(PERMISSIONS)], ids=["all", "named"])
def test_dumps_of_packages(phone, wanted):
    dice = random.Random(1)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(package_dump.format_package_dump(phone), dice)
        start = text.find("Packages:\n")
        start = text.find("Packages:") if start < 0 else start
        quick = PackageDumpParser(PackageDump(), wanted)
        quick.parse_text(text, start)
        closely = walked(text, start, PackageLineParser(PackageDump(), wanted))
        closely.dump.unparsed_lines += closely.section_parser.unparsed_lines
        closely.dump.unread_grants = closely.section_parser.count_unread_grants(text)
        if closely.current_block is not None and closely.current_block.users:
            closely.end_block()
        assert blocks(quick.dump) == blocks(closely.dump)
        assert quick.seen_field_names == closely.seen_field_names


@pytest.mark.parametrize("wanted", [None, RELEVANT_OPS], ids=["all", "named"])
def test_dumps_of_app_ops(phone, wanted):
    dice = random.Random(2)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(render_appops.format_appops_dump(phone, NOW), dice)
        quick, closely = appops.parse_appops(text, wanted), walked(text, 0, OpsReader(wanted)).dump
        if closely.forged_name is None:
            assert replace(quick, ends=False) == closely
        assert (quick.forged_name is None) == (closely.forged_name is None)


def test_what_was_read_is_not_changed_by_the_check(borrower):
    text = package_dump.format_package_dump(borrower)
    dump = package_checks.parse_package_dump(text)
    assert package_checks.check_consistency(dump, requested_package="com.example").forged_name is not None
    assert dump.forged_name is None

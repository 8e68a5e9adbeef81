"""The fast path of a parser gives what parsing line by line gives, in intact dumps and damaged ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.appops import AppOpsParser, parse_appops
from privaudit.dumpsys.package_checks import check_consistency
from privaudit.dumpsys.package_parser import PackageDumpParser, parse_package_dump
from privaudit.facts.apps import RELEVANT_OPS
from privaudit.virtual_phone.dump_writers import appops as appops_writer
from privaudit.virtual_phone.dump_writers import package_dump
from tests.fixtures.captures import NOW

ROUNDS = 12
FORGED = (
    "Packages:", "Hidden system packages:", "Package Changes:", "  Package [a.b] (1):", "    install permissions:",
    "    User 0: installed=true hidden=false", "      runtime permissions:", "      gids=[1]", "    pkgFlags=[ X ]",
    "        android.permission.READ_SMS: granted=false", "      android.permission.READ_SMS: granted=false, userId=10",
    "    x=y", "      x=: granted=true", "", "        null=[", "        ]", "        x=[", "  Uid u0a1:",
    "    Package a.b:", "      READ_SMS (allow): ", "      READ_SMS: mode=4", "      READ_SMS: mode=ignore",
    "          Access: [top-s] 2026-01-01 00:00:00.000 (-1h)",
)  # fmt: skip


def damaged(text, rng):
    """Return `text` with lines deleted, moved, forged, reindented or extended."""
    lines = text.split("\n")
    for _ in range(rng.randrange(5)):
        at, other = rng.randrange(len(lines)), rng.choice(lines)
        match rng.randrange(5):
            case 0:
                del lines[at : at + rng.choice((1, 5))]
            case 1:
                lines.insert(at, other)
            case 2:
                lines.insert(at, rng.choice(FORGED))
            case 3:
                lines[at] = " " * rng.randrange(12) + lines[at].strip()
            case 4:
                lines[at] += rng.choice((" ", "\r", "=x", ": granted=true", ", userId=10"))
        lines = lines or [""]
    return "\n".join(lines)


def parse_lines(parser, text, offset):
    """Let `parser` examine every line from `offset` on, one by one, without the fast path."""
    for line in text[offset:].split("\n"):
        if line:
            parser.parse_line(line, offset)
        offset += len(line) + 1
    return parser


def with_offsets(dump):
    """Return `dump` and the offset of each permission line, which comparing the tables leaves out."""
    blocks = [*dump.packages.values(), *dump.hidden.values(), *dump.shared_users.values()]
    tables = [
        grants
        for block in blocks
        for grants in (block.install_permissions, *block.install_permissions_by_user.values())
    ]
    tables += [state.runtime_permissions for block in blocks for state in block.users.values()]
    return dump, [grants.offsets for grants in tables]


@pytest.mark.parametrize("kept_permissions", [None, frozenset(PERMISSIONS)], ids=["all", "named"])
def test_package_dump_is_parsed_like_its_single_lines(phone, kept_permissions):
    rng = random.Random(1)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(package_dump.format_package_dump(phone), rng)
        start = text.find("Packages:\n")
        start = text.find("Packages:") if start < 0 else start
        fast = PackageDumpParser(kept_permissions)
        fast.parse_text(text, start)
        slow = parse_lines(PackageDumpParser(kept_permissions), text, start)
        slow.finish()
        assert with_offsets(fast.dump) == with_offsets(slow.dump)
        assert fast.seen_field_names == slow.seen_field_names


@pytest.mark.parametrize("kept_ops", [None, RELEVANT_OPS], ids=["all", "named"])
def test_appops_dump_is_parsed_like_its_single_lines(phone, kept_ops):
    rng = random.Random(2)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(appops_writer.format_appops_dump(phone, NOW), rng)
        fast, slow = parse_appops(text, kept_ops), parse_lines(AppOpsParser(kept_ops), text, 0).dump
        assert replace(fast, reached_end=False) == slow


def test_check_consistency_does_not_change_the_parsed_dump(borrower):
    dump = parse_package_dump(package_dump.format_package_dump(borrower))
    assert check_consistency(dump, requested_package="com.example").doubtful
    assert not dump.doubtful

"""What is passed over quickly is read just as if every line were looked at closely, in sound texts and damaged ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from privaudit.capture.questions import PERMISSIONS
from privaudit.demo.render import appops as render_appops
from privaudit.demo.render import package_dump
from privaudit.facts import appops, packages
from privaudit.facts.appops_reader import Reader as OpsReader
from privaudit.facts.apps import OPS
from privaudit.facts.package_blocks import Dump
from privaudit.facts.package_reader import Reader
from privaudit.facts.package_walk import Walk
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
    lists = [grants for block in every for grants in (block.install, *block.install_for.values())]
    lists += [state.runtime for block in every for state in block.users.values()]
    return dump, [grants.offsets for grants in lists]


@pytest.mark.parametrize("wanted", [None, frozenset(PERMISSIONS)], ids=["all", "named"])
def test_dumps_of_packages(phone, wanted):
    dice = random.Random(1)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(package_dump.whole(phone), dice)
        start = text.find("Packages:\n")
        start = text.find("Packages:") if start < 0 else start
        quick = Walk(Dump(), wanted)
        quick.read(text, start)
        closely = walked(text, start, Reader(Dump(), wanted))
        closely.dump.unparsed += closely.lists.unparsed
        closely.dump.lost = closely.lists.lost(text)
        if closely.block is not None and closely.block.users:
            closely.leave()
        assert blocks(quick.dump) == blocks(closely.dump)
        assert quick.words == closely.words


@pytest.mark.parametrize("wanted", [None, OPS], ids=["all", "named"])
def test_dumps_of_app_ops(phone, wanted):
    dice = random.Random(2)  # noqa: S311 - the same in every run
    for _ in range(ROUNDS):
        text = damaged(render_appops.dump(phone, NOW), dice)
        quick, closely = appops.parse(text, wanted), walked(text, 0, OpsReader(wanted)).dump
        if closely.forged is None:
            assert replace(quick, ends=False) == closely
        assert (quick.forged is None) == (closely.forged is None)


def test_what_was_read_is_not_changed_by_the_check(borrower):
    text = package_dump.whole(borrower)
    dump = packages.read(text)
    assert packages.checked(dump, only="com.example").forged is not None
    assert dump.forged is None

"""Reports that a person can read, kept as files. What changes in them is a difference to be read.

``pytest --refresh-golden`` writes them anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from privaudit.language import Language
from privaudit.report import json, txt

HERE = Path(__file__).parent


def _settled(report):
    """`report` without what changes with every list and every release."""
    signatures = replace(report.knowledge.signatures, sha256="0" * 64)
    return replace(
        report,
        tool=replace(report.tool, version="0"),
        knowledge=replace(report.knowledge, signatures=signatures),
    )


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("borrower.en.txt", lambda report: txt.render(report, Language("en"))),
        ("borrower.zh.txt", lambda report: txt.render(report, Language("zh"))),
        ("borrower.json", json.render),
    ],
)
def test_the_demo_s_report_is_as_it_was(demo_report, request, name, write):
    now, file = write(_settled(demo_report)), HERE / name
    if request.config.getoption("--refresh-golden"):
        file.write_text(now, encoding="utf-8", newline="\n")
    assert now.splitlines() == file.read_text(encoding="utf-8").splitlines(), "changed: see --refresh-golden"

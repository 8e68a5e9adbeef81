"""Reports that a person can read, kept as files. What changes in them is a difference to be read.

``pytest --refresh-golden`` writes them anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from privaudit.i18n import Translator
from privaudit.report import json, terminal, txt
from privaudit.virtual_phone import scenario_names

HERE = Path(__file__).parent


def _settled(report):
    """`report` without what changes with every list and every release."""
    signatures = replace(report.knowledge.signatures, sha256="0" * 64)
    return replace(
        report,
        tool=replace(report.tool, version="0"),
        knowledge=replace(report.knowledge, signatures=signatures),
    )


def _compare(request, now, name):
    file = HERE / name
    if request.config.getoption("--refresh-golden"):
        file.write_text(now, encoding="utf-8", newline="\n")
    assert now.splitlines() == file.read_text(encoding="utf-8").splitlines(), "changed: see --refresh-golden"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("story", scenario_names())
def test_every_story_s_report_is_as_it_was(report_of, request, story, language):
    _compare(request, txt.render(_settled(report_of(story)), Translator(language)), f"{story}.{language}.txt")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("story", scenario_names())
def test_every_story_s_short_report_is_as_it_was(report_of, request, story, language):
    lines = terminal.styled_lines(_settled(report_of(story)), Translator(language), txt.DEFAULT_WIDTH)
    _compare(request, "".join(f"{line.text}\n" for line in lines), f"{story}.short.{language}.txt")


def test_the_borrower_s_document_is_as_it_was(demo_report, request):
    """Of one story: it holds every fact, and the sheets of the others differ only in facts."""
    _compare(request, json.render(_settled(demo_report)), "borrower.json")

"""The demo's APKs, and the line over which they are read."""

from __future__ import annotations

import zipfile
from importlib import resources

import pytest

from privaudit.virtual_phone import apks, open_story, stories
from privaudit.virtual_phone.adbd.line import Line
from privaudit.virtual_phone.programs import files


@pytest.mark.parametrize("story", stories())
def test_every_app_has_one(story):
    """Where this fails, run tools/build_demo_apks.py."""
    phone = open_story(story)
    found = files(phone)
    for app in phone.apps:
        for copy in (app, app.factory):
            if copy is not None:
                assert found[copy.apk] == apks.bundle()[apks.name(copy)]


def test_none_is_left_over_and_all_are_small():
    wanted = {
        apks.name(c) for s in stories() for app in open_story(s).apps for c in (app, app.factory) if c is not None
    }
    assert set(apks.bundle()) == wanted
    file = resources.files("privaudit.virtual_phone.apks") / "apks.zip"
    assert len(file.read_bytes()) < 1 << 20
    with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_line_takes_its_time():
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    line = Line(1000, 0.5, clock=lambda: now[0], sleep=sleep)
    line.pass_through(2000, line.now())
    assert slept == [2.5]
    # What set out earlier, behind it: the line was free again when the last byte had left.
    line.pass_through(1000, 100.0)
    assert slept == [2.5, 1.0]
    line.pass_through(0, line.now())
    assert slept == [2.5, 1.0, 0.5]


def test_a_line_without_limits_takes_none():
    def never(_):
        raise AssertionError

    Line(sleep=never).pass_through(1 << 30, 0.0)
    Line(1000, clock=lambda: 50.0, sleep=never).pass_through(1000, 0.0)

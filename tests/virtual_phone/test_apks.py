"""The demo's APKs, and the line over which they are read."""

from __future__ import annotations

import zipfile
from importlib import resources

import pytest

from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.adbd.wire import SimulatedLink
from privaudit.virtual_phone.programs import apk_entry_name, build_files, load_apks


@pytest.mark.parametrize("scenario", scenario_names())
def test_every_app_has_an_apk(scenario):
    """Where this fails, run tools/build_demo_apks.py."""
    phone = load_scenario(scenario)
    found = build_files(phone)
    for app in phone.apps:
        for copy in (app, app.factory):
            if copy is not None:
                assert found[copy.apk_path] == load_apks()[apk_entry_name(copy)]


def test_bundle_holds_only_used_apks_and_is_small():
    wanted = {
        apk_entry_name(c)
        for s in scenario_names()
        for app in load_scenario(s).apps
        for c in (app, app.factory)
        if c is not None
    }
    assert set(load_apks()) == wanted
    file = resources.files("privaudit.virtual_phone") / "apks.zip"
    assert len(file.read_bytes()) < 1 << 20
    with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_link_delays_by_bandwidth_and_latency():
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    line = SimulatedLink(1000, 0.5, clock=lambda: now[0], sleep=sleep)
    line.wait_for_transfer(2000, line.now())
    assert slept == [2.5]
    # What set out earlier, behind it: the line was free again when the last byte had left.
    line.wait_for_transfer(1000, 100.0)
    assert slept == [2.5, 1.0]
    line.wait_for_transfer(0, line.now())
    assert slept == [2.5, 1.0, 0.5]


def test_unlimited_link_does_not_sleep():
    def never(_):
        raise AssertionError

    SimulatedLink(sleep=never).wait_for_transfer(1 << 30, 0.0)
    SimulatedLink(1000, clock=lambda: 50.0, sleep=never).wait_for_transfer(1000, 0.0)

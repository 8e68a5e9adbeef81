"""`privaudit open`: which pages are tried, how a failure is recognised, and what is printed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from privaudit import roms
from privaudit.model import Reply
from privaudit.revocation import apply, settings_page
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice

APP = "com.example.sudaibao"


@contextmanager
def phone_of(sdk=34, *, programs_changed=(), **properties):
    told = load_scenario("borrower")
    device = MutableDevice(
        replace(told, sdk=sdk, properties={**told.properties, "ro.build.version.sdk": str(sdk), **properties})
    )
    table = {**build_programs(device), **dict(programs_changed)}
    with AdbdServer(programs=table, files=build_files(told), key_policy=KeyPolicy(required=False)) as phone:
        yield phone, device


def opened(run, phone, *words, **variables):
    return run("open", *words, "--transport", f"tcp:{phone.address}", **variables)


def test_open_shows_a_page_and_prints_the_steps(run):
    with phone_of() as (phone, device):
        before = device.phone
        done = opened(run, phone, "permissions", APP)
    assert done.code == 0, done.err
    assert device.opened_pages == ["android.intent.action.MANAGE_APP_PERMISSIONS"]
    assert device.phone == before
    assert done.out.split("\n")[3:5] == ["  Tap “速贷宝”.", "  Tap “Permissions”."]
    assert "[" not in done.out
    assert "should now show: Permissions" in done.err


@pytest.mark.parametrize("page", [page for page in roms.list_openable_pages() if not roms.page_needs_app(page)])
def test_a_page_of_the_phone_needs_no_app(run_open, page):
    device, (shown,) = run_open([page], 34, package=None)
    assert shown.page == page
    assert len(device.opened_pages) == 1


def test_usb_debugging_opens_without_an_app(run):
    with phone_of() as (phone, device):
        done = opened(run, phone, "usb_debugging")
    assert done.code == 0, done.err
    assert device.opened_pages == ["android.settings.APPLICATION_DEVELOPMENT_SETTINGS"]
    assert "USB debugging" in done.err


@pytest.mark.parametrize("name", ["速贷宝", "速 贷宝", "com.example.sudaibao"])
def test_an_app_is_opened_by_its_label(run, name):
    with phone_of() as (phone, _):
        done = opened(run, phone, "permissions", name, "--lang", "zh")
    assert done.code == 0, done.err
    assert any(f"package:{APP}" in line or APP in line for line in phone.commands if line.startswith("am start"))
    assert "“速贷宝”" in done.out


@pytest.mark.parametrize("sdk", [30, 34, 36])
def test_every_page_opens_something_and_changes_nothing(run_open, sdk):
    device, shown = run_open(roms.list_openable_pages(), sdk)
    assert [page for page in shown if page.page is None] == []
    assert len(device.opened_pages) == len(roms.list_openable_pages())
    # What stock Android has under these names opens at once; only the history is younger than Android 11.
    missed = {
        page for page, opened_page in zip(roms.list_openable_pages(), shown, strict=True) if opened_page.page != page
    }
    assert missed == ({"history"} if sdk == 30 else set())


@pytest.fixture
def run_open(key):
    from privaudit.revocation import state
    from privaudit.transport import connect

    def run_one(wanted, sdk, *, package=APP, **properties):
        with (
            phone_of(sdk, **properties) as (phone, device),
            connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=key) as connection,
        ):
            before = device.phone
            found = state.read_phone(connection)
            shown = [settings_page.open_page(connection, found, page, package, 0) for page in wanted]
            assert device.phone == before
            assert all(line.startswith("am start -W --user 0 ") for line in phone.commands[1:])
        return device, shown

    return run_one


def test_details_page_opens_where_the_shell_lacks_permission(run_open):
    properties = {"ro.build.version.oplusrom": "V14.0.0"}
    device, (shown,) = run_open(["permissions"], 34, **properties)
    assert shown.page == "app_info"
    assert device.opened_pages == ["android.settings.APPLICATION_DETAILS_SETTINGS"]
    assert any("unable to resolve" in error for error in shown.errors)
    assert any("Permission Denial" in error for error in shown.errors)


def test_miui_page_is_tried_first(run_open):
    device, (shown,) = run_open(["permissions"], 34, **{"ro.miui.ui.version.name": "V140"})
    assert (shown.page, device.opened_pages) == ("permissions", ["miui.intent.action.APP_PERM_EDITOR"])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("Starting: Intent { act=x }\nStatus: ok\nComplete\n", None),
        ("Starting: Intent { act=x dat=package:com.Error.Exception }\nStatus: ok\n", None),
        ("Starting: Intent { act=x }\nWarning: Activity not started, intent has been delivered to it\n", None),
        ("Starting: Intent { act=x }\nError: Activity not started, unable to resolve Intent { act=x }\n", "Error"),
        ("Starting: Intent { cmp=x }\nError type 3\nError: Activity class {x} does not exist.\n", "does not exist"),
        ("Security exception: Permission Denial: starting Intent { act=x } from null\n", "Permission Denial"),
        ("\nException occurred while executing 'start':\njava.lang.SecurityException: x\n", "Exception"),
    ],
)
def test_find_shell_error(said, problem):
    for stream in ("stdout", "stderr"):
        reply = Reply(**{"stdout": b"", "stderr": b"", "exit_code": 0, stream: said.encode()})
        found = apply.find_shell_error(reply)
        assert (found is None) == (problem is None)
        assert problem is None or problem in found


def test_page_that_does_not_open_is_an_error(run):
    silent = {"am": lambda _argv, _stdin: ProgramResult(err=b"Error: locked\x1b[2J\n")}
    with phone_of(programs_changed=silent) as (phone, _):
        done = opened(run, phone, "permissions", APP, "--lang", "zh")
    assert done.code == 4
    assert "\x1b" not in done.err
    assert "解锁手机" in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nonsense", APP), 2, "no page"),
        (("permissions", "x; reboot"), 2, "not on the phone"),
        (("permissions",), 2, "no app was named"),
        (("permissions", "…"), 2, "cannot be an app"),
        (("permissions", "助手"), 2, "several apps"),
        (("permissions", "com.nobody.here"), 2, "not on the phone"),
        (("permissions", APP, "--user", "77"), 4, "no user 77"),
        (("permissions", APP, "--user", "999"), 2, "not on the phone"),
    ],
)
def test_wrong_names_open_no_page(run, words, code, said):
    with phone_of() as (phone, device):
        done = opened(run, phone, *words)
    assert done.code == code
    assert said in done.err
    assert not device.opened_pages
    assert not any("am start" in line for line in phone.commands)

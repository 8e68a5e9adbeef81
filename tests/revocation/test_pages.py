"""`privaudit open`: which pages are tried, how failure is told from success, and what is said."""

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
    living = MutableDevice(
        replace(told, sdk=sdk, properties={**told.properties, "ro.build.version.sdk": str(sdk), **properties})
    )
    table = {**build_programs(living), **dict(programs_changed)}
    with AdbdServer(programs=table, files=build_files(told), key_policy=KeyPolicy(required=False)) as phone:
        yield phone, living


def opened(run, phone, *words, **variables):
    return run("open", *words, "--transport", f"tcp:{phone.address}", **variables)


def test_a_page_is_shown_and_the_way_to_it_is_printed(run):
    with phone_of() as (phone, living):
        before = living.phone
        done = opened(run, phone, "permissions", APP)
    assert done.code == 0, done.err
    assert living.opened_pages == ["android.intent.action.MANAGE_APP_PERMISSIONS"]
    assert living.phone == before
    assert done.out.split("\n")[3:5] == [f"  Tap “{APP}”.", "  Tap “Permissions”."]
    assert "[" not in done.out
    assert "should now show: permissions" in done.err


@pytest.mark.parametrize("sdk", [30, 34, 36])
def test_every_page_of_every_age_ends_in_a_page_and_changes_nothing(run_open, sdk):
    living, shown = run_open(roms.list_openable_pages(), sdk)
    assert [one.page for one in shown if one.page is None] == []
    assert len(living.opened_pages) == len(roms.list_openable_pages())
    # What stock Android has under these names opens at once; only the history is younger than Android 11.
    missed = {page for page, one in zip(roms.list_openable_pages(), shown, strict=True) if one.page != page}
    assert missed == ({"history"} if sdk == 30 else set())


@pytest.fixture
def run_open(key):
    from privaudit.revocation import state
    from privaudit.transport import connect

    def run_one(wanted, sdk, **properties):
        with (
            phone_of(sdk, **properties) as (phone, living),
            connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=key) as connection,
        ):
            before = living.phone
            found = state.phone_for_app(connection, APP, 0)
            shown = [settings_page.open_page(connection, found, page, APP, 0) for page in wanted]
            assert living.phone == before
            assert all(line.startswith("am start -W --user 0 ") for line in phone.commands[1:])
        return living, shown

    return run_one


def test_where_the_maker_takes_rights_from_the_shell_the_details_page_is_shown(run_open):
    properties = {"ro.build.version.oplusrom": "V14.0.0"}
    living, (shown,) = run_open(["permissions"], 34, **properties)
    assert shown.page == "app_info"
    assert living.opened_pages == ["android.settings.APPLICATION_DETAILS_SETTINGS"]
    assert any("unable to resolve" in one for one in shown.errors)
    assert any("Permission Denial" in one for one in shown.errors)


def test_miui_shows_its_own_page_first(run_open):
    living, (shown,) = run_open(["permissions"], 34, **{"ro.miui.ui.version.name": "V140"})
    assert (shown.page, living.opened_pages) == ("permissions", ["miui.intent.action.APP_PERM_EDITOR"])


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
def test_failure_is_read_out_of_the_text(said, problem):
    for stream in ("stdout", "stderr"):
        reply = Reply(**{"stdout": b"", "stderr": b"", "exit_code": 0, stream: said.encode()})
        found = apply.find_shell_error(reply)
        assert (found is None) == (problem is None)
        assert problem is None or problem in found


def test_where_nothing_opens_it_is_said_and_what_to_do(run):
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
        (("permissions", "x; reboot"), 2, "not a package name"),
        (("permissions", "com.nobody.here"), 2, "not on the phone"),
        (("permissions", APP, "--user", "77"), 4, "no user 77"),
        (("permissions", APP, "--user", "999"), 2, "not on the phone"),
    ],
)
def test_wrong_names_open_nothing(run, words, code, said):
    with phone_of() as (phone, living):
        done = opened(run, phone, *words)
    assert done.code == code
    assert said in done.err
    assert not living.opened_pages
    assert not any("am start" in line for line in phone.commands)

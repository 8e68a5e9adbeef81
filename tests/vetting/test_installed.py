"""An installed app is vetted like its file, over ADB; nothing on the phone is changed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from privaudit.errors import PhoneError, UsageError
from privaudit.transport import connect
from privaudit.vetting import installed, report
from privaudit.vetting.installed import vet_installed
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.fixtures.apk_builder import Row
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import gap_reasons, with_entries

PACKAGE = "com.example.sudaibao"


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("borrower")


@pytest.fixture
def phone(scenario, tmp_path):
    """Start a phone, perhaps with other files or programs; the context gives its ADB daemon and a connection to it."""

    @contextmanager
    def phone(change_files=lambda files: files, scenario=scenario, **programs):
        with (
            AdbdServer(
                programs={**build_programs(scenario), **programs},
                files=change_files(dict(build_files(scenario))),
                key_policy=KeyPolicy(required=False),
            ) as adbd,
            connect(
                transport=f"tcp:{adbd.address}", on_waiting=lambda _: None, key_folder=tmp_path / "key"
            ) as connection,
        ):
            yield adbd, connection

    return phone


def base_path(files):
    return next(path for path in files if f"/{PACKAGE}-" in path and path.endswith("/base.apk"))


def with_base(content):
    return lambda files: {**files, base_path(files): content}


def test_document_is_the_same_as_for_the_file(phone, context, loan_apk, vet_bytes):
    with phone(with_base(loan_apk)) as (adbd, connection):
        document = vet_installed(connection, PACKAGE, context)
        commands = " ".join(adbd.commands)
    expected = vet_bytes(loan_apk)
    assert document.app == expected.app
    assert document.findings == expected.findings
    assert (document.file.kind, document.file.sha256) == ("installed", expected.file.sha256)
    assert document.complete
    for words in ("pm grant", "pm revoke", "appops set", "uninstall", "settings put", "rm ", "am "):
        assert words not in commands


def test_large_dex_is_read_in_parts(phone, context, loan_apk):
    large_dex = dex([f"com.example.filler.C{number}" for number in range(40_000)] + ["credoapp.A"])
    assert len(large_dex) > 2 * installed._MAX_CACHED_BYTES
    with phone(with_base(with_entries(loan_apk, [Row("classes.dex", large_dex, 0)]))) as (_, connection):
        document = vet_installed(connection, PACKAGE, context)
    assert [sdk.vendor for sdk in document.app.sdks] == ["credolab"]
    assert document.complete


def test_splits_are_read_and_a_missing_one_is_a_gap(phone, scenario, context, loan_apk, split_apk):
    apps = [replace(app, splits=("feature", "config.zh")) if app.package == PACKAGE else app for app in scenario.apps]

    def change_files(files):
        base = base_path(files)
        split = with_entries(split_apk, {"classes.dex": dex(["credoapp.A"])})
        files |= {base: loan_apk, base.replace("base.apk", "split_feature.apk"): split}
        files.pop(base.replace("base.apk", "split_config.zh.apk"), None)
        return files

    with phone(change_files, replace(scenario, apps=tuple(apps))) as (_, connection):
        document = vet_installed(connection, PACKAGE, context)
    assert document.file.splits == 1
    assert document.app.sdks[0].signs[0].entry == "split_feature.apk!classes.dex"
    assert gap_reasons(document) == {"split_config.zh.apk": "cannot_open"}


def test_phone_that_cannot_hash_is_a_gap(phone, context, loan_apk):
    def not_found(_argv, _stdin):
        return ProgramResult(err=b"sh: sha256sum: not found\n", code=127)

    with phone(with_base(loan_apk), sha256sum=not_found) as (_, connection):
        document = vet_installed(connection, PACKAGE, context)
    assert gap_reasons(document) == {"file": "no_hash"}
    assert (document.app.apk_sha256, document.complete) == (None, False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not_zip"), (b"text" * 99, "not_zip"), (None, "cannot_open"), ("other", "package_differs")],
)
def test_unreadable_base_apk(phone, context, scenario, content, reason):
    files = build_files(scenario)
    other_apk = next(data for path, data in files.items() if "com.example.anxin-" in path and path.endswith(".apk"))

    def change_files(files):
        path = base_path(files)
        if content is None:
            return {other: data for other, data in files.items() if other != path}
        return {**files, path: other_apk if content == "other" else content}

    with phone(change_files) as (_, connection):
        document = vet_installed(connection, PACKAGE, context)
    assert document.app is None
    assert gap_reasons(document) == {"file": reason}


@pytest.mark.parametrize("package", ["com.example; reboot", "$(id)", "-f", "", "a b", "com.example\nid"])
def test_invalid_package_name_never_enters_a_command(phone, context, package):
    with phone() as (adbd, connection), pytest.raises(UsageError, match="app_missing"):
        vet_installed(connection, package, context)
    assert not [command for command in adbd.commands if package and package in command]


def test_missing_app_is_reported(phone, context):
    with phone() as (_, connection), pytest.raises(PhoneError, match="app_missing"):
        vet_installed(connection, "com.example.nobody", context)


def test_apk_installed_command(phone, run, tmp_path):
    with phone() as (adbd, _):
        options = ("--transport", f"tcp:{adbd.address}")
        done = run("apk", "--installed", PACKAGE, *options, "--json", "-o", tmp_path / "a.html")
        missing = run("apk", "--installed", "com.example.nobody", *options)
    assert done.code == 3
    document = report.parse_document(json.loads(done.out))
    assert (document.app.package, document.app.label) == (PACKAGE, "Sudaibao")
    assert "reads an app's file on the phone. Nothing on the phone is changed." in done.err
    assert "com.example.sudaibao" in (tmp_path / "a.html").read_text("utf-8")
    assert (missing.code, missing.out) == (4, "")
    assert "“com.example.nobody” is not on the phone" in missing.err

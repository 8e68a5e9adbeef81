"""An installed app is vetted like its file, over the wire; nothing is changed on the phone."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from privaudit.errors import PhoneError, UsageError
from privaudit.transport import connect
from privaudit.vetting import installed
from privaudit.vetting import report as apk_json
from privaudit.vetting.installed import vet_installed
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.fixtures.apk_builder import Row
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import reasons, with_entries

PACKAGE = "com.example.sudaibao"


@pytest.fixture(scope="module")
def story():
    return load_scenario("borrower")


@pytest.fixture
def phone(story, tmp_path):
    """A context: a phone with other files or programs, and the connection to it."""

    @contextmanager
    def phone(change=lambda tree: tree, **others):
        with (
            AdbdServer(
                programs={**build_programs(story), **others},
                files=change(dict(build_files(story))),
                key_policy=KeyPolicy(required=False),
            ) as made,
            connect(
                transport=f"tcp:{made.address}", on_waiting=lambda _: None, key_folder=tmp_path / "key"
            ) as connection,
        ):
            yield made, connection

    return phone


def path_of(tree):
    return next(path for path in tree if f"/{PACKAGE}-" in path and path.endswith("/base.apk"))


def with_base(content):
    return lambda tree: {**tree, path_of(tree): content}


def test_the_same_is_said_as_of_its_file(phone, known, loan, vetted):
    with phone(with_base(loan)) as (made, connection):
        document = vet_installed(connection, PACKAGE, known)
        commands = " ".join(made.commands)
    alone = vetted(loan)
    assert document.app == alone.app
    assert document.findings == alone.findings
    assert (document.file.kind, document.file.sha256) == ("installed", alone.file.sha256)
    assert document.complete
    for word in ("pm grant", "pm revoke", "appops set", "uninstall", "settings put", "rm ", "am "):
        assert word not in commands


def test_code_is_read_over_the_wire_in_parts(phone, known, loan):
    big = dex([f"com.example.filler.C{number}" for number in range(40_000)] + ["credoapp.A"])
    assert len(big) > 2 * installed._MAX_CACHED_BYTES
    with phone(with_base(with_entries(loan, [Row("classes.dex", big, 0)]))) as (_, connection):
        document = vet_installed(connection, PACKAGE, known)
    assert [one.vendor for one in document.app.sdks] == ["credolab"]
    assert document.complete


def test_splits_are_read_and_a_missing_one_is_a_gap(story, tmp_path, known, loan, part):
    split = with_entries(part, {"classes.dex": dex(["credoapp.A"])})
    apps = tuple(replace(app, splits=("feature", "config.zh")) if app.package == PACKAGE else app for app in story.apps)
    told = replace(story, apps=apps)
    tree = dict(build_files(told))
    base = path_of(tree)
    tree |= {base: loan, base.replace("base.apk", "split_feature.apk"): split}
    tree.pop(base.replace("base.apk", "split_config.zh.apk"), None)
    with (
        AdbdServer(programs=build_programs(told), files=tree, key_policy=KeyPolicy(required=False)) as made,
        connect(transport=f"tcp:{made.address}", on_waiting=lambda _: None, key_folder=tmp_path / "key") as connection,
    ):
        document = vet_installed(connection, PACKAGE, known)
    assert document.file.splits == 1
    assert document.app.sdks[0].signs[0].entry == "split_feature.apk!classes.dex"
    assert reasons(document) == {"split_config.zh.apk": "cannot_open"}


def test_a_phone_that_cannot_hash_is_a_gap(phone, known, loan):
    def gone(_argv, _stdin):
        return ProgramResult(err=b"sh: sha256sum: not found\n", code=127)

    with phone(with_base(loan), sha256sum=gone) as (_, connection):
        document = vet_installed(connection, PACKAGE, known)
    assert reasons(document) == {"file": "no_hash"}
    assert (document.app.apk_sha256, document.complete) == (None, False)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "not_zip"), (b"text" * 99, "not_zip"), (None, "cannot_open"), ("other", "package_differs")],
)
def test_a_file_that_says_nothing(phone, known, story, content, why):
    other = next(
        data for path, data in build_files(story).items() if "com.example.anxin-" in path and path.endswith(".apk")
    )

    def change(tree):
        path = path_of(tree)
        if content is None:
            return {name: data for name, data in tree.items() if name != path}
        return {**tree, path: other if content == "other" else content}

    with phone(change) as (_, connection):
        document = vet_installed(connection, PACKAGE, known)
    assert document.app is None
    assert reasons(document) == {"file": why}


@pytest.mark.parametrize("package", ["com.example; reboot", "$(id)", "-f", "", "a b", "com.example\nid"])
def test_what_is_no_package_name_never_enters_a_command(phone, known, package):
    with phone() as (made, connection), pytest.raises(UsageError, match="app_missing"):
        vet_installed(connection, package, known)
    assert not [command for command in made.commands if package and package in command]


def test_an_app_that_is_not_there(phone, known):
    with phone() as (_, connection), pytest.raises(PhoneError, match="app_missing"):
        vet_installed(connection, "com.example.nobody", known)


def test_the_command(phone, run, tmp_path):
    with phone() as (made, _):
        way = ("--transport", f"tcp:{made.address}")
        done = run("apk", "--installed", PACKAGE, *way, "--json", "-o", tmp_path / "a.html")
        missing = run("apk", "--installed", "com.example.nobody", *way)
    assert done.code == 3
    document = apk_json.parse_document(json.loads(done.out))
    assert (document.app.package, document.app.label) == (PACKAGE, "Sudaibao")
    assert "reads an app's file on the phone. Nothing is changed there." in done.err
    assert "com.example.sudaibao" in (tmp_path / "a.html").read_text("utf-8")
    assert (missing.code, missing.out) == (4, "")
    assert "“com.example.nobody” is not on the phone" in missing.err

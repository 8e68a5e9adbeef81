"""The same phone, whatever way it is read: the same facts for what each source answers, and the rest is told."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from privaudit import audit, capture, facts, knowledge
from privaudit.capture import archive
from privaudit.capture.folder import file_name
from privaudit.demo import open_story, stories
from privaudit.demo.adbd.auth import KeyPolicy
from privaudit.demo.adbd.phone import DemoPhone
from privaudit.demo.programs import files, programs
from privaudit.model import AccessState, AnswerState
from privaudit.transport import connect
from tests.conftest import NOW
from tests.fixtures import bugreport_builder as builder

FOLDER_TEXTS = {
    "packages": "package",
    "appops": "appops",
    "roles": "role",
    "device_policy": "device_policy",
    "users": "user",
}


@pytest.fixture(scope="module", params=stories())
def story(request):
    return open_story(request.param)


@pytest.fixture(scope="module")
def read(story, tmp_path_factory):
    """The phone of `story`, read in each way."""
    root = tmp_path_factory.mktemp("sources")
    with (
        DemoPhone(programs=programs(story, now=NOW), files=files(story), keys=KeyPolicy(required=False)) as phone,
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=root) as connection,
    ):
        live = audit.live(connection, knowledge.load(demo=True), demo=True)
    live = replace(live, taken_at=NOW)
    archive.write(live, root / "check.zip")
    text = builder.text(story, NOW)
    (root / "bugreport.txt").write_text(text)
    (root / "bugreport.zip").write_bytes(builder.zipped(text))
    bodies = builder.services(story, NOW)
    (root / "folder").mkdir()
    for key, service in FOLDER_TEXTS.items():
        if service in bodies:
            (root / "folder" / file_name(key)).write_text(bodies[service])
    (root / "folder" / "getprop.txt").write_text(builder.properties(story))
    (root / "folder" / "date.txt").write_text(f"{int(story.clock(NOW).timestamp())}\n")
    for user in story.user_ids:
        rows = "".join(f"{key}={value}\n" for key, value in builder.secure(story, user).items())
        (root / "folder" / file_name(f"settings.{user}")).write_text(rows)
    collected = root / "androidqf"
    collected.mkdir()
    for name, content in builder.androidqf(story, NOW).items():
        (collected / name).write_text(content)
    (root / "androidqf.zip").write_bytes(builder.archive(builder.androidqf(story, NOW)))
    names = ["check.zip", "bugreport.txt", "bugreport.zip", "folder", "androidqf", "androidqf.zip"]
    return {"live": live, **{name: capture.read(root / name) for name in names}, "root": root}


@pytest.fixture(scope="module")
def found(read):
    return {name: facts.gather(taken) for name, taken in read.items() if name != "root"}


def states(gathered):
    return {(row.question, row.user): row.state for row in gathered.coverage}


def without_where(gathered):
    """Facts alone: not in which line of which text they stand."""
    return replace(gathered, places={}, clock=replace(gathered.clock, offset_s=None))


def test_the_saved_check_gives_the_facts_of_the_phone(found):
    assert found["check.zip"] == found["live"]


@pytest.mark.parametrize(("one", "other"), [("bugreport.txt", "bugreport.zip"), ("androidqf", "androidqf.zip")])
def test_packed_or_not_gives_the_same(found, one, other):
    assert found[one] == found[other]


def test_a_bug_report_gives_what_a_folder_of_its_parts_gives(found):
    assert without_where(found["bugreport.txt"]) == without_where(found["folder"])


NEEDS = {"label", "label_state", "labels", "launcher_labels", "launcher_icon", "certificates_sha256", "apk_sha256"}
"""Facts of an app for which its APK must be read."""
NO_GRANT = {AccessState.UNKNOWN, AccessState.NOT_ALLOWED}
TAKEN_APART = {"permissions", "access", "special_access"}


def differences(live, other):
    """Facts of `other` that contradict `live`: neither equal nor unknown in one of them.

    A live phone is asked about named permissions: of an app that holds none of these its whole dump tells more.
    """
    for one in live.apps:
        twin = next((app for app in other.apps if (app.package, app.user) == (one.package, one.user)), None)
        if twin is None:
            yield one.package, one.user, "absent"
        else:
            yield from ((one.package, one.user, *pair) for pair in contradictions(one, twin) if pair[1] != pair[2])


def contradictions(one, twin):
    plain = [field.name for field in fields(one) if field.name not in TAKEN_APART | NEEDS]
    both = ((name, getattr(one, name), getattr(twin, name)) for name in plain)
    yield from (pair for pair in both if None not in pair)
    yield "special_access", set(one.special_access), set(twin.special_access)
    stored = {permission.name: permission for permission in twin.permissions}
    for permission in one.permissions:
        after = stored.get(permission.name)
        yield "permission", permission, after and replace(after, requested=permission.requested)
    for data, access in one.access.items():
        after = twin.access[data]
        # A whole dump does not say what was requested: then no grant is all that is known.
        unsure = access.state is AccessState.NOT_REQUESTED and after.state in NO_GRANT
        yield data, access, replace(after, state=access.state) if unsure else after


@pytest.mark.parametrize("name", ["bugreport.txt", "folder", "androidqf"])
def test_every_source_gives_the_facts_of_the_phone_or_none(found, name):
    live, other = found["live"], found[name]
    assert not [*differences(live, other)]
    assert {(app.package, app.user) for app in live.apps} == {(app.package, app.user) for app in other.apps}
    assert [(user.id, user.kind, user.checked) for user in live.users] == [
        (user.id, user.kind, user.checked) for user in other.users
    ]
    assert live.phone == other.phone


LISTS = {"installed", "third_party"}


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("bugreport.txt", {*LISTS, "names"}, set()),
        ("folder", {*LISTS, "names"}, set()),
        ("androidqf", {"names"}, {"hashes"}),
    ],
)
def test_the_differences_equal_the_coverage(found, name, less, more):
    live, other = states(found["live"]), states(found[name])
    assert live.keys() == other.keys()
    answered = (
        {key for key in live if live[key] is AnswerState.ANSWERED},
        {key for key in other if other[key] is AnswerState.ANSWERED},
    )
    assert {question for question, _ in answered[0] - answered[1]} == less
    assert {question for question, _ in answered[1] - answered[0]} == more
    assert {other[key] for key in answered[0] - answered[1]} == {AnswerState.NOT_ASKED}
    assert audit.is_complete(found[name]) == (audit.is_complete(found["live"]) and not less & LISTS)


def test_many_sources_of_many_kinds_give_a_line_each(read, run, story):
    names = ["bugreport.zip", "androidqf", "check.zip", "folder", "bugreport.txt", "androidqf.zip"]
    done = run("audit", *(read["root"] / name for name in names), "--jsonl", "--unknown")
    rows = [json.loads(line) for line in done.out.splitlines()]
    kinds = ["bugreport", "androidqf", "demo", "folder", "bugreport", "androidqf"]
    assert [row["source"]["kind"] for row in rows] == kinds
    assert [row["source"]["sha256"] is None for row in rows] == [False, True, False, True, False, False]
    assert {row["phone"]["model"] for row in rows} == {story.properties["ro.product.model"]}
    assert not any(secret in done.out for secret in builder.SECRETS)
    assert all(not row["complete"] for row in rows if row["source"]["kind"] in {"bugreport", "folder"})


def test_a_bug_report_becomes_a_saved_check_that_says_what_it_is(read, tmp_path):
    archive.write(read["bugreport.zip"], tmp_path / "check.zip")
    back = capture.read(tmp_path / "check.zip")
    assert facts.gather(back) == facts.gather(read["bugreport.zip"])
    assert back.log == ()

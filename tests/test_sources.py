"""Every source of one phone gives the same facts for what it contains, and says what is missing."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from privaudit import audit, facts, knowledge
from privaudit.capture import archive, read_source
from privaudit.capture.text_folder import answer_file_name
from privaudit.model import AccessState, AnswerState, History
from privaudit.transport import connect
from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from tests.conftest import NOW
from tests.fixtures import bugreport_builder as builder

FOLDER_TEXTS = {
    "packages": "package",
    "appops": "appops",
    "roles": "role",
    "device_policy": "device_policy",
    "users": "user",
}


@pytest.fixture(scope="module", params=scenario_names())
def story(request):
    return load_scenario(request.param)


@pytest.fixture(scope="module")
def read(story, tmp_path_factory):
    """Read the phone of `story` from each kind of source."""
    root = tmp_path_factory.mktemp("sources")
    with (
        AdbdServer(
            programs=build_programs(story, now=NOW), files=build_files(story), key_policy=KeyPolicy(required=False)
        ) as phone,
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=root) as connection,
    ):
        live, _ = audit.collect(connection, knowledge.load_knowledge(demo=True), demo=True)
    live = replace(live, taken_at=NOW)
    archive.write_archive(live, root / "check.zip")
    text = builder.text(story, NOW)
    (root / "bugreport.txt").write_text(text, "utf-8")
    (root / "bugreport.zip").write_bytes(builder.zipped(text))
    bodies = builder.services(story, NOW)
    (root / "folder").mkdir()
    for key, service in FOLDER_TEXTS.items():
        if service in bodies:
            (root / "folder" / answer_file_name(key)).write_text(bodies[service])
    (root / "folder" / "getprop.txt").write_text(builder.properties(story))
    (root / "folder" / "date.txt").write_text(f"{int(story.device_time(NOW).timestamp())}\n")
    for user in story.user_ids:
        rows = "".join(f"{key}={value}\n" for key, value in builder.secure(story, user).items())
        (root / "folder" / answer_file_name(f"settings.{user}")).write_text(rows)
    collected = root / "androidqf"
    collected.mkdir()
    for name, content in builder.androidqf(story, NOW).items():
        (collected / name).write_text(content)
    (root / "androidqf.zip").write_bytes(builder.archive(builder.androidqf(story, NOW)))
    names = ["check.zip", "bugreport.txt", "bugreport.zip", "folder", "androidqf", "androidqf.zip"]
    return {"live": live, **{name: read_source(root / name) for name in names}, "root": root}


@pytest.fixture(scope="module")
def found(read):
    return {name: facts.gather_facts(taken) for name, taken in read.items() if name != "root"}


def states(gathered):
    return {(row.question, row.user): row.state for row in gathered.coverage}


def without_where(gathered):
    """Return the facts without their locations."""
    return replace(gathered, locations={}, clock=replace(gathered.clock, offset_s=None))


def test_the_saved_check_gives_the_facts_of_the_phone(found):
    assert found["check.zip"] == found["live"]


@pytest.mark.parametrize(("one", "other"), [("bugreport.txt", "bugreport.zip"), ("androidqf", "androidqf.zip")])
def test_packed_or_not_gives_the_same(found, one, other):
    assert found[one] == found[other]


def test_a_bug_report_gives_what_a_folder_of_its_parts_gives(found):
    one, other = found["bugreport.txt"], found["folder"]
    assert not [*differences(one, other)]
    if states(one)["appops", None] is AnswerState.ANSWERED:
        # Only from Android 8 a report says when each dump was done; before, times are counted from its head.
        assert without_where(one) == without_where(other)


NEEDS = {"label", "label_state", "labels", "launcher_labels", "launcher_icon", "certificates_sha256", "apk_sha256"}
"""Facts of an app that come from its APK."""
NO_GRANT = {AccessState.UNKNOWN, AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED}
REPORT_S = 120
"""Duration of a bug report in seconds. Android 6 and 7 print only its start, so that times may differ by it."""
TIMES = ("last_read", "last_refused", "history_since")
USES = ("last_access", "last_reject")
TAKEN_APART = {"permissions", "access", "other_access", "special_access"}


def differences(live, other):
    """Yield facts of `other` that contradict `live`: neither equal nor unknown in one of them.

    A live phone is asked about named permissions: of an app that holds none of these its whole dump tells more.
    """
    ops_whole = states(other)["appops", None] is AnswerState.ANSWERED
    for one in live.apps:
        twin = next((app for app in other.apps if (app.package, app.user) == (one.package, one.user)), None)
        if twin is None:
            yield one.package, one.user, "absent"
        else:
            yield from (
                (one.package, one.user, *pair) for pair in contradictions(one, twin, ops_whole) if pair[1] != pair[2]
            )


def about(moment, other):
    """Return `other`, or `moment` if the two differ by less than a report takes or one is unknown."""
    apart = None if None in {moment, other} else abs((moment - other).total_seconds())
    return moment if apart is None or apart <= REPORT_S else other


def contradictions(one, twin, ops_whole):
    plain = [field.name for field in fields(one) if field.name not in TAKEN_APART | NEEDS]
    both = ((name, getattr(one, name), getattr(twin, name)) for name in plain)
    # Before Android 14 a block names an installer only where there is one: a list of packages says more.
    yield from (pair for pair in both if None not in pair and pair[0] != "installer_known")
    yield "special_access", set(one.special_access), set(twin.special_access)
    stored = {permission.name: permission for permission in twin.permissions}
    for permission in one.permissions:
        after = stored.get(permission.name)
        if after is None and permission.granted is False:
            continue  # asked for and never granted: Android keeps nothing of it
        times = after and {name: about(getattr(permission, name), getattr(after, name)) for name in USES}
        yield "permission", permission, after and replace(after, requested=permission.requested, **times)
    reached = {**twin.access, **twin.other_access}
    for data, access in (*one.access.items(), *one.other_access.items()):
        after = reached[data]
        told = {name: about(getattr(access, name), getattr(after, name)) for name in TIMES}
        # Most whole dumps do not say what was requested, some makers' do: no grant is all that each knows for sure.
        if access.state in NO_GRANT and after.state in NO_GRANT:
            told["state"] = access.state
        # Where nothing shows that all records were read, that there is none is not known.
        if not ops_whole and after.history is History.UNKNOWN and access.history is History.NO_RECORD:
            told["history"] = access.history
        yield data, access, replace(after, **told)


@pytest.mark.parametrize("name", ["bugreport.txt", "folder", "androidqf"])
def test_every_source_gives_the_facts_of_the_phone_or_none(found, name):
    live, other = found["live"], found[name]
    assert not [*differences(live, other)]
    apps = [{(app.package, app.user) for app in one.apps} for one in (live, other)]
    refused = {user.id for user in live.users if not user.checked}
    assert {key for key in apps[0] if key[1] not in refused} == {key for key in apps[1] if key[1] not in refused}
    assert apps[0] <= apps[1]
    users = [
        {user.id: (user.kind, user.checked) for user in one.users if user.id not in refused} for one in (live, other)
    ]
    assert users[0] == users[1]
    assert live.phone == other.phone


ENDED_SDK = 26
"""From Android 8 ``dumpsys appops`` prints something after the last uid."""
PROTO_SDK = 31
"""From Android 12 a connected phone is asked for ``dumpsys package --proto``, which no tool saves."""
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
    # A user that the phone refused to us stands in a report that the phone wrote itself.
    refused = {user.id for user in found["live"].users if not user.checked}
    live, other = (
        # Saved texts have the types of users in the list itself.
        {key: state for key, state in states(found[one]).items() if key[1] not in refused and key[0] != "user_types"}
        for one in ("live", name)
    )
    assert live.keys() == other.keys()
    if found["live"].phone.sdk < ENDED_SDK:
        assert other["appops", None] is AnswerState.UNREADABLE  # nothing shows that its text is whole
        less = {*less, "appops", *({"clock"} if name == "androidqf" else ())}
    if found["live"].phone.sdk >= PROTO_SDK:
        less = {*less, "packages_proto"}
    answered = (
        {key for key in live if live[key] is AnswerState.ANSWERED},
        {key for key in other if other[key] is AnswerState.ANSWERED},
    )
    assert {question for question, _ in answered[0] - answered[1]} == less
    assert {question for question, _ in answered[1] - answered[0]} == more
    assert {other[key] for key in answered[0] - answered[1] - {("appops", None)}} == {AnswerState.NOT_ASKED}
    if not refused:
        assert audit.is_complete(found[name]) == (audit.is_complete(found["live"]) and not less & {*LISTS, "appops"})


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
    archive.write_archive(read["bugreport.zip"], tmp_path / "check.zip")
    back = read_source(tmp_path / "check.zip")
    assert facts.gather_facts(back) == facts.gather_facts(read["bugreport.zip"])
    assert back.log == ()

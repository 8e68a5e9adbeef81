"""Dumps that a terminal, an editor, mail or a web page changed on their way, and several dumps in one file."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from privaudit import facts
from privaudit.capture import read_source
from privaudit.capture.answers import classify_answer
from privaudit.capture.converters import restore_copied_text, split_package_dumps
from privaudit.model import AnswerState
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Shell
from tests.fixtures.captures import NOW

PHONE, OLD_PHONE = load_scenario("borrower"), load_scenario("android6")
A, U = AnswerState.ANSWERED, AnswerState.UNREADABLE
COMMANDS = {
    "packages": "dumpsys package",
    "package.com.example.creditwing": "dumpsys package com.example.creditwing",
    "appops": "dumpsys appops",
    "roles": "dumpsys role",
    "device_policy": "dumpsys device_policy",
    "installed.0": "pm list packages -f -i --user 0",
}
SAMPLES = [
    "lg-m150-android6.0.1",
    "rockchip-rk322x-android7.1.2",
    "wear-api30-dumpsys-package-pkg",
    "sunmi-android11-appops-excerpt",
]
SDKS = [23, 26, 28, 29, 31, 34, 36]


def outputs(sdk):
    programs = build_programs(OLD_PHONE if sdk == OLD_PHONE.sdk else replace(PHONE, sdk=sdk), now=NOW)
    has = {"appops": sdk >= 29 or sdk == OLD_PHONE.sdk, "roles": sdk >= 29}  # the borrower has a mode of Android 10
    commands = {key: command for key, command in COMMANDS.items() if has.get(key, True)}
    texts = {key: Shell(programs).run_script(command).out.decode() for key, command in commands.items()}
    return {key: text for key, text in texts.items() if text}


def unexpand(width, *, everywhere=False):
    """Blanks to tabs: at the start of lines, or wherever two or more blanks reach a tab stop."""

    def convert(line):
        body = line.lstrip(" ") if not everywhere else ""
        rest = line[: len(line) - len(body)] if body else line
        pieces = [rest[at : at + width] for at in range(0, len(rest), width)]
        pieces = [
            re.sub(r"  +$", "\t", piece) if len(piece) == width and (everywhere or not piece.strip()) else piece
            for piece in pieces
        ]
        return "".join(pieces) + body

    return lambda text: "\n".join(map(convert, text.split("\n")))


CHANGES = {
    "tabs of 8": unexpand(8),
    "tabs of 4": unexpand(4),
    "tabs of 2": unexpand(2),
    "tabs in lines": unexpand(8, everywhere=True),
    "no-break blanks": lambda text: text.replace(" ", "\u00a0"),
    "no-break at start": lambda text: re.sub("^ +", lambda match: "\u00a0" * len(match[0]), text, flags=re.MULTILINE),
    "web page": lambda text: text.replace("  ", " \u00a0"),
    "zero width": lambda text: re.sub("^", "\u200b", text, flags=re.MULTILINE),
    "byte order marks": lambda text: re.sub("^( +)", "\\1\ufeff", text, flags=re.MULTILINE),
    "quoted": lambda text: re.sub("^", "> ", text, flags=re.MULTILINE),
    "quoted and cut": lambda text: re.sub("^(> )(?=\n)", ">", re.sub("^", "> ", text, flags=re.MULTILINE)),
    "quoted twice": lambda text: re.sub("^", ">> ", text, flags=re.MULTILINE),
    "quoted without blank": lambda text: re.sub("^", ">", text, flags=re.MULTILINE),
    "quoted tabs": lambda text: re.sub("^", "> ", unexpand(8)(text), flags=re.MULTILINE),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sdk", SDKS)
def test_blanks_are_restored_as_android_printed_them(sdk, change):
    for key, text in outputs(sdk).items():
        copied = CHANGES[change](text)
        restored = restore_copied_text(classify_answer(key, copied.encode(), exit_code=None))
        assert restored.text == text, key
        assert (restored.translated_from is None) == (copied == text)
        assert restored.state is classify_answer(key, text.encode(), exit_code=None).state


@pytest.mark.parametrize("program", [["unexpand"], ["unexpand", "-a"], ["unexpand", "-t4"], ["col", "-b"]])
def test_real_programs_change_no_access(tmp_path, program):
    if shutil.which(program[0]) is None:
        pytest.skip(f"no {program[0]} here")
    found = []
    # `col` also strips blanks at the end of lines.
    whole = (lambda text: re.sub(" +$", "", text, flags=re.MULTILINE)) if program[0] == "col" else lambda text: text
    for folder, run in ((tmp_path / "whole", whole), (tmp_path / "copy", None)):
        folder.mkdir()
        for key, text in outputs(34).items():
            stem = {"installed.0": "pm_list_packages", "packages": "dumpsys_package", "roles": "dumpsys_role"}.get(
                key, f"dumpsys_{key}"
            )
            if run is None:
                text = subprocess.run(program, input=text, text=True, capture_output=True, check=True).stdout  # noqa: PLW2901
            (folder / f"{stem}.txt").write_text(run(text) if run else text)
        apps = facts.gather_facts(read_source(folder)).apps
        found.append({(app.package, app.user): {data: one.state for data, one in app.access.items()} for app in apps})
    assert found[0] == found[1]
    reads = [state.allows_reading for states in found[0].values() for state in states.values()]
    assert any(reads)


@pytest.mark.parametrize("change", ["tabs of 8", "tabs of 4", "tabs of 2", "no-break blanks", "quoted"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_dumps_of_real_phones_are_restored(samples, sample, change):
    for file in (samples / sample).glob("*dump*ys*.txt"):
        key = "appops" if "appops" in file.name else "packages"
        whole = classify_answer(key, file.read_bytes(), exit_code=None).text
        text = re.sub(r"\t| +$", "", whole, flags=re.MULTILINE)
        restored = restore_copied_text(classify_answer(key, CHANGES[change](text).encode(), exit_code=None))
        assert (restored.text, restored.state) == (text, A)


def test_one_changed_line_is_restored():
    line = "        android.permission.READ_CONTACTS: granted=true, flags=[ USER_SET]\n"
    text = outputs(34)["packages"].replace("\n      runtime permissions:\n", f"\n      runtime permissions:\n{line}", 1)
    for changed in ("\t", "\t\t", "> \t", "\u00a0" * 8, "\u200b        ", ">         "):
        copied = text.replace(line, changed + line.lstrip(), 1)
        restored = restore_copied_text(classify_answer("packages", copied.encode(), exit_code=None))
        assert (restored.text, restored.state) == (text, A)


def test_tabs_that_fit_no_width_prove_nothing():
    text = outputs(34)["packages"].replace("\n        android.", "\n\tandroid.").replace("\n    User ", "\n\tUser ")
    restored = restore_copied_text(classify_answer("packages", text.encode(), exit_code=None))
    assert (restored.state, restored.detail.key) == (U, "coverage.changed_copy")
    assert "granted=true" in restored.text


def test_text_of_apps_inside_a_line_is_kept():
    text = "Packages:\n  Package [a.b] (1):\n    versionName=1>2 \u200b速贷\n"
    answer = classify_answer("packages", text.encode(), exit_code=None)
    assert restore_copied_text(answer) is answer
    users = classify_answer("users", b"Users:\n\tUserInfo{0:x:13} running\n", exit_code=None)
    assert restore_copied_text(users) is users


# --- several dumps in one file ----------------------------------------------------------------------------------------

NAMES = ["com.example.creditwing", "com.example.kuaiyihua", "com.example.bank", "com.android.phone"]


def own_dumps(sdk, names):
    programs = build_programs(replace(PHONE, sdk=sdk), now=NOW)
    return [Shell(programs).run_script(f"dumpsys package {name}").out.decode() for name in names]


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("whole", [False, True])
def test_each_dump_of_a_package_counts(tmp_path, sdk, whole):
    names = [name for name in NAMES if PHONE.find_app(name) is not None]
    assert len(names) > 1
    text = "".join(own_dumps(sdk, names))
    (tmp_path / "dumpsys_package.txt").write_text("".join(own_dumps(sdk, [""] if whole else [])) + text)
    taken = read_source(tmp_path)
    assert {answer.state for answer in taken.answers.values()} == {A}
    assert taken.answers.keys() == {"packages", *(f"package.{name}" for name in names)}
    seen = {(app.package, app.user): app for app in facts.gather_facts(taken).apps}
    assert {name for name, _ in seen} >= {name for name in names if PHONE.find_app(name).installs[0].installed}
    gaps = [
        row.detail.key for row in facts.gather_facts(taken).coverage if row.question == "packages" and row.could_hide
    ]
    assert gaps == (["coverage.no_end"] if sdk == 23 and not whole else [])  # as of a single dump of Android 6
    if sdk == 23:
        return
    for name, dump in zip(names, own_dumps(sdk, names), strict=True):
        (tmp_path / "dumpsys_package.txt").write_text(dump)
        alone = {(app.package, app.user): app for app in facts.gather_facts(read_source(tmp_path)).apps}
        for key, app in alone.items():
            assert {d: one.state for d, one in app.access.items()} == {
                d: one.state for d, one in seen[key].access.items()
            }, name


def split(text):
    return list(split_package_dumps(classify_answer("packages", text.encode(), exit_code=None)))


def test_a_cut_last_dump_has_no_end():
    first, second = own_dumps(34, NAMES[:2])
    joined, _, cut = split(first + second[: second.index("runtime permissions:")])
    assert "Package Changes:" not in joined.text
    assert cut.text == second[: second.index("runtime permissions:")]


@pytest.mark.parametrize("again", ["whole", "package"])
def test_dumps_that_differ_are_not_chosen_from(again):
    text = outputs(34)["packages"] if again == "whole" else own_dumps(34, NAMES[:1])[0]
    (answer,) = split(text + text.replace("granted=true", "granted=false"))
    assert (answer.state, answer.detail.key, answer.text) == (U, "coverage.several_dumps", "")


def test_a_forged_second_title_splits_nothing():
    text = outputs(34)["packages"]
    at = text.index("    timeStamp=", len(text) // 2)
    forged = text[:at] + "Packages:\n  Package [com.victim] (1):\n" + text[at:]
    for whole in (text, forged):
        (answer,) = split(whole)
        assert (answer.text, answer.translated_from) == (whole, None)

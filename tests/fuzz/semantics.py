"""Look for the worst fault: a damaged text turns "can read" into "cannot read" in a report that calls itself whole.

``python -m tests.fuzz.semantics [--rounds N]`` damages the saved texts of a phone of every SDK, and real samples where
they are at hand, in each way N times. It prints every fault and ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from privaudit import facts
from privaudit.audit import is_complete
from privaudit.capture.answers import classify_answer, decode_output
from privaudit.capture.model import Capture
from privaudit.capture.redact import redact
from privaudit.dumpsys.package_parser import parse_package_dump
from privaudit.model import AccessState, DataClass, Source
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Shell
from tests.fixtures.captures import NOW, ShellTransport, collect_first_round

SDKS = (23, 24, 26, 28, 29, 30, 31, 33, 34, 35, 36)
PACKAGES = ("com.example.sudaibao", "com.example.kuaiyihua", "com.example.happyloan", "com.example.bank")
HOLDERS = ("com.android.messaging", "com.android.dialer", "com.example.findphone")
"""The apps that hold its roles, and its administrator: a report is not whole where these are not installed."""
TARGETS = ("packages", "packages", "packages", "appops", "installed.0", "users")
"""Which answer is damaged; the dump of packages most often."""
State = tuple[str, int, DataClass]


def damage_line(change: Callable[[str, random.Random], str]) -> Callable[[str, random.Random], str]:
    """Return a damage to one line of a text, mostly one that says something about a permission."""

    def damage(text: str, rng: random.Random) -> str:
        lines = text.split("\n")
        telling = [
            number for number, line in enumerate(lines) if "granted=" in line or "READ_" in line or "User " in line
        ]
        number = rng.choice(telling) if telling and rng.random() < 0.7 else rng.randrange(len(lines))
        lines[number] = change(lines[number], rng)
        return "\n".join(lines)

    return damage


def _change_character(line: str, rng: random.Random) -> str:
    at = rng.randrange(len(line) + 1)
    kind = rng.randrange(3)
    letter = rng.choice("abcxyzAEIOU_0189 .:=\u00a0\u200bе")
    return line[:at] + ("" if kind == 0 else letter) + line[at + (kind < 2) :]


def _break_line(line: str, rng: random.Random) -> str:
    at = rng.randrange(len(line) + 1)
    return f"{line[:at]}\n{line[at:]}"


def _wrap(text: str, rng: random.Random) -> str:
    width = rng.randrange(20, 140)
    return "\n".join(line[at : at + width] for line in text.split("\n") for at in range(0, max(len(line), 1), width))


def _tabs(text: str, rng: random.Random) -> str:
    size = rng.choice((8, 8, 8, 4, 2))
    return re.sub(r"(?m)^ +", lambda blanks: "\t" * (len(blanks[0]) // size) + " " * (len(blanks[0]) % size), text)


def _lose_part(text: str, rng: random.Random) -> str:
    """Leave out a part with the header of an app. Lines that are gone inside of one app's part leave no trace.

    Nor does the header of a factory copy: the app has another one.
    """
    stop = text.find("\nHidden system packages:")
    stop = len(text) if stop < 0 else stop
    headers = [found.start() for found in re.finditer(r"(?m)^(?:  Package \[|package:|\tUserInfo)", text[:stop])]
    if len(headers) < 2:
        return text
    first = rng.randrange(len(headers) - 1)
    begin = rng.randrange(headers[first], headers[first + 1])
    end = rng.randrange(headers[first + 1], stop)
    return text[:begin] + text[end:]


def _insert_lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    noise = ("--More--", "^C", "shell@phone:/ $ ", "", "*** page 2 ***", "\x1b[0m", "WARNING: linker: x")
    for _ in range(rng.randrange(1, 6)):
        lines.insert(rng.randrange(len(lines)), rng.choice(noise))
    return "\n".join(lines)


def _swap_lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines) - 1)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return "\n".join(lines)


DAMAGES: dict[str, Callable[[str, random.Random], str]] = {
    "a character": damage_line(_change_character),
    "two characters": damage_line(lambda line, rng: _change_character(_change_character(line, rng), rng)),
    "a line without its indent": damage_line(lambda line, _rng: line.lstrip()),
    "another indent": damage_line(lambda line, rng: " " * rng.randrange(14) + line.lstrip()),
    "a quoted line": damage_line(lambda line, _rng: "> " + line),
    "a line behind a strange blank": damage_line(lambda line, rng: rng.choice("\u00a0\u200b\ufeff\u2003\t") + line),
    "strange blanks": damage_line(lambda line, rng: line.replace(" ", rng.choice("\u00a0\u2003\t"))),
    "a broken line": damage_line(_break_line),
    "a cut line": damage_line(lambda line, rng: line[: rng.randrange(len(line) + 1)] if "granted=t" in line else line),
    "other letters": damage_line(lambda line, rng: line.swapcase() if rng.random() < 0.5 else line.title()),
    "quotes and dashes": damage_line(lambda line, _rng: line.replace("=", "=\u201d").replace("_", "\u2013")),
    "tabs": _tabs,
    "wrapped": _wrap,
    "stripped ends": lambda text, _rng: re.sub(r"(?m) +$", "", text),
    "no indents": lambda text, _rng: re.sub(r"(?m)^ +", "", text),
    "quoted": lambda text, rng: re.sub(r"(?m)^", rng.choice(("> ", "| ", "  ", "\u00a0")), text),
    "line ends": lambda text, rng: text.replace("\n", rng.choice(("\r\n", "\r\r\n", "\r"))),
    "two blanks to one": lambda text, _rng: re.sub(r"  +", " ", text),
    "cut": lambda text, rng: text[: rng.randrange(len(text) + 1)],
    "a part is gone": _lose_part,
    "noise between lines": _insert_lines,
    "swapped lines": _swap_lines,
    "twice": lambda text, rng: text + text if rng.random() < 0.5 else f"{text}\n\n{text}",
}  # fmt: skip


WITHOUT_A_TRACE = {("a part is gone", "appops"), ("a part is gone", "installed.0")}
"""Damages that may leave a text that a phone could have printed: nothing else names each line of these."""


def phone_texts(sdk: int) -> Mapping[str, str]:
    """Return what a person saves from a virtual phone of `sdk`: every answer but those of single apps and the bytes."""
    story = load_scenario("borrower")
    apps = [app for app in story.apps if app.package in PACKAGES or (app.is_system and app.installs[0].grants)][:9]
    apps += [app for app in story.apps if app.package in HOLDERS and app not in apps]
    apps = [
        replace(
            app,
            installs={
                user: replace(
                    install, uid_modes={op: mode for op, mode in install.uid_modes.items() if mode != "foreground"}
                )
                for user, install in app.installs.items()
            },
        )
        for app in apps
    ]
    properties = {**story.properties, "ro.build.version.sdk": str(sdk)}
    phone = replace(story, sdk=sdk, properties=properties, apps=tuple(apps))
    answers = collect_first_round(ShellTransport(phone)).answers
    texts = {key: answer.text for key, answer in answers.items() if key != "packages_proto"}
    texts["packages"] = Shell(build_programs(phone, now=NOW)).run_script("dumpsys package").out.decode()
    return texts


def sample_texts(folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the texts of real phones in `folder`; what a sample lacks is taken from a virtual phone of its SDK."""
    for file in sorted(folder.glob("*/dumpsys_package.txt")):
        stems = {"packages": "dumpsys_package", "appops": "dumpsys_appops", "properties": "getprop"}
        paths = {key: file.parent / f"{stem}.txt" for key, stem in stems.items()}
        texts = {key: decode_output(path.read_bytes())[0] for key, path in paths.items() if path.exists()}
        dump = parse_package_dump(texts["packages"])
        sdk = min(SDKS, key=lambda known: abs(known - (dump.sdk or SDKS[0])))
        listed = [name for name, block in dump.packages.items() if block.apk_present and block.users[0].installed]
        others = dict(phone_texts(sdk))
        for key in {"roles", "device_policy"} & others.keys():
            others[key] = re.sub("|".join(map(re.escape, HOLDERS)), listed[0], others[key])
        yield {
            **{key: text for key, text in others.items() if not key.endswith(".999")},
            "appops": "Current AppOps Service state:\n  Uid 1000:\n",
            **texts,
            "users": "Users:\n\tUserInfo{0:Owner:13} running\n",
            "installed.0": "".join(f"package:{name}\n" for name in listed),
            "third_party.0": "package:android\n",
        }


def read_states(texts: Mapping[str, str], endless: frozenset[str]) -> tuple[Mapping[State, AccessState], bool]:
    """Return what each app can read, and whether the report calls itself complete.

    Of the answers `endless`, in which nothing marks the end, the exit code is given as on a connected phone.
    """
    answers = {
        key: redact(classify_answer(key, text.encode("utf-8", "replace"), exit_code=0 if key in endless else None))
        for key, text in texts.items()
    }
    capture = Capture(
        answers=MappingProxyType(answers), taken_at=NOW, source=Source(kind="folder", sha256=None), demo=False
    )
    gathered = facts.gather_facts(capture)
    states = {(app.package, app.user, data): app.access[data].state for app in gathered.apps for data in DataClass}
    return states, is_complete(gathered)


def endless_answers(texts: Mapping[str, str]) -> frozenset[str]:
    """Return the answers without a mark at their end: up to Android 8 nothing follows the app-ops of the last uid."""
    return frozenset({"appops"} if not texts.get("appops", "\n\n").endswith("\n\n") else ())


def find_faults(texts: Mapping[str, str], damage: str, rounds: int, seed: int) -> Iterator[str]:
    """Damage one of `texts` in each round; yield a sentence for each app that a "whole" report clears by mistake."""
    rng = random.Random(f"{damage} {seed}")  # noqa: S311 - the same in every run
    endless = endless_answers(texts)
    before, was_complete = read_states(texts, endless)
    readers = {key for key, state in before.items() if state.allows_reading}
    assert readers, "no app can read anything"
    traceless = WITHOUT_A_TRACE | ({("swapped lines", "appops")} if endless else set())  # no line begins a uid's part
    targets = [key for key in TARGETS if key in texts and (damage, key) not in traceless]
    for number in range(rounds):
        target = rng.choice(targets)
        damaged = {**texts, target: DAMAGES[damage](texts[target], rng)}
        after, complete = read_states(damaged, endless)
        if not complete and was_complete:
            continue
        for key in sorted(readers):
            state = after.get(key)
            if not (state is AccessState.UNKNOWN or (state is not None and state.allows_reading)):
                yield f"{damage}, seed {seed}, round {number}, {target}: {key} {before[key]} -> {state}"


def main() -> int:
    """Fuzz the phones of all SDKs, and samples where they are at hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5000, help="for each kind of damage, over all phones")
    parser.add_argument("--samples", type=Path, help="a folder of folders with dumpsys_package.txt")
    parser.add_argument("damage", nargs="*")
    arguments = parser.parse_args()
    phones = {f"SDK {sdk}": phone_texts(sdk) for sdk in SDKS}
    if arguments.samples is not None:
        phones |= {f"sample {number}": texts for number, texts in enumerate(sample_texts(arguments.samples))}
    count = faults = 0
    for damage in arguments.damage or DAMAGES:
        for number, (name, texts) in enumerate(phones.items()):
            rounds = -(-arguments.rounds // len(phones))
            count += rounds
            for fault in find_faults(texts, damage, rounds, number):
                faults += 1
                print(f"{name}: {fault}", flush=True)
        print(f"{damage}: done", file=sys.stderr, flush=True)
    print(f"{count} damaged texts, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

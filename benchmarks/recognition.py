"""How well lending apps are recognised, and how often other apps are mistaken for them, by language.

    .venv/bin/python -m benchmarks.recognition

Promises: of the malware researchers' apps, 28 of 32 are recognised by words alone and 32 of 32 with the lists. Where
they also read contacts, words recognise at least 93 % of the listed apps of China and 97 % of those of Indonesia and
India. At most one false alarm in 2,000 ordinary names, and in 125 of contact readers. Each example of the vocabulary
gives the result that it states. A label takes at most a third longer than on 2026-11-29.

All of it goes through `findings.lending.recognise_lending`, as in an audit. The figures hold for the lists in this
checkout and for names that were written for this benchmark (ordinary.toml and lending.toml say how); they are not a
sample of phones. Brand names in the vocabulary come from such lists, so recall is counted without them, too.
"""

from __future__ import annotations

import sys
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import Outcome, Row, compare, cpu_seconds, measure_in_turn
from benchmarks.results import publish
from privaudit import knowledge
from privaudit.findings.lending import recognise_lending
from privaudit.knowledge import Knowledge, lint
from privaudit.model import Access, AccessState, App, DataClass, History, LabelState, LendingVerdict

FOLDER = Path(__file__).resolve().parent
RESEARCH_LISTS = {"eset-2023", "mcafee-2024"}
MIN_BY_WORDS, RESEARCH_APPS = 28, 32
NAMES_PER_FALSE_ALARM = 2000
READERS_PER_FALSE_ALARM = 125
MIN_OF_READERS = {"CN": 0.93, "ID": 0.97, "IN": 0.97}
"""Country → share of the listed apps with a package that words recognise where the app also reads contacts."""
MAX_TIMES_NORMALIZATION = 74
"""A third more than the 56 that a label took on 2026-11-29, with fewer words."""
ROUNDS = 7


@dataclass(frozen=True)
class AppName:
    """What an app is called."""

    label: str | None
    package: str


@dataclass(frozen=True)
class Recogniser:
    """Lists and vocabulary, asked as an audit asks them."""

    lists: Knowledge

    def recognises(self, name: AppName, *, reads_contacts: bool = False) -> bool:
        """Whether an app of this name is recognised as a lending app."""
        app = replace(
            _installed_app(name, reads_contacts=reads_contacts), listed=self.lists.find_matches("package", name.package)
        )
        return recognise_lending(app, self.lists).verdict is not LendingVerdict.NO

    def recognises_reader(self, name: AppName) -> bool:
        """Whether an app of this name that can read contacts is recognised as a lending app."""
        return self.recognises(name, reads_contacts=True)

    def without_lists(self) -> Recogniser:
        """Return a recogniser with the same vocabulary and no list."""
        return Recogniser(replace(self.lists, lists=()))

    def without_brands(self) -> Recogniser:
        """Return a recogniser without the brand names in the vocabulary."""
        words = self.lists.vocabulary
        terms = tuple(term for term in words.label if term.lang != "brand")
        return Recogniser(replace(self.lists, vocabulary=replace(words, label=terms)))


def _installed_app(name: AppName, *, reads_contacts: bool) -> App:
    access = Access(
        state=AccessState.CAN_READ if reads_contacts else AccessState.NOT_ALLOWED,
        ways=(),
        last_read=None,
        last_read_age_s=None,
        history=History.NO_RECORD,
        history_since=None,
    )
    return App(
        package=name.package,
        user=0,
        label=name.label,
        label_state=LabelState.READ,
        labels={},
        version_name=None,
        version_code=None,
        target_sdk=None,
        installer="com.android.vending",
        installer_known=True,
        installer_name=None,
        first_installed=None,
        last_updated=None,
        system=False,
        enabled=True,
        certificates_sha256=(),
        apk_sha256=None,
        access=dict.fromkeys(DataClass, access),
        permissions=(),
        special_access=(),
    )


# --- Names ------------------------------------------------------------------------------------------------------------


def lending_names() -> Iterator[tuple[str, AppName]]:
    """Yield language and name of the lending apps that were made up for this benchmark."""
    names = tomllib.loads((FOLDER / "lending.toml").read_text(encoding="utf-8"))["names"]
    for language, labels in names.items():
        for label in labels:
            yield language, AppName(label, "com.example.app")


def ordinary_names() -> Iterator[tuple[str, AppName]]:
    """Yield language and name of ordinary apps, each name once in a language."""
    data = tomllib.loads((FOLDER / "ordinary.toml").read_text(encoding="utf-8"))
    for group, lines in {"known": data["known"], **data["labels"]}.items():
        yield from ((group, _parse_name(line)) for line in lines)
    for language, table in data["language"].items():
        assert len(table["words"]) == len(data["kinds"]), language
        for pattern in table["patterns"]:
            for kind, word in zip(data["kinds"], table["words"], strict=True):
                yield language, AppName(pattern.replace("{}", word), f"com.example.{kind}")


def neighbouring_names() -> Iterator[tuple[str, AppName]]:
    """Yield language and name of ordinary apps that were chosen because they are neighbours of lending."""
    data = tomllib.loads((FOLDER / "ordinary.toml").read_text(encoding="utf-8"))
    for group, lines in data["neighbours"].items():
        yield from ((group, _parse_name(line)) for line in lines)


def _parse_name(line: str) -> AppName:
    label, _, package = line.partition(" = ")
    return AppName(label, package or "com.example.app")


def listed_names(lists: Knowledge, *, with_package: bool) -> Iterator[tuple[str, AppName]]:
    """Yield country and name of every listed app that has a name, of those with a package or of the others."""
    for part in lists.lists:
        for ref in part.row_refs:
            if ref.row.names and bool(ref.row.package) is with_package:
                name = AppName(ref.row.names[0], ref.row.package or "com.example.app")
                yield next(iter(ref.countries), "no country"), name


# --- Counting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CountTable:
    """How many names were recognised, for each language or country."""

    title: str
    counts: dict[str, tuple[int, int]]
    """Group → number of recognised names, number of names."""

    @property
    def total(self) -> tuple[int, int]:
        """Number of recognised names, number of names."""
        recognised, total = zip(*self.counts.values(), strict=True)
        return sum(recognised), sum(total)

    def __str__(self) -> str:
        """The table as text."""
        rows = [
            f"  {group:<12} {recognised:>5} of {total:>5}   {recognised / total:>6.1%}"
            for group, (recognised, total) in (*self.counts.items(), ("together", self.total))
        ]
        return "\n".join(["", self.title, *rows])


def count_recognised(
    title: str, names: Iterable[tuple[str, AppName]], is_recognised: Callable[[AppName], bool]
) -> CountTable:
    """Count how many names of each group are recognised."""
    counts: dict[str, tuple[int, int]] = {}
    for group, name in names:
        recognised, total = counts.get(group, (0, 0))
        counts[group] = (recognised + is_recognised(name), total + 1)
    return CountTable(title, counts)


def measure() -> Outcome:
    """Count everything and check the promises."""
    recogniser = Recogniser(knowledge.load_knowledge())
    words = recogniser.without_lists()
    lists = [part for part in recogniser.lists.lists if part.id in RESEARCH_LISTS]
    research = [AppName(row.names[0], row.package or "") for part in lists for row in part.rows]
    by_words = sum(map(words.recognises, research))
    by_words_of_readers = sum(map(words.recognises_reader, research))
    by_package_word = sum(words.recognises(AppName(None, name.package)) for name in research)
    by_lists = sum(map(recogniser.recognises, research))
    listed, names_alone = (
        sorted(listed_names(recogniser.lists, with_package=with_package), key=lambda pair: pair[0])
        for with_package in (True, False)
    )
    ordinary = list(dict.fromkeys(ordinary_names()))
    listed_readers = count_recognised(
        "listed apps that also read contacts, by words alone", listed, words.recognises_reader
    )
    neighbours = list(dict.fromkeys(neighbouring_names()))
    false_alarms = count_recognised("ordinary names mistaken for lending", [*ordinary, *neighbours], words.recognises)
    alarm_count, ordinary_count = false_alarms.total
    reader_alarms = count_recognised(
        "ordinary names that also read contacts, mistaken for lending", ordinary, words.recognises_reader
    )
    reader_alarm_count, reader_count = reader_alarms.total
    speed = compare(
        [measure_speed(words, [*ordinary, *neighbours])], note="Floor: a label is normalised before it is read."
    )
    problems = lint.lint_signatures().problems
    wrong_examples = sum(problem.key == "knowledge.example_name" for problem in problems)
    promises = {
        f"words alone recognise at least {MIN_BY_WORDS} of {RESEARCH_APPS}": by_words >= MIN_BY_WORDS,
        f"the lists recognise {RESEARCH_APPS} of {RESEARCH_APPS}": by_lists == len(research) == RESEARCH_APPS,
        f"at least {NAMES_PER_FALSE_ALARM} ordinary names": ordinary_count >= NAMES_PER_FALSE_ALARM,
        f"at most one false alarm in {NAMES_PER_FALSE_ALARM}": alarm_count * NAMES_PER_FALSE_ALARM <= ordinary_count,
        **{
            f"at least {share:.0%} of the listed apps of {country} that also read contacts": counts[0]
            >= share * counts[1]
            for country, share in MIN_OF_READERS.items()
            for counts in (listed_readers.counts[country],)
        },
        f"at most one in {READERS_PER_FALSE_ALARM} that reads contacts": reader_alarm_count * READERS_PER_FALSE_ALARM
        <= reader_count,
        "each example gives the result that it states": not wrong_examples,
    }
    lines = [
        f"malware researchers' apps: {len(research)}",
        f"  by words alone {by_words}; of contact readers {by_words_of_readers}; by package alone {by_package_word}",
        f"  with the lists {by_lists}",
        count_recognised("names written for this, by words alone", lending_names(), words.recognises),
        count_recognised("listed apps, by words alone", listed, words.recognises),
        listed_readers,
        count_recognised(f"{listed_readers.title} without brands", listed, words.without_brands().recognises_reader),
        count_recognised(
            "names on lists without packages, of contact readers, by words alone", names_alone, words.recognises_reader
        ),
        false_alarms,
        reader_alarms,
        count_recognised("neighbours of lending that also read contacts", neighbours, words.recognises_reader),
        *(
            f"  false alarm: {name.label} ({name.package})"
            for _, name in (*ordinary, *neighbours)
            if words.recognises(name)
        ),
        f"\nexamples of the vocabulary with another result: {wrong_examples}",
        *(f"{'kept  ' if is_kept else 'BROKEN'}  {promise}" for promise, is_kept in promises.items()),
    ]
    text = "\n".join(["```text", *map(str, lines), "```", "", speed.markdown])
    return Outcome(text, all(promises.values()) and speed.within_budgets)


def measure_speed(recogniser: Recogniser, names: Iterable[tuple[str, AppName]]) -> Row:
    """Return what it takes to read labels and search them for words, each once."""
    labels = [name.label for _, name in names if name.label]
    vocabulary = recogniser.lists.vocabulary

    def classify() -> None:
        vocabulary.verdict_cache.clear()
        for label in labels:
            vocabulary.classify(label, None)

    def normalize() -> None:
        for label in labels:
            [*map(unicodedata.category, unicodedata.normalize("NFD", unicodedata.normalize("NFKC", label)))]

    best = measure_in_turn({"ours": lambda: cpu_seconds(classify), "normalize": lambda: cpu_seconds(normalize)}, ROUNDS)
    return Row(
        what=f"{len(labels):,} labels",
        ours=best["ours"] * 1000,
        unit="ms",
        reference=best["normalize"] * 1000,
        reference_name="NFKC, NFD and the category of each character",
        budget=MAX_TIMES_NORMALIZATION,
    )


if __name__ == "__main__":
    sys.exit(publish("recognition", measure))

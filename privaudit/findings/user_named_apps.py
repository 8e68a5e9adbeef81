"""Find the apps that the user asks for by name: by package name, or by a label in any language, whole or in part."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from privaudit.findings.lending import all_labels
from privaudit.knowledge.label_readings import read_label
from privaudit.model import App, AppNameQuery, AppSummary

_MIN_PARTIAL_CHARS: Final = 2
"""A shorter name is a part of too many labels: it must be the whole label."""


def find_named_apps(names: Sequence[str], apps: Iterable[App | AppSummary]) -> tuple[AppNameQuery, ...]:
    """Return, for each of `names`, the packages that have it: those with exactly this name, else with a part of it."""
    labels_by_package: dict[str, set[str]] = {}
    for app in apps if names else ():
        labels = labels_by_package.setdefault(app.package, set())
        labels.update(folded for label in all_labels(app) for folded in _fold_label(label))
    return tuple(AppNameQuery(name=name, packages=tuple(_matching_packages(name, labels_by_package))) for name in names)


def _matching_packages(name: str, labels_by_package: dict[str, set[str]]) -> Iterator[str]:
    if name in labels_by_package:
        yield name
        return
    wanted = next(_fold_label(name))
    exact = [package for package, labels in labels_by_package.items() if wanted in labels]
    if exact or len(wanted) < _MIN_PARTIAL_CHARS:
        yield from exact
        return
    yield from (package for package, labels in labels_by_package.items() if any(wanted in label for label in labels))


def _fold_label(label: str) -> Iterator[str]:
    """Yield each reading of a label without case, spaces and punctuation: disguised letters are read as people do."""
    for reading in read_label(label):
        yield "".join(char for char in reading.text.casefold() if char.isalnum() or char.isidentifier())

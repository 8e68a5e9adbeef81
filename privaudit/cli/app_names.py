"""Turn the names that a user gives to apps, labels or package names, into package names; never by guessing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.cli.console import CliConsole
    from privaudit.model import App, AppSummary


def validate_app_names(names: Iterable[str]) -> None:
    """Refuse names without a letter or digit, before any phone is asked."""
    for name in names:
        if not any(map(str.isalnum, name)):
            raise UsageError("errors.app_name_empty", given=name)


def resolve_packages(
    console: CliConsole,
    names: Sequence[str],
    apps: Iterable[App | AppSummary],
    *,
    keep_unknown: bool = False,
    packages_only: bool = False,
) -> list[str]:
    """Return the packages of `apps` that `names` stand for, each once, in the order of the names.

    Where several apps have a name, the user chooses in a terminal. Raises UsageError ``app_ambiguous`` if several have
    it and nobody can choose, and ``app_missing`` if no app has it; with `keep_unknown`, that name is returned instead.
    With `packages_only`, where nobody is asked what will be changed, labels are refused: ``yes_needs_package``.
    """
    from privaudit.findings.named import find_named_apps
    from privaudit.i18n.sanitize import display_name

    known_apps = tuple(apps)
    titles: dict[str, str] = {}
    for app in known_apps:
        label = display_name(app.label, app.package)
        titles.setdefault(
            app.package,
            app.package if label == app.package else f"{console.language.quote_untrusted(label)} {app.package}",
        )
    packages = []
    for query in find_named_apps(names, known_apps):
        if packages_only and query.packages not in {(), (query.name,)}:
            raise UsageError("errors.yes_needs_package", given=query.name)
        match query.packages:
            case ():
                if not keep_unknown:
                    raise UsageError("errors.app_missing", app=query.name)
                package = query.name
            case (package,):
                if package != query.name:
                    console.print_message("cli.app_chosen", given=query.name, app=titles[package])
            case several:
                package = _choose_package(console, query.name, [titles[name] for name in several], several)
        packages.append(package)
    return list(dict.fromkeys(packages))


def _choose_package(console: CliConsole, name: str, titles: Sequence[str], packages: Sequence[str]) -> str:
    if sys.stdin.isatty() and sys.stderr.isatty():
        console.print_message("cli.apps_of_name", given=name)
        for number, title in enumerate(titles, 1):
            console.print_message("cli.numbered", number=number, title=title)
        answer = console.prompt("cli.choose_app", n=len(packages))
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(packages):
            return packages[int(answer) - 1]
    raise UsageError("errors.app_ambiguous", given=name, found=tuple(titles))

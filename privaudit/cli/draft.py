"""Rows of a list from APKs, for a contributor to complete with a source: nobody types a package or a digest by hand."""

from __future__ import annotations

import re
from typing import Final

from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.i18n import Translator, sanitize_text
from privaudit.knowledge import toml_text
from privaudit.knowledge.schema import SignatureRow
from privaudit.vetting.document import VettedApp

_PACKAGE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)
_MAX_NAMES: Final = 20


def draft_header(language: Translator) -> str:
    """What to do with the rows, as comments."""
    return "".join(f"# {language.t(f'apkcli.{name}')}\n" for name in ("draft_head", "draft_head_2"))


def draft_row(app: VettedApp, source_path: str, language: Translator) -> str:
    """The row of one app. It says what the file says; whether that is worth a row, a source must say."""
    names = (app.label, *app.labels.values(), *app.launcher_labels)
    certificates = tuple(one for one in app.certificates_sha256 if one not in WELL_KNOWN_TEST_CERTIFICATES)
    comments = [language.t("apkcli.draft_from", path=source_path, version=app.version_name or "?")]
    if len(certificates) < len(app.certificates_sha256):
        comments.append(language.t("apkcli.draft_key"))
    made = SignatureRow(
        package=app.package if _PACKAGE_NAME.match(app.package) else None,
        names=tuple(dict.fromkeys(tamed for name in names if name and (tamed := sanitize_text(name))))[:_MAX_NAMES],
        sha256=(app.apk_sha256,) if app.apk_sha256 is not None else (),
        certificates=certificates,
    )
    return "".join(f"# {comment}\n" for comment in comments) + toml_text.row_to_toml(made)

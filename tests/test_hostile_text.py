"""Every text that a phone, an app or a foreign file controls, as an attack, through every output."""

from __future__ import annotations

import csv as tables
import io
import json
import re
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser

import pytest
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from privaudit.documents import letters
from privaudit.documents.render import render_document
from privaudit.errors import PrivauditError
from privaudit.i18n import Translator
from privaudit.knowledge import rights
from privaudit.model import Report
from privaudit.report import csv, diff, html, revocation_text, txt
from privaudit.report import json as document
from privaudit.report.share import anonymize_report

MARK = "ZZATTACK"
ATTACKS = {
    "markup": f"<script>{MARK}</script><img src=x onerror={MARK}>",
    "attribute": f'" onmouseover="{MARK}" x="\'><svg/onload={MARK}>',
    "entities": f"&lt;script&gt;{MARK}&#60;b&#62;",
    "jinja": "{{ 7 * 191 }}{% for x in ().__class__.__base__.__subclasses__() %}" + MARK + "{% endfor %}",
    "format": "{0.__class__}{app}{name!r:>9999999999}%s%n" + MARK,
    "rich": f"[bold red]{MARK}[/bold red][link=file:///etc/passwd]x[/link][/]",
    "escape": f"\x1b[2J\x1b]0;{MARK}\x07\x1b[31m",
    "c1": f"\x9b2J\x9d0;{MARK}\x9c\x85",
    "bidi": f"\u202e{MARK}\u2066\u2069\u200f\u061c",
    "zero width": f"\u200b{MARK}\u2060\ufeff\u00ad\u200d\u200d\u200d\u200d",
    "zalgo": MARK + "e" + "\u0301" * 500,
    "emoji": MARK + "👩‍👩‍👧‍👦🇨🇳😀" * 20,
    "long": MARK * 1250,
    "newline": f"{MARK}\nVERDICT: {MARK}-FORGED\r\n{MARK}-FORGED\u2028{MARK}-FORGED\u2029x\x0b\x0c\x85{MARK}-FORGED",
    "formula": f'=HYPERLINK("http://x/{MARK}")',
    "formula behind blanks": f"\t\r\n @SUM(1){MARK}",
    "dde": f"+cmd|' /C calc'!A1{MARK}",
    "path": f"../../../../etc/passwd/{MARK}\0.txt",
    "shell": f"; rm -rf /; $(id) `id` | {MARK} && x'\"",
    "markdown": f"[x](javascript:{MARK}) ![x](http://x) # {MARK} | a | b |\n---\n> x",
    "half a surrogate": f"{MARK}\ud83d",
    "nothing": "\u2800\u3164\u200b",
}  # fmt: skip
FORBIDDEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


# --- a report that says nothing else --------------------------------------------------------------------------------


def _paths(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, (*path, "*"))
    elif isinstance(value, str):
        yield path


def _replaced(value, places, attack, path=()):
    if isinstance(value, dict):
        return {key: _replaced(inner, places, attack, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, places, attack, (*path, "*")) for inner in value]
    return attack if isinstance(value, str) and path in places else value


@pytest.fixture(scope="module")
def hostile(demo_report):
    """The demo's report in which every text that may be any text is an attack."""
    plain = json.loads(document.render(demo_report))

    def fits(places, attack=MARK):
        try:
            return document._report_adapter().validate_python(_replaced(plain, places, attack))
        except ValidationError:
            return None

    free = frozenset(path for path in set(_paths(plain)) if fits({path}))
    # A message key names a sentence that exists; in a report from elsewhere it may not.
    keys = {path for path in free if path[-1] in {"key", "rule", "question", "version"} or "rules" in path}
    assert {("apps", "*", "label"), ("phone", "model"), ("apps", "*", "package")} <= free - keys

    @cache
    def hostile(attack, *, strange=False) -> Report:
        report = fits(free if strange else free - keys, ATTACKS[attack])
        assert report is not None
        return report

    return hostile


def outputs(report, code):
    """Return every text that is rendered from a report."""
    language = Translator(code)
    yield "txt", txt.render(report, language)
    yield "steps", revocation_text.render_steps(report, language, frozenset())
    yield "diff", diff.diff_to_text(diff.compare_reports(report, report), language)
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=100, highlight=False, soft_wrap=True
    )
    for line in txt.styled_lines(report, language, 100):
        console.print(Text(line.text, style=line.style))
    # Only what rich itself writes of styles is left out.
    yield "terminal", re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    for kind in letters.LetterKind:
        try:
            paper = letters.draft_letter(report, report.apps[0].package, kind, rights.load_rights("IN"))
        except PrivauditError:  # a stranger's report may have nothing to write about
            continue
        yield f"{kind} txt", render_document(paper, "txt")
        yield f"{kind} md", render_document(paper, "md")


@pytest.mark.parametrize("strange", [False, True])
@pytest.mark.parametrize("attack", ATTACKS)
def test_text(hostile, attack, strange):
    for code in ("en", "zh"):
        for name, text in outputs(hostile(attack, strange=strange), code):
            assert not FORBIDDEN.search(text), (name, FORBIDDEN.search(text))
            assert not [line for line in text.splitlines() if re.match(rf"(VERDICT: )?{MARK}-FORGED", line)], name
            assert len(text) < 4_000_000, name
            assert "1337" not in text, name
            text.encode()


class Page(HTMLParser):
    """The tags of a page, and their attributes."""

    def __init__(self):
        super().__init__()
        self.tags = set()

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            self.tags.add((tag, name))
            if name in {"href", "src"}:
                assert re.match(r"(https?://|#|mailto:)", value or ""), value
        self.tags.add((tag, ""))


def tags(text):
    page = Page()
    page.feed(text)
    page.close()
    return page.tags


@pytest.mark.parametrize("attack", ATTACKS)
def test_pages(hostile, demo_report, attack):
    report = hostile(attack)
    pages = {
        "page": (html.render(report, Translator("en")), html.render(demo_report, Translator("en"))),
        "diff": (
            diff.diff_to_html(diff.compare_reports(report, report), Translator("en")),
            diff.diff_to_html(diff.compare_reports(demo_report, demo_report), Translator("en")),
        ),
    }
    for name, (text, plain) in pages.items():
        assert tags(text) <= tags(plain), name
        assert "1337" not in text, name
        assert "default-src 'none'" in unescape(text)
        assert not FORBIDDEN.search(text.replace("\t", " ")), (name, FORBIDDEN.search(text))
        text.encode()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_tables(hostile, demo_report, attack, code):
    def rows(report):
        text = csv.render(report, Translator(code)).removeprefix("\ufeff")
        return list(tables.reader(io.StringIO(text, newline=""), strict=True))

    cells = rows(hostile(attack))
    assert [len(row) for row in cells] == [len(row) for row in rows(demo_report)]
    for row in cells:
        for cell in row:
            assert not cell.strip().startswith(("=", "+", "@")), cell
            assert not re.match(r"-\D", cell), cell
            assert not FORBIDDEN.search(cell), cell


@pytest.mark.parametrize("attack", ATTACKS)
def test_json_keeps_what_was_said_and_repaints_no_terminal(hostile, attack):
    report = hostile(attack, strange=True)
    texts = [
        document.render(report),
        document.to_json_line(report),
        diff.diff_to_json(diff.compare_reports(report, report)),
    ]
    for text in texts:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
        text.encode()
        json.loads(text)
    assert "\n" not in texts[1].removesuffix("\n")
    if "\ud83d" not in ATTACKS[attack]:
        label = ATTACKS[attack]
        assert json.loads(texts[0])["apps"][0]["label"] == json.loads(texts[1])["apps"][0]["label"] == label


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_anonymized_report(hostile, attack):
    report = anonymize_report(hostile(attack))
    assert ATTACKS[attack] not in {app.label for app in report.apps}
    assert not FORBIDDEN.search(txt.render(report, Translator("en")))


@pytest.mark.parametrize("attack", ATTACKS)
def test_app_names_in_a_revocation_plan(made, attack):
    """What revoking prints: names come from the phone, commands only from validated words."""
    from privaudit.report import revocation_text

    app = replace(made.app(), label=ATTACKS[attack])
    language = Translator("en")
    lines = list(revocation_text.final_state(language, made.now, app, app))
    lines += revocation_text.manual_step_lines(
        language, "instead", {(app.package, app.user): ()}, {(app.package, app.user): app}
    )
    assert not FORBIDDEN.search("\n".join(lines))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_is_a_name_that_may_enter_a_command(attack):
    from privaudit.capture import questions, scripts
    from privaudit.revocation import commands

    text = ATTACKS[attack]
    assert not questions.is_package_name(text)
    assert not scripts.is_apk_path(f"/data/app/{text}/base.apk") or attack == "long"
    assert not questions.is_answer_key(f"package.{text}")
    assert not commands.is_component(f"{text}/.A", text)
    with pytest.raises(ValueError, match="package"):
        list(scripts.follow_up_rounds("@@0", [f"package.{text}"], max_bytes=4000))

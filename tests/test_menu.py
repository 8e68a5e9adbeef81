"""``privaudit`` alone: in a terminal a menu that leads through a check, elsewhere the help."""

import re
import sys

import pytest

from privaudit.cli import menu
from privaudit.i18n import Translator, catalog

pexpect = pytest.importorskip("pexpect", reason="a terminal is driven with pexpect")


@pytest.fixture
def at_terminal(environment, home):
    """Start ``privaudit`` in a terminal; a browser is named that writes down what it was shown."""

    browser = home / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{home}/shown"\n', encoding="utf-8")
    browser.chmod(0o700)
    opened = []

    def start(*arguments, **variables):
        kept = {**environment, "TERM": "xterm", "BROWSER": str(browser), **variables}
        words = ["-m", "privaudit", *arguments]
        child = pexpect.spawn(sys.executable, words, env=kept, timeout=120, encoding="utf-8", codec_errors="replace")
        opened.append(child)
        return child

    yield start
    for child in opened:
        child.close(force=True)


def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def answer(child, code, name, words, **values):
    """Wait for a question of the menu, and answer it."""
    question = Translator(code).t(f"cli.{name}", **values)
    child.expect(r"\s+".join(map(re.escape, question.split())))
    child.sendline(words)


def test_outside_a_terminal_the_help_is_printed(run):
    done = run()
    assert done.code == 2
    assert done.out == ""
    assert "Usage: privaudit" in done.err


def test_the_demo_page_opens_in_the_browser_and_is_deleted(at_terminal, home):
    child = at_terminal()
    answer(child, "en", "menu_choose", "1")
    answer(child, "en", "menu_keep", "")
    answer(child, "en", "menu_back", "")
    answer(child, "en", "menu_choose", "0")
    assert ended(child) == 0
    (shown,) = (home / "shown").read_text(encoding="utf-8").split()
    assert re.fullmatch(re.escape(home.as_uri()) + r"/page-\d{8}-\d{6}\.html", shown)
    assert list(home.glob("*.html")) == []


def test_a_page_is_kept_when_the_user_says_yes_in_the_chosen_language(at_terminal, home):
    child = at_terminal()
    answer(child, "en", "menu_choose", "ZH")
    answer(child, "zh", "menu_choose", "5")
    answer(child, "zh", "menu_country", "cn", known="CN, ID, IN, KE, MX, NG, PH, PK")
    answer(child, "zh", "menu_keep", "y")
    answer(child, "zh", "menu_back", "")
    answer(child, "zh", "menu_choose", "0")
    assert ended(child) == 0
    (page,) = home.glob("page-*.html")
    assert page.stat().st_mode & 0o077 == 0
    assert "个人信息保护法" in page.read_text(encoding="utf-8")


def test_without_a_phone_the_error_is_printed_and_the_menu_returns(at_terminal, home):
    child = at_terminal("--lang", "zh")
    answer(child, "zh", "menu_choose", "2")
    answer(child, "zh", "menu_ready", "")
    child.expect("怎么了：")
    answer(child, "zh", "menu_back", "")
    answer(child, "zh", "menu_choose", "9")
    child.expect("这里没有“9”")
    answer(child, "zh", "menu_choose", "0")
    assert ended(child) == 0
    assert not (home / "shown").exists()


@pytest.mark.parametrize(("key", "code"), [("\x04", 0), ("\x03", 130)], ids=["ctrl-d", "ctrl-c"])
def test_ctrl_c_and_ctrl_d_leave_the_menu(at_terminal, key, code):
    child = at_terminal()
    child.expect("Enter:")
    child.send(key)
    assert ended(child) == code


def test_a_terminal_of_code_page_936_shows_the_menu_in_every_language(at_terminal):
    child = at_terminal(PYTHONIOENCODING="gbk")
    for code in catalog.languages():
        child.expect("0  ")
        child.sendline(code)
    child.expect("0  ")
    child.sendline("0")
    assert ended(child) == 0


def test_no_text_browser_is_started(monkeypatch, tmp_path):
    if sys.platform in {"win32", "darwin"}:
        pytest.skip("there a browser is always one of windows")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(menu.webbrowser, "open", lambda _: pytest.fail("a browser was started"))
    assert menu.open_in_browser(tmp_path / "page.html") is False

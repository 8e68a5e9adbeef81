"""``privaudit`` alone: in a terminal a menu that leads through a check, elsewhere the help."""

import io
import itertools
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from privaudit.cli import menu
from privaudit.i18n import Translator, catalog
from privaudit.revocation import ledger as ledgers
from privaudit.revocation.change import Change, ChangeKind, TargetState

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
    answer(child, "zh", "menu_country", "1")
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
    answer(child, "zh", "menu_which_app", "")
    answer(child, "zh", "menu_country", "")
    child.expect("怎么了：")
    answer(child, "zh", "menu_back", "")
    answer(child, "zh", "menu_choose", "99")
    child.expect("这里没有“99”")
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


@pytest.fixture
def lines_run(monkeypatch, tmp_path):
    """Answer the questions of the menu; return the command lines that it runs, and what it printed."""

    def use(code, *typed, exit_code=0):
        lines, out = [], io.StringIO()

        def run_command(args):
            lines.append(args)
            for path in [
                Path(value) for option, value in itertools.pairwise(args) if option in {"--output", "capture"}
            ]:
                if path.suffix:
                    path.write_text("written")
            return exit_code

        before = set(tmp_path.iterdir())
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        monkeypatch.setattr(menu, "open_in_browser", lambda _: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", out)
        menu.Menu(run_command, code).run()
        assert set(tmp_path.iterdir()) == before  # every page was deleted: nobody said yes
        return lines, out.getvalue()

    return use


@pytest.mark.parametrize("answered", ["n", "N", "no", "否", "0", "later"])
def test_no_phone_is_asked_after_a_no(lines_run, answered):
    assert lines_run("zh", "2", answered, "", "0")[0] == []


@pytest.mark.parametrize("typed", ["1234", "0012", "201", "0", "²", "9" * 5000])
def test_only_a_number_of_the_list_chooses(typed):
    answers, shown = iter([typed, "12"]), []
    console = SimpleNamespace(
        write_lines=list, prompt_text=lambda _: next(answers), print_message=lambda key, **_: shown.append(key)
    )
    choices = [str(number) for number in range(1, 201)]
    assert menu.Menu._choose(SimpleNamespace(_console=console), "cli.menu_choose", choices) == "12"
    assert shown == ["cli.menu_unknown"]


@pytest.mark.parametrize(("ready", "country"), [("", "1"), ("y", "中国"), ("是", "China"), ("", "cn")])
def test_a_check_asks_for_the_app_and_the_country(lines_run, ready, country):
    (line,), shown = lines_run("zh", "2", ready, "快易花", country, "", "", "0")
    assert line[:5] == ["audit", "--country", "CN", "--app", "快易花"]
    assert shown.index("在哪个应用借的钱") < shown.index("哪个国家")
    assert "1  中国" in shown


def test_an_unknown_country_is_asked_again_and_none_is_no_option(lines_run):
    (line,), shown = lines_run("en", "2", "", "", "Atlantis", "77", "", "", "0")
    assert "--country" not in line
    assert "--app" not in line
    assert shown.count("is not a choice here") == 2


@pytest.mark.parametrize(
    ("brand", "rom"),
    [
        ("1", "hyperos"),
        ("4", "harmonyos"),
        ("１１", "oneui"),
        ("小米", "hyperos"),
        ("SAMSUNG", "oneui"),
        ("another brand", "aosp"),
        ("", "aosp"),
        ("99", "aosp"),
        ("21", "aosp"),
    ],
)
def test_usb_debugging_is_explained_for_a_brand(lines_run, brand, rom):
    (line,), shown = lines_run("en", "3", brand, *([""] if brand == "99" else []), "", "0")
    assert line == ["steps", "--usb", "--rom", rom, "--lang", "en"]
    assert "TECNO" in shown


@pytest.mark.parametrize("leave", ["0", "０", "q", "Quit", "EXIT", "退出"])
def test_the_menu_ends_where_people_say_so_in_words_or_full_width(lines_run, leave):
    lines, shown = lines_run("zh", "", "４", "", leave, "1")
    assert lines == [["devices", "--lang", "zh"]]
    assert "这里没有" not in shown


def test_a_typed_command_and_its_help_are_in_the_language_of_the_menu(at_terminal):
    child = at_terminal("--lang", "zh")
    answer(child, "zh", "menu_choose", "sw")
    answer(child, "sw", "menu_choose", "privaudit rules show --nothing")
    child.expect("privaudit rules show --help")
    answer(child, "sw", "menu_back", "")
    answer(child, "sw", "menu_choose", "13")
    child.expect("Matumizi: privaudit")
    answer(child, "sw", "menu_back", "")
    answer(child, "sw", "menu_choose", "0")
    assert ended(child) == 0


def test_a_terminal_shows_whole_words(at_terminal):
    child = at_terminal("devices", "--lang", "sw", COLUMNS="40")
    text = child.read()
    sentences = Translator("sw")
    assert " ".join(sentences.t("errors.no_phone.what").split()) in " ".join(text.split())
    assert [line for line in text.splitlines() if len(line) > 40 and "privaudit " not in line] == []


@pytest.mark.parametrize(
    ("number", "question"), [("2", "menu_ready"), ("7", "menu_close_app"), ("12", "menu_workshop_what")]
)
def test_ctrl_c_at_a_question_leads_back_to_the_menu(at_terminal, number, question):
    child = at_terminal("--lang", "en")
    answer(child, "en", "menu_choose", number)
    child.expect(r"\s+".join(map(re.escape, Translator("en").t(f"cli.{question}").split())))
    child.sendintr()
    answer(child, "en", "menu_choose", "0")
    assert ended(child) == 0


def test_ctrl_c_ends_a_typed_command_and_not_the_menu(at_terminal):
    child = at_terminal("--lang", "en")
    answer(child, "en", "menu_choose", "privaudit demo --serve")
    child.expect("tcp:127.0.0.1:")
    child.sendintr()
    answer(child, "en", "menu_back", "")
    answer(child, "en", "menu_choose", "0")
    assert ended(child) == 0


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("privaudit", ["--help"]),
        ("./privaudit.sh apk 'a b.apk'", ["apk", "a b.apk"]),
        ("audit", None),
        ("privaudit apk 'a", None),
    ],
)
def test_only_a_line_that_begins_with_the_program_is_a_command(typed, words):
    assert menu._command_words(typed) == words


def test_what_friends_can_do_and_the_rights_have_the_country(lines_run):
    lines, _ = lines_run("id", "5", "1", "", "", "6", "Kenya", "", "", "0")
    assert [line[:2] for line in lines] == [["rights", "ID"], ["rights", "KE"]]
    assert "--friends" in lines[1]


def test_closing_by_hand_and_by_this_computer(lines_run):
    lines, _ = lines_run("en", "7", "EasyLoan", "", "", "", "8", "EasyLoan", "", "y", "", "0")
    assert [line[:2] for line in lines] == [["steps", "EasyLoan"], ["revoke", "EasyLoan"], ["revoke", "EasyLoan"]]
    assert ["--apply" in line for line in lines] == [False, False, True]
    assert "--yes" not in lines[2]
    for answers in (("8", "", ""), ("8", "X", "n", ""), ("7", "", "")):
        assert lines_run("en", *answers, "0")[0] == []
    assert len(lines_run("en", "8", "X", "", "", "", "0")[0]) == 1  # only the plan
    assert len(lines_run("en", "8", "X", "", "", "0", exit_code=2)[0]) == 1  # no such app: nothing more is asked


def test_a_letter_is_drawn_from_a_check_of_now(lines_run):
    lines, _ = lines_run("en", "11", "EasyLoan", "Kenya", "4", "", "", "", "0")
    assert [line[0] for line in lines] == ["audit", "letter"]
    assert lines[1][2:8] == ["--app", "EasyLoan", "--kind", "complaint", "--country", "KE"]
    assert "--yes" not in lines[1]
    assert lines_run("en", "11", "EasyLoan", "", "1", "", "0")[0] == []


@pytest.mark.parametrize(("number", "addressee"), [("1", None), ("2", "collector"), ("3", "app-store")])
def test_a_demand_is_drafted_for_whom_the_user_chooses(lines_run, number, addressee):
    lines, _ = lines_run("en", "11", "EasyLoan", "Kenya", number, "", "", "", "0")
    assert lines[1][2:8] == [
        "--app",
        "EasyLoan",
        "--kind",
        "deletion",
        *(("--to", addressee) if addressee else ("--country", "KE")),
    ]


@pytest.fixture
def ledger(tmp_path):
    """A ledger in the home folder, as “let this computer turn it off” leaves one."""
    before = TargetState(held=True, flags=(), uid_mode=None, mode="allow")
    permission = {"kind": ChangeKind.PERMISSION, "what": "android.permission.READ_CONTACTS"}
    change = Change(package="com.example.loan", user=0, before=before, old_app=False, **permission)
    fingerprint = ledgers.InstallFingerprint(salt="00" * 16, model="aa" * 8, apps=("bb" * 8,))
    capture = ledgers.CaptureReference(file="revoked-1.before.zip", sha256="0" * 64)
    path = tmp_path / "revoked-1.ledger.json"
    ledgers.write_ledger(ledgers.create_ledger([change], fingerprint, capture, demo=False), path)
    return path


@pytest.mark.parametrize("code", catalog.languages())
def test_what_the_computer_turned_off_can_be_undone_and_checked_again(lines_run, ledger, code):
    """Without typing a file name: the menu knows what it wrote."""
    lines, shown = lines_run(code, "10", "1", "", "y", "", "9", "1", "", "", "0")
    assert "com.example.loan" in shown
    assert [line[:2] for line in lines[:2]] == [["undo", str(ledger)]] * 2
    assert ["--apply" in line for line in lines[:2]] == [False, True]
    assert "--yes" not in lines[1]
    capture, diff = lines[2:]
    assert capture[0] == "capture"
    assert diff[:5] == ["diff", str(ledger.with_name("revoked-1.before.zip")), capture[1], "--ledger", str(ledger)]


def test_undoing_and_comparing_end_where_the_user_says_no(lines_run, ledger, tmp_path):
    for answers in (("10", "", ""), ("9", "", ""), ("9", "1", "n", ""), ("10", "no such file", "", "")):
        assert lines_run("en", *answers, "0")[0] == []
    assert len(lines_run("en", "10", "1", "", "n", "", "0")[0]) == 1  # only the plan
    assert len(lines_run("en", "10", "1", "", "0", exit_code=4)[0]) == 1  # it cannot be read: nothing more is asked
    check = tmp_path / "check.json"
    check.write_text("{}")
    capture, diff = lines_run("en", "9", str(check), "", "", "0")[0]
    assert diff[:3] == ["diff", str(check), capture[1]]
    assert "--ledger" not in diff


def test_a_damaged_ledger_is_told_of_and_not_offered(lines_run, ledger):
    ledger.write_text("{}")
    lines, shown = lines_run("en", "9", str(ledger), "", "0")
    assert lines == []
    assert "turned off on" not in shown
    assert "Traceback" not in shown


def test_a_workshop_can_be_prepared_practised_and_held(lines_run):
    lines, _ = lines_run("en", "12", "1", "", "", "12", "2", "", "", "12", "3", "", "'day one' ", "", "0")
    assert lines[0][:3] == ["workshop", "kit", "--output"]
    assert "--rehearse" in lines[1]
    assert lines[2][:2] == ["workshop", "day one"]


@pytest.mark.parametrize("code", catalog.languages())
def test_the_menu_fits_80_columns_in_every_language(lines_run, code):
    _, shown = lines_run(code, "0")
    from rich.cells import cell_len

    assert [line for line in shown.splitlines() if re.match(r" +\d+  ", line) and cell_len(line) > 80] == []

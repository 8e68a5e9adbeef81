"""`revoke`, `undo`, `steps` and `diff` as people use them: plan, questions, what is written, what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import typer

from privaudit import audit, facts, knowledge
from privaudit.capture import archive, read_source
from privaudit.cli.console import CliConsole
from privaudit.cli.options import PhoneOptions
from privaudit.cli.revoke import RevocationCommand
from privaudit.errors import PrivauditError
from privaudit.i18n import Translator
from privaudit.report import write_report
from privaudit.revocation import ledger as books
from privaudit.revocation.change import ChangeKind, Outcome, TargetState
from privaudit.virtual_phone.scenario.virtual import VirtualGrant
from privaudit.virtual_phone.state import with_grant, with_install

CONTACTS = "android.permission.READ_CONTACTS"
LOAN = "com.example.sudaibao"


@pytest.fixture
def run_in_process(key, tmp_path, monkeypatch):
    """Return a function that runs `revoke` or `undo` in this process with typed input; returns exit code and output."""
    monkeypatch.setenv("HOME", str(key))
    monkeypatch.setenv("USERPROFILE", str(key))
    monkeypatch.chdir(tmp_path)
    # Reading labels takes most of the time and is not needed here.
    monkeypatch.setattr(audit, "collect_apks", lambda _transport, capture, *_: capture)

    def run_one(phone, *apps, typed="", ledger=None, undo=None, lang="en", **options):
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        console, transport = CliConsole(lang, plain=True), f"tcp:{phone.daemon.address}"
        code, name = 0, None
        try:
            with console.handle_errors():
                arguments = {"source": None, "apply": True, "yes": False, "uninstall": False, **options}
                command = RevocationCommand(
                    console, PhoneOptions(transport=transport), apply=arguments.pop("apply"), yes=arguments.pop("yes")
                )
                if undo is not None:
                    command.undo(undo)
                else:
                    command.revoke(list(apps), ledger_path=ledger, **arguments)
        except typer.Exit as error:
            code = error.exit_code
            name = getattr(error.__cause__, "name", None) if isinstance(error.__cause__, PrivauditError) else None
        return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue(), error=name)

    return run_one


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_revoke_without_apply_prints_the_plan_and_changes_nothing(connect_phone, phones, run, tmp_path, lang):
    phone = connect_phone(
        phones.with_special_access(
            phones.borrower(36, **{"ro.miui.ui.version.name": "V816", "ro.mi.os.version.name": "OS2.0"})
        )
    )
    before = phone.device.phone
    done = run(
        "revoke",
        phones.loan_app,
        "--transport",
        f"tcp:{phone.daemon.address}",
        "--lang",
        lang,
        "--uninstall",
        cwd=tmp_path,
    )
    assert done.code == 0, done.err
    assert phone.device.phone == before
    assert phone.writes() == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("privaudit-")]
    flat = " ".join(done.out.split())
    for command in (
        f"$ cmd role remove-role-holder --user 0 android.app.role.SMS {phones.loan_app}",
        f"$ pm revoke --user 0 {phones.loan_app} {CONTACTS}",
        f"$ pm uninstall --user 0 {phones.loan_app}",
    ):
        assert command in flat
    # "What happens if they notice?" stands before any change, and safety before that.
    marks = {"en": ("Call the police first", "They may notice", "Take screenshots", "$ cmd role", "uninstall last")}
    marks["zh"] = ("110", "对方发现权限关了", "先截屏", "$ cmd role", "最后才卸载")
    places = [flat.index(mark) for mark in marks[lang]]
    assert places == sorted(places)
    word = {"en": "USB debugging (Security settings)", "zh": "USB 调试（安全设置）"}[lang]
    assert word in flat
    assert "com.example.screenreader" not in done.out  # other apps' services are not named


def test_plan_from_a_saved_capture_needs_no_phone(run, demo_phone, tmp_path, phones):
    with demo_phone() as phone:
        saved = run("capture", tmp_path / "check.zip", "--transport", f"tcp:{phone.address}")
    assert saved.code == 0, saved.err
    done = run("revoke", "com.example.anxin", "--from", tmp_path / "check.zip")
    assert (done.code, f"pm revoke --user 0 com.example.anxin {CONTACTS}" in done.out) == (0, True), done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("revoke",), "APP"),
        (("revoke", "…"), "cannot be an app"),
        (("revoke", "com.x", "--ledger", "no/such/folder/l.json"), "does not exist"),
        (("undo",), "LEDGER"),
        (("revoke", "com.x", "--from", "report.json"), "does not contain enough"),
        (("steps", "?!"), "cannot be an app"),
        (("steps", "--rom", "windows"), "does not know"),
        (("diff", "one"), "AFTER"),
    ],
)
def test_wrong_usage(run, tmp_path, words, said):
    (tmp_path / "report.json").write_text("{}")
    done = run(*words, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err


def test_app_that_is_not_installed_is_an_error(connect_phone, phones, run_in_process):
    phone = connect_phone(phones.borrower(34))
    done = run_in_process(phone, phones.loan_app, "com.nobody.here", typed="y\n")
    assert (done.code, done.error) == (2, "app_missing")
    assert phone.writes() == []


# --- the question -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "code"), [("", 2), ("n\n", 0), ("\n", 0), ("maybe\n", 0)])
def test_no_change_without_confirmation(connect_phone, phones, run_in_process, tmp_path, typed, code):
    phone = connect_phone(phones.borrower(34))
    before = phone.device.phone
    done = run_in_process(phone, phones.loan_app, typed=typed)
    assert done.code == code
    assert "Nothing was changed" in done.err
    assert phone.device.phone == before
    assert phone.writes() == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("privaudit-")] == []


@pytest.mark.parametrize("yes", ["y", "是"])
def test_confirmed_run_writes_capture_and_ledger_before_changing(connect_phone, phones, run_in_process, tmp_path, yes):
    phone = connect_phone(phones.borrower(34))
    path = tmp_path / "mine.ledger.json"
    done = run_in_process(phone, phones.loan_app, typed=f"{yes}\n", ledger=path)
    assert done.code == 0, done.err
    sealed = read_source(tmp_path / "mine.before.zip")
    # Evidence before change: the check shows the permission as it was.
    assert f"{CONTACTS}: granted=true" in sealed.answer(f"package.{phones.loan_app}").text
    assert json.loads(path.read_text("utf-8"))["capture"]["file"] == "mine.before.zip"
    assert "contacts not allowed" in done.out
    assert "privaudit undo" in done.err
    undone = run_in_process(phone, undo=path, yes=True)
    assert undone.code == 0, undone.err
    assert "given back" in undone.out
    assert "on again" in undone.out
    assert " off" not in undone.out
    grants = {grant.name: grant.granted for grant in phone.device.phone.find_app(phones.loan_app).installs[0].grants}
    assert grants[CONTACTS]


def test_uninstalling_is_confirmed_separately_despite_yes(connect_phone, phones, run_in_process):
    phone = connect_phone(phones.borrower(34))
    done = run_in_process(phone, phones.loan_app, typed="y\n", yes=True, uninstall=True)
    assert (done.code, phone.writes()) == (0, [])
    done = run_in_process(phone, phones.loan_app, typed=f"{phones.loan_app}\n", yes=True, uninstall=True)
    assert done.code == 0, done.err
    assert phone.device.phone.find_app(phones.loan_app) is None


def test_refused_change_shows_the_reason_and_manual_steps(connect_phone, phones, run_in_process):
    phone = connect_phone(phones.borrower(34, **{"ro.miui.ui.version.name": "V140"}))
    done = run_in_process(phone, phones.loan_app, yes=True)
    assert done.code == 4
    flat = " ".join(done.out.split())
    assert "refused: java.lang.SecurityException" in flat
    assert "Do by hand what did not work: " in flat
    assert "Tap “Manage apps”." in flat


@pytest.mark.parametrize(("lang", "said"), [("en", "refused this: nothing to take back"), ("zh", "没有要恢复的")])
def test_undo_takes_nothing_back_of_what_was_refused(connect_phone, phones, run_in_process, tmp_path, lang, said):
    phone = connect_phone(phones.borrower(34, **{"ro.miui.ui.version.name": "V140"}))
    path = tmp_path / "mine.ledger.json"
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=path).code == 4
    refused = [entry for entry in books.read_ledger(path).entries if entry.outcome is Outcome.REFUSED]
    assert refused
    assert all(entry.had_no_effect and not entry.may_need_undo for entry in refused)
    sent = len(phone.writes())
    done = run_in_process(phone, undo=path, yes=True, lang=lang)
    assert done.code == 0, done.err
    assert "".join(done.out.split()).count("".join(said.split())) >= len(refused)
    assert "given back" not in done.out
    assert "已恢复" not in done.out
    assert phone.writes()[sent:] == []
    assert [entry.outcome for entry in books.read_ledger(path).entries if entry.outcome is Outcome.REFUSED]


def test_the_plan_of_undo_speaks_of_opening(connect_phone, phones, run_in_process, tmp_path):
    phone = connect_phone(phones.with_special_access(phones.borrower(34)))
    path = tmp_path / "mine.ledger.json"
    run_in_process(phone, phones.loan_app, yes=True, ledger=path)
    for lang, closing, opening in (("en", (" off", "takes over"), "again"), ("zh", ("关掉",), "重新")):
        plan = run_in_process(phone, undo=path, apply=False, lang=lang)
        rows = [line for line in plan.out.splitlines() if phones.loan_app in line]
        assert len(rows) > 4
        assert not any(word in line for line in rows for word in closing)
        assert opening in plan.out


# --- a phone that is not the one, or not as it was ------------------------------------------------------------------


def _later(phone):
    apps = []
    for app in phone.apps:
        installs = {
            u: replace(i, first_installed=i.first_installed + timedelta(days=1)) for u, i in app.installs.items()
        }
        apps.append(replace(app, installs=installs))
    return replace(phone, apps=tuple(apps))


def test_plan_or_ledger_of_another_phone_is_refused(connect_phone, phones, run_in_process, tmp_path):
    phone, other = connect_phone(phones.borrower(34)), connect_phone(_later(phones.borrower(34)))
    path = tmp_path / "mine.ledger.json"
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=path).code == 0
    book = books.read_ledger(path)
    books.write_ledger(book.with_entry(0, outcome=Outcome.BEGUN), path)
    for done in (
        run_in_process(other, undo=path, yes=True),
        run_in_process(other, phones.loan_app, yes=True, ledger=path),
        run_in_process(other, phones.loan_app, yes=True, source=tmp_path / "mine.before.zip"),
    ):
        assert (done.code, done.error) == (4, "other_phone")
    assert other.writes() == []


def test_outdated_plan_is_refused(connect_phone, phones, run_in_process, tmp_path):
    phone = connect_phone(phones.borrower(34))
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=tmp_path / "mine.ledger.json").code == 0
    sent = len(phone.writes())
    done = run_in_process(phone, phones.loan_app, yes=True, source=tmp_path / "mine.before.zip")
    assert (done.code, done.error) == (4, "plan_changed")
    assert len(phone.writes()) == sent


def test_phone_that_changed_before_confirmation_is_refused(connect_phone, phones, run_in_process, monkeypatch):
    phone = connect_phone(phones.borrower(34))

    def tapped(*_args, **_values):
        grant = VirtualGrant(name=CONTACTS, granted=False)
        phone.device.update(lambda phone: with_grant(phone, phones.loan_app, 0, grant))
        return "y"

    monkeypatch.setattr(CliConsole, "prompt", tapped)
    done = run_in_process(phone, phones.loan_app)
    assert (done.code, done.error) == (4, "plan_changed")
    assert "Nothing was done" in done.err
    assert phone.writes() == []


def test_app_removed_before_confirmation_is_refused(connect_phone, phones, run_in_process, monkeypatch):
    phone = connect_phone(phones.borrower(34))

    def removed(*_args, **_values):
        phone.device.update(
            lambda phone: with_install(phone, phones.loan_app, 0, lambda install: replace(install, installed=False))
        )
        return "y"

    monkeypatch.setattr(CliConsole, "prompt", removed)
    done = run_in_process(phone, phones.loan_app)
    assert (done.code, done.error) == (4, "app_unread")
    assert phone.writes() == []


def test_reinstalled_app_is_not_undone(connect_phone, phones, run_in_process, tmp_path):
    phone = connect_phone(phones.borrower(34))
    path = tmp_path / "mine.ledger.json"
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=path).code == 0
    again = run_in_process(phone, phones.loan_app, yes=True, ledger=path)
    assert (again.code, "Nothing left to do" in again.err) == (0, True)
    day = timedelta(days=1)
    phone.device.update(
        lambda phone: with_install(
            phone, phones.loan_app, 0, lambda install: replace(install, first_installed=install.first_installed + day)
        )
    )
    sent = len(phone.writes())
    done = run_in_process(phone, undo=path, yes=True)
    assert (done.code, done.error) == (4, "installed_anew")
    assert len(phone.writes()) == sent


def forge(path, content, ledger_path, *, before=None, apps=None, **changed):
    """Write the ledger at `path` again as an app's author could: other changes, another capture, and valid seals."""
    if content is not None:
        archive.write_archive(content, path.with_name("forged.zip"))
        sealed = path.with_name("forged.zip").read_bytes()
        changed["capture"] = books.CaptureReference(file="forged.zip", sha256=hashlib.sha256(sealed).hexdigest())
    book = books.read_ledger(path)
    if apps is not None:
        changed["phone"] = replace(book.phone, apps=apps)
    entries = book.entries
    if before is not None:
        entries = tuple(replace(one, outcome=Outcome.DONE, change=replace(one.change, **before)) for one in entries)
    books.write_ledger(replace(book, entries=entries, **changed), ledger_path)
    return ledger_path


@pytest.fixture
def closed_by_owner(connect_phone, phones, run_in_process, tmp_path):
    """A phone whose owner has closed an app's contacts, and a real ledger of another app of the same phone."""
    phone = connect_phone(phones.borrower(34))
    denied = VirtualGrant(name=CONTACTS, granted=False)
    phone.device.update(lambda phone: with_grant(phone, phones.cloned_app, 0, denied))
    path = tmp_path / "mine.ledger.json"
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=path).code == 0
    return phone, path


def is_granted(phone, package):
    return {grant.name: grant.granted for grant in phone.device.phone.find_app(package).installs[0].grants}[CONTACTS]


def test_undo_opens_only_what_the_sealed_capture_shows_as_open(closed_by_owner, phones, run_in_process, tmp_path):
    phone, path = closed_by_owner
    book = books.read_ledger(path)
    real = next(one for one in book.entries if one.change.what == CONTACTS)
    forged = replace(real, change=replace(real.change, package=phones.cloned_app))
    ledger = tmp_path / "two.json"
    books.write_ledger(replace(book, entries=(real, forged)), ledger)
    sent = len(phone.writes())
    done = run_in_process(phone, undo=ledger, yes=True)
    assert done.code == 4
    assert is_granted(phone, phones.loan_app)
    assert not is_granted(phone, phones.cloned_app)
    assert not [line for line in phone.writes()[sent:] if phones.cloned_app in line]
    flat = " ".join(done.out.split())
    assert f"{phones.cloned_app}: Read contacts (READ_CONTACTS): on again → not undone: the capture" in flat
    assert flat.count("not undone") == 1


@pytest.mark.parametrize(
    "before",
    [
        {"before": TargetState(held=False)},
        {"before": TargetState(held=True, flags=("USER_FIXED",))},
        {"before": TargetState(held=True, mode="foreground")},
        {"before": TargetState(held=True, uid_mode="ignore")},
        {"old_app": True},
        {"system": True},
        {"user": 10},
        {"package": "com.example.absent"},
        {"kind": ChangeKind.ROLE, "what": "default_sms"},
        {"kind": ChangeKind.SPECIAL_OP, "what": "overlay"},
        {"kind": ChangeKind.ACCESSIBILITY, "what": f"{LOAN}/.Reader"},
        {"kind": ChangeKind.LISTENER, "what": f"{LOAN}/.Listener"},
        {"kind": ChangeKind.PERMISSION, "what": "android.permission.PROCESS_OUTGOING_CALLS"},
    ],
)
def test_undo_changes_nothing_that_the_sealed_capture_shows_otherwise(
    closed_by_owner, run_in_process, tmp_path, before
):
    phone, path = closed_by_owner
    sent, state = len(phone.writes()), phone.device.phone
    done = run_in_process(phone, undo=forge(path, None, tmp_path / "other.json", before=before), yes=True)
    assert (done.code, len(phone.writes()), phone.device.phone) == (4, sent, state), done.err
    assert "not undone: the capture" in " ".join(done.out.split())


@pytest.mark.unix
@pytest.mark.parametrize("damage", ["missing", "changed", "link", "folder", "outside", "other capture"])
def test_undo_without_the_sealed_capture_is_refused(closed_by_owner, run_in_process, tmp_path, damage):
    phone, path = closed_by_owner
    sealed, sent = tmp_path / "mine.before.zip", len(phone.writes())
    match damage:
        case "missing":
            sealed.unlink()
        case "changed":
            sealed.write_bytes(sealed.read_bytes() + b"\0")
        case "link":
            sealed.rename(tmp_path / "elsewhere.zip")
            sealed.symlink_to(tmp_path / "elsewhere.zip")
        case "folder":
            sealed.unlink()
            sealed.mkdir()
        case "outside":
            (tmp_path / "in").mkdir()
            reference = replace(books.read_ledger(path).capture, file="../mine.before.zip")
            path = forge(path, None, tmp_path / "in" / "mine.ledger.json", capture=reference)
        case "other capture":
            archive.write_archive(replace(read_source(sealed), log=()), tmp_path / "new.zip")
            (tmp_path / "new.zip").replace(sealed)
    for apply in (False, True):
        done = run_in_process(phone, undo=path, yes=True, apply=apply)
        assert (done.code, done.error, done.out) == (4, "ledger_capture", "")
        assert "Nothing was done" in done.err
    assert len(phone.writes()) == sent


def test_capture_that_names_only_the_authors_own_app_is_refused(
    closed_by_owner, connect_phone, phones, run_in_process, tmp_path
):
    """An app knows the model and its own installation: a capture and a ledger of these alone are of no real phone."""
    phone, path = closed_by_owner
    one_app = tuple(app for app in phone.device.phone.apps if app.package == phones.loan_app or app.is_system)
    capture = connect_phone(replace(phone.device.phone, apps=one_app)).capture(phones.loan_app)
    fingerprint = books.compute_fingerprint(facts.gather_facts(capture), books.read_ledger(path).phone.salt)
    forged = forge(path, capture, tmp_path / "forged.json", apps=fingerprint.apps)
    sent = len(phone.writes())
    done = run_in_process(phone, undo=forged, yes=True)
    assert (done.code, done.error, len(phone.writes())) == (4, "other_phone", sent)


def test_edited_ledger_and_ledger_of_other_apps_are_refused(connect_phone, phones, run_in_process, tmp_path):
    phone = connect_phone(phones.borrower(34))
    path = tmp_path / "mine.ledger.json"
    assert run_in_process(phone, phones.loan_app, yes=True, ledger=path).code == 0
    sent = len(phone.writes())
    assert run_in_process(phone, phones.cloned_app, yes=True, ledger=path).error == "ledger_other_apps"
    path.write_text(path.read_text("utf-8").replace("READ_CONTACTS", "READ_SMS"))
    for done in (
        run_in_process(phone, undo=path, yes=True),
        run_in_process(phone, phones.loan_app, yes=True, ledger=path),
    ):
        assert (done.code, done.error) == (4, "ledger_changed")
        assert "Nothing was done" in done.err
    assert len(phone.writes()) == sent


def test_interrupted_run_says_how_to_resume_and_resumes(connect_phone, phones, run_in_process, tmp_path, monkeypatch):
    from privaudit.errors import ConnectionLost
    from privaudit.revocation import apply

    phone = connect_phone(phones.borrower(34))
    path = tmp_path / "mine.ledger.json"
    send = apply.LedgerRun._run_commands
    left = [1]

    def cut(self, made):
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionLost("errors.lost")
        return send(self, made)

    monkeypatch.setattr(apply.LedgerRun, "_run_commands", cut)
    done = run_in_process(phone, phones.loan_app, yes=True, ledger=path)
    assert (done.code, done.error) == (4, "lost")
    assert f"--ledger {path}" in done.err
    left[0] = 100
    done = run_in_process(phone, phones.loan_app, yes=True, ledger=path)
    assert done.code == 0, done.err
    assert {entry["outcome"] for entry in json.loads(path.read_text("utf-8"))["entries"]} == {"done"}


def test_keyboard_interrupt_is_not_reported_as_unchanged(connect_phone, phones, run_in_process, tmp_path, monkeypatch):
    from privaudit.revocation import apply

    phone = connect_phone(phones.borrower(34))
    reread = apply.LedgerRun._read_back

    def stop(self, *given):
        reread(self, *given)
        raise KeyboardInterrupt

    monkeypatch.setattr(apply.LedgerRun, "_read_back", stop)
    done = run_in_process(phone, phones.loan_app, yes=True, ledger=tmp_path / "mine.ledger.json")
    assert done.code == 130
    assert "Stopped partway" in done.err
    assert "Nothing was changed" not in done.err


# --- steps and diff ---------------------------------------------------------------------------------------------------


def test_steps_without_a_name_leave_out_what_only_the_owner_may_see(run, capture_of_story, tmp_path):
    """An unrecognised app would stand unmarked among lenders. By its name its owner gets its steps."""
    report = audit.build_report(
        capture_of_story("borrower"),
        knowledge.load_knowledge(demo=True),
        audit.ReportOptions(include_unrecognised=True, include_all_apps=True),
    )
    (suspect,) = {finding.package for finding in report.findings if finding.rule == "suspect"}
    (app,) = [app for app in report.apps if app.package == suspect]
    lenders = [app for app in report.apps if app.is_recognised]
    write_report(report, tmp_path / "report.json", Translator("en"))
    done = run("steps", "--from", tmp_path / "report.json", "--plain")
    assert app.label not in done.out
    assert all(app.label in done.out for app in lenders if any(a.state.allows_reading for a in app.access.values()))
    ordinary = [app.label for app in report.apps if not app.is_recognised and app.label]
    assert not [label for label in ordinary if f"\n{label}\n" in done.out]
    assert app.label in run("steps", suspect, "--from", tmp_path / "report.json", "--plain").out


def test_steps_from_a_report_with_the_menus_of_another_rom(run):
    from pathlib import Path

    golden = Path(__file__).parent.parent / "golden" / "borrower.json"
    done = run("steps", "com.example.anxin", "--from", golden, "--rom", "coloros", "--lang", "zh")
    assert done.code == 0, done.err
    flat = "".join(done.out.split())
    for part in ("先打110", "点“应用管理”", "点“安信消费贷”", "点“应用权限”", "撤消USB调试授权"):
        assert part in flat
    assert flat.index("对方发现权限关了") < flat.index("点“应用管理”") < flat.index("卸载（先别做）")
    missing = run("steps", "com.nobody.here", "--from", golden)
    assert (missing.code, "com.example.anxin" in missing.err) == (2, True)  # a report knows only its own apps


def test_usb_debugging_steps_need_no_phone(run):
    done = run("steps", "--usb", "--rom", "harmonyos")
    assert done.code == 0
    assert "HarmonyOS NEXT" in done.out
    assert done.out.index("bank, payment and loan apps") < done.out.index("seven times")


def test_diff_shows_revoked_and_regranted_access(connect_phone, phones, run, tmp_path):
    phone = connect_phone(phones.borrower(34))
    way = ("--transport", f"tcp:{phone.daemon.address}", "--no-apks", "--signatures", tmp_path / "mine.toml")
    (tmp_path / "mine.toml").write_text(
        f'[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\npackage = "{phones.loan_app}"\n', encoding="utf-8"
    )
    run("audit", *way, "-o", tmp_path / "first.json")
    phone.run(phones.loan_app).apply()
    run("audit", *way, "-o", tmp_path / "second.json")
    # The maker gives it back behind everybody's back.
    phone.device.update(lambda phone: with_grant(phone, phones.loan_app, 0, VirtualGrant(name=CONTACTS, granted=True)))
    run("audit", *way, "-o", tmp_path / "third.json")
    closed = run("diff", tmp_path / "first.json", tmp_path / "second.json")
    assert closed.code == 0, closed.err
    flat = " ".join(closed.out.split())
    assert "Revoked since:" in flat
    assert "contacts: can read → not allowed" in flat
    assert "Open now" not in flat
    back = run("diff", tmp_path / "second.json", tmp_path / "third.json", "--lang", "zh")
    files = [tmp_path / f"changes{suffix}" for suffix in (".html", ".txt", ".json")]
    options = [part for file in files for part in ("-o", file)]
    written = run("diff", tmp_path / "second.json", tmp_path / "third.json", "--lang", "zh", *options)
    assert (written.code, written.out) == (0, back.out)
    page, text, data = (file.read_text(encoding="utf-8") for file in files)
    assert text == back.out
    assert '<html lang="zh-Hans"' in page
    assert "以前关着，现在开着" in page
    assert json.loads(data)["schema"] == "privaudit-diff/1"
    refused = run("diff", tmp_path / "second.json", tmp_path / "third.json", "-o", tmp_path / "changes.csv")
    assert refused.code == 2
    assert ".html" in refused.err
    assert "通讯录：不允许 → 能读" in back.out
    document = json.loads(run("diff", tmp_path / "second.json", tmp_path / "third.json", "--json").out)
    assert [(one_["what"], one_["direction"]) for one_ in document["changes"]] == [("contacts", "opened")]
    wrong = run("diff", tmp_path / "third.json", tmp_path / "first.json")
    assert (wrong.code, "older" in wrong.err) == (2, True)


def test_diff_does_not_forget_what_was_closed(connect_phone, phones, run, tmp_path):
    """One of them is recognised only while it has access: closed, a report alone does not name it any more."""
    phone = connect_phone(phones.borrower(34))
    way = ("--transport", f"tcp:{phone.daemon.address}")
    closed = run(
        "revoke",
        "com.example.creditwing",
        "com.example.anxin",
        *way,
        "--apply",
        "--yes",
        "--ledger",
        "my.ledger.json",
        cwd=tmp_path,
    )
    assert closed.code == 0, closed.err
    commands = [line.split() for line in closed.out.splitlines() if line.startswith("  privaudit ")]
    assert [words[1] for words in commands] == ["capture", "diff"]
    for words in commands:  # what it prints is what works
        done = run(*words[1:], cwd=tmp_path)
        assert done.code == 0, done.err
    flat = " ".join(done.out.split())
    assert "安信消费贷: contacts: can read → not allowed" in flat.partition("Revoked since:")[2]
    assert "小翼分期: contacts: granted, but blocked → not allowed" in flat
    before, later = commands[1][2:4]
    again = run("diff", later, later, "--app", "小翼分期", cwd=tmp_path)
    assert "小翼分期: contacts: not allowed" in " ".join(again.out.split()), again.out
    missing = run("diff", before, later, "--app", "Nobody's app", cwd=tmp_path)
    assert missing.code == 2
    assert "小翼分期" in run("diff", before, later, cwd=tmp_path).out


@pytest.mark.parametrize(("brand", "menu"), [("redmi", "HyperOS"), ("samsung", "One UI"), ("tecno", "HiOS")])
def test_steps_of_a_brand_need_no_phone(run, brand, menu):
    done = run("steps", "--rom", brand, "--transport", "usb", "--lang", "en")
    assert done.code == 0, done.err
    assert menu in done.out
    assert "Menus differ?" in done.out.partition("[ ] 1.")[0]  # a hint is no step
    for name in ("Contacts", "SMS", "Call logs"):
        assert f"“{name}”, choose" in " ".join(done.out.split())


def test_steps_of_an_app_need_the_phone(run):
    assert run("steps", "com.example.anxin", "--rom", "redmi", "--transport", "usb").code == 4

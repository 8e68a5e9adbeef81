"""What the page asks Python for, without a browser: the virtual phone, saved files, plan, changes, undo, documents."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import zipfile

import pytest

from privaudit import virtual_phone
from privaudit.browser.session import PageSession
from privaudit.browser.virtual_transport import VirtualTransport
from privaudit.capture.collector import collect_first_round
from privaudit.documents import evidence_folder
from privaudit.documents.letters import ADDRESSEES
from privaudit.errors import ConnectionLost, PhoneError
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.revocation import apply, ledger
from privaudit.transport import adb_auth
from tests.test_language import ATTACKS


class Host:
    """The page: notes what it is told and asked to keep."""

    def __init__(self):
        self.told = []
        self.kept = []
        self.keeps = True
        self.transport = None

    def tell(self, kind, text):
        self.told.append((kind, text))

    def connect(self, *_):
        if isinstance(self.transport, Exception):
            raise self.transport
        return self.transport

    def keep_ledger(self, content):
        if self.keeps:
            self.kept.append(content)
        return self.keeps


class Visit:
    def __init__(self):
        self.host = Host()
        self.session = PageSession(self.host)

    def answer(self, request, data=None, /, **arguments):
        text, file = self.session.handle_request(request, json.dumps(arguments), data)
        return json.loads(text), file

    def ask(self, request, data=None, /, **arguments):
        answer, file = self.answer(request, data, **arguments)
        assert "error" not in answer, answer
        return file if file is not None else answer["value"]

    def error(self, request, data=None, /, **arguments):
        return self.answer(request, data, **arguments)[0]["error"]


@pytest.fixture
def visit(monkeypatch):
    monkeypatch.setattr(apply, "READ_BACK_DELAYS_S", (0.0,))
    return Visit()


@pytest.fixture
def checked(visit):
    visit.ask("connect_virtual")
    visit.ask("audit", country="CN")
    return visit


class Weak(VirtualTransport):
    """A virtual phone whose cable is pulled before the command with this number, each time it is connected."""

    def __init__(self, scenario="borrower", breaks_at=None):
        super().__init__(scenario)
        self.breaks_at = breaks_at
        self.count = 0

    def run(self, command, **limits):
        self.count += 1
        if self.breaks_at is not None and self.count >= self.breaks_at:
            raise ConnectionLost("errors.lost")
        return super().run(command, **limits)


def connect(visit, transport):
    key = adb_auth.generate()
    numbers = {"n": key.modulus, "e": key.public_exponent, "d": key.private_exponent}
    jwk = {
        name: base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
        for name, value in numbers.items()
    }
    assert visit.ask("set_key", jwk=jwk) == key.fingerprint
    visit.host.transport = transport
    visit.ask("connect")


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", catalog.languages())
def test_the_virtual_phone_is_shown_in_every_language(checked, code):
    checked.ask("set_language", code=code)
    shown = checked.ask("show")
    assert shown["apps"][0]["package"] == "com.example.sudaibao"
    assert shown["can_change"]
    assert not shown["cut"]
    assert Translator(code).t("report.demo") in shown["notices"]
    assert "[" not in "".join(step for tap_list in shown["taps"] for step in tap_list["steps"])


def test_progress_is_told(checked):
    assert [kind for kind, _ in checked.host.told].count("progress") >= 3
    assert ("named", '{"done": 94, "total": 94}') in checked.host.told


def test_saved_files_open_again_and_say_the_same(checked, visit):
    summary = checked.ask("show")["summary"]
    saved = {kind: checked.ask("save", kind=kind) for kind in ("json", "check")}
    for kind, name in (("json", "page.json"), ("check", r"C:\Users\x\data.zip")):
        visit.ask("open_file", saved[kind], name=name, country="CN")
        shown = visit.ask("show")
        assert shown["summary"] == summary
        assert not shown["can_change"]
        assert shown["has_check"] == (kind == "check")


@pytest.mark.parametrize("name", ["../../etc/passwd", "x.zip", "x.json", "", "..", "/", "con.json", "长" * 200])
def test_a_file_that_is_none_is_an_error_that_names_only_the_file(visit, name):
    error = visit.error("open_file", b"\0{", name=name)
    assert error["what"]
    assert tempfile.gettempdir() not in error["what"] + error["why"]
    assert error["name"] != "bug"


def test_another_country_changes_the_rules(checked):
    before = checked.ask("show")["html"]
    checked.ask("set_country", country="IN")
    assert checked.ask("show")["html"] != before
    checked.ask("set_country", country="CN")
    assert checked.ask("show")["html"] == before


def test_the_evidence_folder_is_whole(checked, tmp_path):
    with zipfile.ZipFile(io.BytesIO(checked.ask("save", kind="evidence"))) as packed:
        packed.extractall(tmp_path)
    check = evidence_folder.verify_evidence_folder(tmp_path / "evidence")
    assert check.changes == ()
    assert (tmp_path / "evidence" / "sealed" / "capture.zip").exists()


@pytest.mark.parametrize("country", [None, *rights.countries_with_rights()])
@pytest.mark.parametrize("kind", ["call", "rights", "friends", "deletion", "complaint", "evidence-list"])
def test_documents_need_no_phone(visit, kind, country):
    if country is None and kind in {"deletion", "complaint", "evidence-list"}:
        country = ""
    page = visit.ask("document", kind=kind, country=country)
    assert page["title"] in page["html"].replace("&amp;", "&")


def test_a_letter_about_an_app_names_it(checked):
    package = checked.ask("show")["letters"][0]
    assert package in checked.ask("document", kind="deletion", country="CN", package=package)["text"]


def test_a_demand_goes_to_lender_collector_or_store(checked):
    package = checked.ask("show")["letters"][0]
    for choice in ({"package": package}, {}):
        drafts = [
            checked.ask("document", kind="deletion", country="KE", addressee=addressee, **choice)["text"]
            for addressee in (None, *ADDRESSEES)
        ]
        assert drafts[0] == drafts[1]
        assert len({*drafts}) == len(ADDRESSEES)


def test_what_an_app_calls_itself_is_escaped(checked, made, tmp_path):
    from privaudit.report import json as report_json

    app = made.app(label=ATTACKS["markup"], contacts=made.access("can_read"))
    data = report_json.render(made.report(app, findings=(made.finding(app),))).encode()
    checked.ask("open_file", data, name="x.json")
    shown = checked.ask("show")
    assert "<script" not in shown["html"]


# --- a cable that is pulled -------------------------------------------------------------------------------------------


def test_a_cut_check_goes_on_with_the_same_phone(visit):
    phone = Weak(breaks_at=4)
    connect(visit, phone)
    visit.ask("audit")
    assert visit.ask("show")["cut"]
    phone.breaks_at = None
    connect(visit, phone)
    visit.ask("resume")
    assert not visit.ask("show")["cut"]


def test_a_cut_check_does_not_go_on_with_another_phone(visit):
    connect(visit, Weak(breaks_at=4))
    visit.ask("audit")
    connect(visit, Weak("hyperos"))
    assert visit.error("resume")["name"] == "another_phone"


@pytest.mark.parametrize("error", [PhoneError("errors.browser_busy"), PhoneError("errors.browser_denied")])
def test_an_error_is_three_sentences(visit, error):
    with pytest.raises(AssertionError):
        connect(visit, error)
    said = visit.error("connect")
    assert said["name"] == error.name
    assert all(said[part] and "[" not in said[part] for part in ("what", "why", "next"))


def test_a_bug_names_its_place_and_nothing_of_the_phone(visit):
    error = visit.error("show")
    assert error["name"] == "bug"
    assert "session.py" in error["what"]


# --- changes ----------------------------------------------------------------------------------------------------------

APP = "com.example.sudaibao"


def test_plan_apply_and_undo_leave_a_ledger_that_the_commands_read(checked, tmp_path):
    device = checked.session._connection.device
    before = device.phone
    plan = checked.ask("plan", packages=[APP])
    assert [app["title"] for app in plan["apps"]] == [f"速贷宝  {APP}"]
    assert device.phone == before
    (tmp_path / "x.before.zip").write_bytes(checked.ask("seal", name="x.before.zip"))
    assert checked.host.kept == []
    done = checked.ask("apply")
    assert done["all_done"]
    assert device.phone != before
    changes = sum(len(app["changes"]) for app in plan["apps"])
    # Planned, and then before and after each change.
    assert len(checked.host.kept) == 1 + 2 * changes
    path = tmp_path / "x.ledger.json"
    path.write_bytes(checked.host.kept[-1])
    read = ledger.read_ledger(path)
    assert {entry.change.package for entry in read.entries} == {APP}
    assert ledger.read_sealed_capture(read, path).demo
    assert checked.ask("undo")["all_done"]
    granted = [grant.granted for grant in device.phone.find_app(APP).installs[0].grants]
    assert granted == [grant.granted for grant in before.find_app(APP).installs[0].grants]


def test_without_a_kept_ledger_nothing_is_changed(checked):
    device = checked.session._connection.device
    before = device.phone
    checked.ask("plan", packages=[APP])
    assert checked.error("apply")["name"] == "browser_not_kept"  # no check was saved beside it
    checked.ask("seal", name="x.before.zip")
    checked.host.keeps = False
    assert checked.error("apply")["name"] == "browser_not_kept"
    assert device.phone == before


def test_a_disk_that_fills_up_ends_the_changes(checked):
    device = checked.session._connection.device
    checked.ask("plan", packages=[APP])
    checked.ask("seal", name="x.before.zip")
    keep = checked.host.keep_ledger
    checked.host.keep_ledger = lambda content: len(checked.host.kept) < 3 and keep(content)
    assert checked.error("apply")["name"] == "browser_not_kept"
    granted = {grant.name: grant.granted for grant in device.phone.find_app(APP).installs[0].grants}
    assert (
        sum(granted.values())
        == sum(grant.granted for grant in virtual_phone.load_scenario("borrower").find_app(APP).installs[0].grants) - 1
    )


def test_changes_go_on_after_a_pulled_cable_and_only_on_the_same_phone(visit):
    phone = Weak()
    connect(visit, phone)
    visit.ask("audit")
    visit.ask("plan", packages=[APP])
    visit.ask("seal", name="x.before.zip")
    phone.breaks_at = phone.count + 8
    assert visit.error("apply")["name"] == "lost"
    connect(visit, Weak("hyperos"))
    assert visit.error("apply")["name"] == "other_phone"
    phone.breaks_at = None
    connect(visit, phone)
    assert visit.ask("apply")["all_done"]


def test_plan_and_outcomes_say_in_words_what_is_taken(checked):
    (app,) = checked.ask("plan", packages=[APP])["apps"]
    assert app["title"] == f"速贷宝  {APP}"
    closes = [change["closes"] for change in app["changes"]]
    assert "Read contacts (READ_CONTACTS): off" in closes
    checked.ask("seal", name="x.before.zip")
    checked.ask("apply")
    changed = [text for kind, text in checked.host.told if kind == "changed"]
    assert len(changed) == len(closes)
    for text, close in zip(changed, closes, strict=True):
        assert text.startswith(f"{APP}: {close} → ")  # no label, which could claim another outcome


def test_a_plan_that_the_phone_has_outrun_is_not_carried_out(checked):
    transport = checked.session._connection
    checked.ask("plan", packages=[APP])
    checked.ask("seal", name="x.before.zip")
    transport._shell.run_script(f"pm revoke --user 0 {APP} android.permission.READ_CONTACTS")
    assert checked.error("apply")["name"] == "plan_changed"


def test_an_app_that_is_not_there_gives_no_plan(checked):
    assert checked.error("plan", packages=["com.example.absent"])["name"] == "app_missing"


# --- the end ----------------------------------------------------------------------------------------------------------


def test_nothing_is_left_after_close(checked):
    checked.ask("close")
    kept = {name: value for name, value in vars(checked.session).items() if value not in (None, False)}
    assert kept.keys() == {"_host", "language", "_requests", "_country"}


def test_counts_of_several_phones_leave_small_numbers_out(visit):
    records = []
    for _ in range(6):
        connect(visit, Weak())
        visit.ask("audit")
        records.append(visit.ask("record"))
    assert len({record["token"] for record in records}) == 6
    counted = json.loads(visit.ask("counts", records=records))
    assert counted["schema"] == "privaudit-workshop-totals/1"
    assert counted["tables"]["phones"]["rows"] == {"phones": 6}
    few = json.loads(visit.ask("counts", records=records[:2]))
    assert few["tables"]["phones"]["rows"] == {"phones": None}


def test_a_saved_file_is_counted_as_no_phone(checked):
    data = checked.ask("save", kind="json")
    checked.ask("open_file", data, name="x.json")
    assert checked.ask("record") is None
    checked.ask("close")
    assert checked.ask("record") is None


def test_the_virtual_transport_answers_as_the_daemon_does():
    capture = collect_first_round(VirtualTransport("borrower"))
    assert len(capture.answers) > 10


def test_consent_is_read_aloud_in_the_owners_language(visit):
    for code in catalog.languages():
        visit.ask("set_language", code=code)
        lines = visit.ask("consent")
        assert lines[0] == Translator(code).t("workshop.consent_title")
        assert len(lines) == 8


@pytest.mark.parametrize("rom", ["aosp", "miui", "oneui", "harmonyos"])
def test_usb_steps_are_those_of_the_brand(visit, rom):
    steps = visit.ask("usb_steps", rom=rom)
    assert len(steps["on"]) > 3
    # What to know stands above the steps, and has no number and no box to tick.
    assert steps["notes"]
    assert not any("Search Settings" in step for step in steps["on"])
    assert visit.ask("closing")["steps"][0] == Translator("en").t("workshop.unplug")

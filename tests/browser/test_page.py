"""The built page in Chromium, opened from a disk: the whole visit over a fake cable, languages, errors, no network.

The first test is in the ordinary suite; the others are ``make test-browser``.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pytest

from privaudit.i18n import Translator, catalog
from privaudit.report import json as report_json
from privaudit.revocation import ledger
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from tests.browser.conftest import slow
from tests.test_language import ATTACKS

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
APP = "com.example.sudaibao"
PHONE, DESK = 390, 1280


def test_the_file_opens_from_a_disk_and_checks_the_virtual_phone(visit):
    one = visit()
    one.click("#go-virtual")
    one.sees("report")
    report = one.page.frame_locator("#report-frame")
    assert "5 lending apps found" in report.locator("body").inner_text()
    assert one.page.locator("#apps h3").count() == 2  # one list for three apps, one for the clone


@slow
def test_the_folder_runs_on_a_host_and_checks_the_virtual_phone(visit, page_file):
    handler = partial(QuietHandler, directory=page_file.with_name("privaudit-page"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        one = visit(address=address)
        parts = {url.removeprefix(address) for url in one.requests if url.startswith(address)} - {"", "favicon.ico"}
        assert {f"parts/{path.name}" for path in (page_file.with_name("privaudit-page") / "parts").iterdir()} == parts
        requests = len(one.requests)
        one.click("#go-virtual")
        one.sees("report")
        report = one.page.frame_locator("#report-frame")
        assert "5 lending apps found" in report.locator("body").inner_text()
        # Once it is ready it asks its host for nothing more.
        assert not [url for url in one.requests[requests:] if url.startswith("http")]
        one.click("#done-button")
        one.sees("done")
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


# --- the whole visit --------------------------------------------------------------------------------------------------


def saved(one, button, folder):
    with one.page.expect_download() as download:
        one.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@slow
@pytest.mark.parametrize("serial", ["'DEMO1'", "null"])
def test_a_whole_visit(visit, tmp_path, serial):  # noqa: PLR0915 - it is one visit
    one = visit(script=f"bus.serial = {serial}; bus.plug();")
    page, cable = one.page, one.cable
    one.click("#go-check")
    one.sees("prepare")
    one.wait(lambda: page.locator("#usb-steps li").count() > 3, "steps")
    one.click("#connect")
    one.wait(lambda: page.locator("#fingerprint").is_visible(), "the fingerprint")
    fingerprint = page.inner_text("#fingerprint")
    assert re.fullmatch(r"([0-9A-F]{2}:){15}[0-9A-F]{2}", fingerprint)
    assert re.fullmatch(r"\d+ seconds left", page.inner_text("#left"))
    one.sees("report")

    # The report is that of the command line.
    report = report_json.read_report(saved(one, "#save-json", tmp_path))
    assert report.source.kind == "usb"
    assert not report.demo
    html = saved(one, "#save-html", tmp_path)
    assert "<script" not in html.read_text(encoding="utf-8")
    check = saved(one, "#save-check", tmp_path)
    evidence = saved(one, "#save-evidence", tmp_path)
    assert zipfile.is_zipfile(check)
    assert any(name.endswith("sheet.html") for name in zipfile.ZipFile(evidence).namelist())
    assert not any("privaudit" in path.name or "loan" in path.name for path in (html, check, evidence))

    one.click("#apps input")
    assert page.locator("#apps :checked").count() == 1

    # The plan names nothing that was not chosen, and changes nothing.
    before = cable.device.phone
    assert page.locator("#change-apps :checked").count() == 0
    one.click("#make-plan")
    assert "No app was chosen" in one.problem()
    one.click(f"#change-apps input[value='{APP}']")
    one.click("#make-plan")
    one.sees("plan")
    assert page.locator("#plan-parts h2").count() == 1
    assert page.is_disabled("#apply")
    assert cable.device.phone == before
    one.click("#plan-agreed")
    with page.expect_download() as sealed:
        one.click("#apply")
    sealed_path = tmp_path / sealed.value.suggested_filename
    sealed.value.save_as(sealed_path)
    one.sees("result")
    assert cable.device.phone != before
    (kept,) = one.bus("Object.entries(keptFiles)")
    name, file = kept
    changed = page.locator("#result-changed li").count()
    assert file["writes"] == 1 + 2 * changed
    ledger_path = tmp_path / name
    ledger_path.write_text(file["content"], encoding="utf-8")
    # What was kept is what the command line takes for `undo`.
    read = ledger.read_ledger(ledger_path)
    assert ledger.read_sealed_capture(read, ledger_path).answers

    one.click("#undo")
    given_back = Translator("en").t("remedy.undone")
    one.wait(lambda: page.locator("#result-changed li", has_text=given_back).count(), given_back)
    one.sees("result")
    granted = [grant.granted for grant in cable.device.phone.find_app(APP).installs[0].grants]
    assert granted == [grant.granted for grant in before.find_app(APP).installs[0].grants]
    one.click("#result-again")
    one.sees("report")

    one.click("#done-button")
    one.sees("done")
    assert one.bus("bus.forgotten") == 1
    assert one.bus("bus.granted.size") == 0
    assert page.locator("#closing li").count() > 3
    left = page.locator("#left-files li").all_inner_texts()
    assert {path.name for path in (html, check, evidence, sealed_path, ledger_path)} <= set(left)
    for text in ("速贷宝", APP, fingerprint):
        assert text not in page.content()
    one.click("#done-home")
    one.sees("home")
    one.ready()


@slow
def test_the_next_phone_begins_anew(visit, tmp_path):
    one = visit()
    page = one.page
    page.check("#helper")
    fingerprints = set()
    for number in range(2):
        if not number:
            one.click("#go-check")
        one.sees("prepare")
        one.wait(lambda: page.locator("#consent p").count() == 8, "the consent")
        one.click("#connect")
        one.wait(lambda: page.locator("#fingerprint").is_visible(), "the fingerprint")
        fingerprints.add(page.inner_text("#fingerprint"))
        one.sees("report")
        one.click("#next-phone" if not number else "#done-button")
        one.sees("prepare" if not number else "done")
        assert "速贷宝" not in page.content()
    assert len(fingerprints) == 2  # a new key for each
    assert one.bus("bus.forgotten") == 2
    counts = json.loads(saved(one, "#save-counts", tmp_path).read_text(encoding="utf-8"))
    assert counts["tables"]["phones"]["rows"]["phones"] is None  # two phones are too few to be published


@slow
def test_a_browser_that_cannot_write_files_keeps_the_ledger_until_it_is_saved(visit, tmp_path):
    one = visit(script="delete window.showSaveFilePicker")
    page = one.page
    one.click("#go-virtual")
    one.sees("report")
    one.click(f"#change-apps input[value='{APP}']")
    one.click("#make-plan")
    one.sees("plan")
    one.click("#plan-agreed")
    files = []
    page.on("download", lambda file: files.append(file))  # noqa: PLW0108 - Playwright marks it
    one.click("#apply")
    one.sees("result")
    one.wait(lambda: len(files) == 2, "two files")
    for file in files:
        file.save_as(tmp_path / file.suggested_filename)
    (path,) = tmp_path.glob("*.ledger.json")
    assert ledger.read_sealed_capture(ledger.read_ledger(path), path).demo
    # A visit that ends here leaves it in the browser, and the next one offers it.
    page.reload()
    assert "earlier visit" in one.problem()
    one.click("#problem button:last-of-type")
    page.reload()
    one.ready()
    assert not page.locator("#problem").is_visible()


@slow
@pytest.mark.parametrize("script", ["window.refuseFile = true", "window.fullDisk = true"])
def test_without_a_ledger_nothing_is_changed(visit, script):
    one = visit(script=script)
    page = one.page
    one.connect()
    before = one.cable.device.phone
    one.click(f"#change-apps input[value='{APP}']")
    one.click("#make-plan")
    one.sees("plan")
    one.click("#plan-agreed")
    one.click("#apply")
    if "fullDisk" in script:
        assert "record of the changes could not be kept" in one.problem()
    page.wait_for_timeout(500)
    assert page.locator("#plan").is_visible()
    assert one.cable.device.phone == before


# --- languages and looks ----------------------------------------------------------------------------------------------


def check_looks(one, where):
    """No key without a sentence, nothing to scroll sideways, and nothing that axe-core finds."""
    page = one.page
    text = page.inner_text("body")
    assert not re.search(r"\[?\b(?:browser|errors|report|steps|papers|remedy)\.[a-z_]+", text), where
    assert "undefined" not in text
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], where
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations'], iframes: false})")
    assert [(row["id"], [node["html"][:200] for node in row["nodes"]]) for row in found["violations"]] == [], where


@slow
@pytest.mark.parametrize("code", catalog.languages())
def test_every_view_in_every_language(visit, code):
    one = visit(width=PHONE if code in {"en", "hi", "zh"} else DESK, locale=code)
    page = one.page
    t = Translator(code).t
    assert page.inner_text("#home h1") == t("browser.title")
    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-Hans"}.get(code, code)
    check_looks(one, "home")
    one.click("#go-check")
    one.wait(lambda: page.locator("#usb-steps li").count() > 3, "steps")
    check_looks(one, "prepare")
    one.click("#prepare .back")
    for button in ("#go-call", "#go-taps", "#go-rights"):
        one.click(button)
        one.wait(
            lambda: (
                len(page.inner_text("#paper-title")) > 12
                or page.inner_text("#paper-title") != t("browser.loading_short")
            ),
            "title",
        )
        assert page.frame_locator("#paper-frame").locator("h1").inner_text() == page.inner_text("#paper-title")
        check_looks(one, button)
        one.click("#paper .back")
    one.click("#go-virtual")
    one.sees("report")
    check_looks(one, "report")
    one.click(f"#change-apps input[value='{APP}']")
    one.click("#make-plan")
    one.sees("plan")
    check_looks(one, "plan")
    one.click("#plan-agreed")
    one.click("#apply")
    one.sees("result")
    check_looks(one, "result")
    one.click("#result-back")
    one.click("#done-button")
    one.sees("done")
    check_looks(one, "done")


@slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_looks_in_both_widths_and_schemes(visit, width, scheme):
    one = visit(width=width, color_scheme=scheme)
    check_looks(one, "home")
    one.click("#go-virtual")
    one.sees("report")
    check_looks(one, "report")
    one.click("#make-plan")
    one.problem()
    check_looks(one, "an error")


@slow
def test_the_language_changes_everything_that_is_shown(visit):
    one = visit()
    page = one.page
    one.click("#go-virtual")
    one.sees("report")
    page.select_option("#language", "zh")
    frame = page.frame_locator("#report-frame")
    one.wait(lambda: "查到" in frame.locator("body").inner_text(), "Chinese")
    assert page.inner_text("#report > h1") == "报告"
    page.select_option("#country", "CN")
    one.wait(lambda: "中国" in frame.locator("body").inner_text(), "the country's rules")


@slow
def test_the_keyboard_is_enough(visit):
    one = visit()
    page = one.page

    def press(target):
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == target:
                return page.keyboard.press("Enter")
        pytest.fail(f"{target} cannot be reached")

    press("go-check")
    one.sees("prepare")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    press("connect")
    one.sees("report")
    press("done-button")
    one.sees("done")
    press("done-home")
    one.sees("home")


# --- files ------------------------------------------------------------------------------------------------------------


@slow
def test_a_dropped_file_is_opened(visit, tmp_path, report_of):
    one = visit()
    page = one.page
    path = tmp_path / "page.json"
    path.write_text(report_json.render(report_of("borrower")), encoding="utf-8")
    page.set_input_files("#file", path)
    one.sees("report")
    assert not page.locator("#change").is_visible()
    assert not page.locator("#save-check").is_visible()
    page.reload()
    one.ready()
    text = json.dumps(path.read_text(encoding="utf-8"))
    page.evaluate(
        f"""() => {{
            const data = new DataTransfer();
            data.items.add(new File([{text}], "page.json"));
            const options = {{ dataTransfer: data, bubbles: true, cancelable: true }};
            document.body.dispatchEvent(new DragEvent("drop", options));
        }}"""
    )
    one.sees("report")
    path.write_text("{", encoding="utf-8")
    one.click("#done-button")
    one.sees("done")
    one.click("#done-home")
    page.set_input_files("#file", path)
    assert "page.json is incomplete" in one.problem()


@slow
def test_what_an_app_calls_itself_stays_text(visit, tmp_path, made):
    one = visit()
    page = one.page
    path = tmp_path / "page.json"
    hostile = [
        *ATTACKS.values(),
        "<img src=x onerror=window.owned=1>",
        "</script><script>window.owned=1</script>",
        "<a href=https://example.org>x</a>",
    ]
    apps = [
        made.app(package=f"com.example.n{number}", label=text.encode("utf-8", "replace").decode())
        for number, text in enumerate(hostile)
    ]
    path.write_text(report_json.render(made.report(*apps, findings=tuple(map(made.finding, apps)))), encoding="utf-8")
    scripts = page.locator("script").count()
    page.set_input_files("#file", path)
    one.sees("report")
    assert page.locator("script").count() == scripts
    assert page.evaluate("window.owned") is None
    assert page.locator("main img, main a").count() == 0
    frame = page.frames[1]
    assert frame.evaluate("document.querySelectorAll('script, img, [onerror]').length") == 0
    # The frame has an origin of its own, which reaches nothing of the page.
    assert page.get_attribute("#report-frame", "sandbox") == ""
    assert page.evaluate("document.querySelector('#report-frame').contentDocument") is None


# --- errors -----------------------------------------------------------------------------------------------------------


@slow
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete navigator.usb; delete Navigator.prototype.usb", "cannot reach a phone"),
        ("delete WebAssembly.Suspending", "too old"),
        ("bus.offer = false", "No phone was chosen"),
        ("bus.unplug()", "No phone was chosen"),
        ("bus.blocked = true", "does not let this page use a phone"),
        ("bus.errors.open = 'SecurityError'", "does not let the browser open"),
        ("bus.errors.open = 'NetworkError'", "Another program"),
        ("bus.errors.claim = 'NetworkError'", "Another program"),
    ],
)
def test_errors_say_what_happened_why_and_what_to_do(visit, script, said):
    one = visit(script=script)
    one.click("#go-check")
    if "cannot reach" not in said and "too old" not in said:
        one.sees("prepare")
        one.click("#connect")
    text = one.problem()
    assert said in text
    assert "Why: " in text
    assert "What to do: " in text
    check_looks(one, said)
    # What needs no cable works all the same.
    one.click("#prepare .back")
    one.click("#go-call")
    one.wait(lambda: "They are calling" in one.page.inner_text("#paper-title"), "the page")


OLDER_BROWSER = """
delete WebAssembly.Suspending;
const RealBlob = Blob;  // The worker is made from one: there it is missing too.
window.Blob = class extends RealBlob {
  constructor(parts, options) {
    super(options?.type === "text/javascript" ? ["delete WebAssembly.Suspending;\\n", ...parts] : parts, options);
  }
};
"""


@slow
@pytest.mark.parametrize("code", catalog.languages())
def test_a_browser_without_jspi_says_at_once_to_update_it(visit, code):
    t = Translator(code).t
    one = visit(script=OLDER_BROWSER, locale=code)
    page = one.page
    text = one.problem()
    for key in ("errors.browser_too_old.what", "errors.browser_too_old.why", "errors.browser_too_old.next"):
        assert t(key) in text
    assert "Chrome" in t("errors.browser_too_old.next")
    assert "Edge" in t("errors.browser_too_old.next")
    check_looks(one, "an older browser")
    # Nothing is asked of the phone, and what needs no cable works.
    one.click("#go-check")
    assert t("errors.browser_too_old.next") in one.problem()
    one.click("#connect")
    assert t("errors.browser_too_old.next") in one.problem()
    assert one.bus("bus.granted.size") == 0
    one.click("#prepare .back")
    one.click("#go-virtual")
    one.sees("report")
    assert page.frame_locator("#report-frame").locator("h1").is_visible()


SHORT_WAIT = """
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (data, ...rest) {
  if (data.name === "connect") data.args = JSON.stringify({ timeout_s: 6 });
  return postMessage.call(this, data, ...rest);
};
"""


@slow
@pytest.mark.parametrize("answer", ["refuse", "ignore"])
@pytest.mark.parametrize("code", ["en", "zh"])
def test_allow_that_is_refused_or_ignored(visit, code, answer):
    """On the wire both are silence. The time that is left is seen, and then what to do; the next try connects."""
    t = Translator(code).t
    one = visit(script=SHORT_WAIT, locale=code, width=PHONE if code == "zh" else DESK)
    page = one.page
    one.cable.phone.key_policy = KeyPolicy(answer=answer)
    one.click("#go-check")
    one.sees("prepare")
    one.click("#connect")
    left = []
    one.wait(lambda: page.locator("#waiting").is_visible(), "the question")
    fingerprint = page.inner_text("#fingerprint")
    assert t("cli.allow", fingerprint=fingerprint).split(fingerprint)[0].strip() == page.inner_text("#allow-before")
    check_looks(one, "the question")

    def is_over():
        if page.locator("#left").is_visible():
            left.append(page.inner_text("#left"))
        return page.locator("#problem").is_visible()

    one.wait(is_over, "the end of the wait")
    seen = list(dict.fromkeys(left))
    assert len(seen) >= 2
    assert set(seen) <= {t("cli.seconds_left", n=n) for n in range(7)}
    assert seen == sorted(seen, reverse=True)
    text = one.problem()
    for key in ("errors.not_allowed.what", "errors.not_allowed.why", "errors.not_allowed.next"):
        assert t(key, fingerprint=fingerprint) in text
    assert page.locator("#prepare").is_visible()
    check_looks(one, "not allowed")
    one.cable.phone.key_policy = KeyPolicy()
    one.click("#connect")
    one.sees("report")


@slow
def test_a_phone_that_answers_nonsense(visit):
    one = visit()
    one.cable.garbage = b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3
    one.click("#go-check")
    one.sees("prepare")
    one.click("#connect")
    assert "What to do: " in one.problem()
    one.cable.garbage = None
    one.click("#connect")
    one.sees("report")


@slow
@pytest.mark.parametrize("serial", ["'DEMO1'", "null"])
def test_a_cable_pulled_in_a_check_goes_on(visit, serial):
    """A phone without a serial number has lost its permission with the cable: it is chosen anew."""
    one = visit(script=f"bus.serial = {serial}; bus.plug();")
    page = one.page
    one.click("#go-check")
    one.sees("prepare")
    one.click("#connect")
    one.wait(lambda: "app names" in page.inner_text("#progress"), "the last part")
    one.bus("bus.unplug()")
    one.cable.close()
    one.sees("report")
    one.wait(lambda: page.locator("#cut").is_visible(), "the gap")
    one.bus("bus.plug()")
    one.click("#go-on")
    one.wait(lambda: page.locator("#report").is_visible() and not page.locator("#cut").is_visible(), "the rest")


# --- no network -------------------------------------------------------------------------------------------------------

TRIES = (Path(__file__).parent / "network_tries.js").read_text(encoding="utf-8")


class Listener:
    """Notes whoever connects or sends a datagram."""

    def __init__(self):
        self.stream = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.stream.getsockname())
        self.datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagram.bind(self.stream.getsockname())
        self.heard = []
        for listen in (self._accept, self._receive):
            threading.Thread(target=listen, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.stream.accept()
            connection.settimeout(1)
            try:
                self.heard.append(connection.recv(100))
            except OSError:
                self.heard.append(b"")
            connection.close()

    def _receive(self):
        while True:
            self.heard.append(self.datagram.recv(100))


@slow
def test_neither_page_nor_worker_reaches_a_network(visit):
    listener = Listener()
    one = visit(complaints=True)
    page = one.page
    one.click("#go-virtual")
    one.sees("report")
    requests = set(one.requests)
    said = {"page": page.evaluate(TRIES, [listener.address, False])}
    for number, worker in enumerate(page.workers):
        said[f"worker {number}"] = worker.evaluate(TRIES, [listener.address, False])
    assert len(said) > 1
    page.wait_for_timeout(2000)
    one.requests = [url for url in one.requests if url in requests]  # the rest was asked for here, and refused
    assert listener.heard == [], said
    page.evaluate(TRIES, [listener.address, True])
    page.wait_for_timeout(2000)
    one.requests = [url for url in one.requests if url in requests]
    assert b"".join(listener.heard) == b""


@slow
@pytest.mark.parametrize("source", ["eval('1')", "new Function('return 1')()", "setTimeout('window.owned = 1', 0)"])
def test_nothing_is_evaluated(visit, source):
    one = visit(complaints=True)
    # From a timer: what Playwright itself evaluates may evaluate.
    run = (
        f"new Promise((done) => setTimeout(() => {{ try {{ done({source}) }} catch (error) {{ done(error.name) }} }}))"
    )
    assert one.page.evaluate(f"() => {run}") in {"EvalError", 0} or "setTimeout" in source
    one.page.wait_for_timeout(200)
    assert one.page.evaluate("window.owned") is None


def test_the_policy_is_as_tight_as_documented(page_file):
    text = page_file.read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text[:5000])
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+' blob: 'wasm-unsafe-eval'", rules["script-src"])
    assert re.fullmatch(r"('sha256-[\w+/=]+' ?)+", rules["style-src"])
    assert Path(page_file).stat().st_size <= 16_000_000

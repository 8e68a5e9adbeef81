"""The built page in Chromium, and a fake cable from it to the virtual phone."""

from __future__ import annotations

import base64
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from privaudit import virtual_phone
from privaudit.i18n import Translator, catalog
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.state import MutableDevice

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "dist" / "privaudit.html"
FAKE_USB = (Path(__file__).parent / "fake_usb.js").read_text(encoding="utf-8")
WHOLE = bool(os.environ.get("PRIVAUDIT_BROWSER"))
"""Set by `make test-browser`, which has built the page: nothing is skipped."""
PATIENCE_S = 120
slow = pytest.mark.skipif(not WHOLE, reason="takes minutes: make test-browser")


@pytest.fixture(scope="session")
def page_file() -> Path:
    """Return the built file."""
    sources = [*(ROOT / "privaudit").rglob("*.*"), *(ROOT / "tools" / "browser").glob("*")]
    newest = max(path.stat().st_mtime for path in sources if path.suffix != ".pyc" and path.is_file())
    if not PAGE.exists() or PAGE.stat().st_mtime < newest:
        if WHOLE:
            pytest.fail("dist/privaudit.html is absent or older than its sources: make browser")
        pytest.skip("dist/privaudit.html is absent or older than its sources: make browser")
    return PAGE


class Cable:
    """The fake cable's other end: the virtual phone's ADB over TCP, read by a thread."""

    def __init__(self) -> None:
        self.device = MutableDevice(virtual_phone.load_scenario("borrower"))
        self.phone = AdbdServer(
            programs=build_programs(self.device),
            files=build_files(self.device.phone),
            key_policy=KeyPolicy(answer=1.5),
        )
        self.phone.__enter__()
        self.garbage: bytes | None = None
        self.opened = 0
        self._socket: socket.socket | None = None
        self._heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def open(self) -> None:
        """Connect to the phone."""
        self.close()
        self.opened += 1
        host, port = self.phone.address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(self._socket, self._heard), daemon=True).start()

    @staticmethod
    def _listen(connection: socket.socket, heard: queue.SimpleQueue[bytes]) -> None:
        try:
            while data := connection.recv(1 << 16):
                heard.put(data)
        except OSError:
            pass
        heard.put(b"")

    def read(self) -> str | None:
        """Return what has come; nothing if that is nothing, ``None`` at the end."""
        if self.garbage is not None:
            return base64.b64encode(self.garbage).decode()
        parts = []
        while not self._heard.empty():
            part = self._heard.get()
            if not part:
                return base64.b64encode(b"".join(parts)).decode() if parts else None
            parts.append(part)
        return base64.b64encode(b"".join(parts)).decode()

    def write(self, data: str) -> None:
        """Send to the phone."""
        if self._socket is not None and self.garbage is None:
            self._socket.sendall(base64.b64decode(data))

    def close(self) -> None:
        """Disconnect."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def stop(self) -> None:
        """End the phone."""
        self.close()
        self.phone.__exit__(None, None, None)


class Visit:
    """A page in Chromium, with what it asked for and complained of."""

    def __init__(self, page: Page, cable: Cable) -> None:
        self.page = page
        self.cable = cable
        self.address = ""
        self.may_complain = False
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def wait(self, is_true: Callable[[], Any], what: str) -> None:
        """Wait until `is_true`; the page's policy forbids what Playwright's own waiting for functions does."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_true():
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}: {self.page.inner_text('body')[:2000]} {self.complaints}")
            self.page.wait_for_timeout(50)

    def sees(self, view: str) -> None:
        """Wait until a view is shown."""
        shown, problem = self.page.locator(f"#{view}"), self.page.locator("#problem")
        self.wait(lambda: shown.is_visible() or problem.is_visible(), view)
        assert shown.is_visible(), problem.inner_text()
        if view == "report":
            self.page.frame_locator("#report-frame").locator("h1").first.wait_for()

    def click(self, selector: str) -> None:
        """Click as a person does, after scrolling: the report's frame is another process, which hears of it later."""
        target = self.page.locator(selector).first
        target.scroll_into_view_if_needed()
        self.page.wait_for_timeout(200)
        target.click()

    def state(self) -> str:
        """Return what is shown, for a test that fails."""
        return self.page.inner_text("main")[:1500]

    def problem(self) -> str:
        """Wait for an error and return its text."""
        self.wait(lambda: self.page.locator("#problem").is_visible(), "an error")
        return self.page.inner_text("#problem")

    def ready(self) -> None:
        """Wait until Python runs."""
        words = {Translator(code).t("browser.ready") for code in catalog.languages()}
        self.wait(lambda: self.page.locator("#readiness").text_content() in words, "Python")

    def connect(self) -> None:
        """Prepare and connect, up to the report."""
        self.click("#go-check")
        self.sees("prepare")
        self.click("#connect")
        self.sees("report")

    def bus(self, script: str) -> Any:
        """Run a script on the fake bus."""
        return self.page.evaluate(script)


@pytest.fixture
def visit(chromium: Browser, page_file: Path) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens the built file; afterwards nothing was fetched, and nothing complained of."""
    contexts, visits, cables = [], [], []

    def open_page(
        *,
        width: int = 1280,
        script: str = "",
        ready: bool = True,
        complaints: bool = False,
        address: str = "",
        **options: Any,
    ) -> Visit:
        options = {"locale": "en-GB", **options}
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        page = context.new_page()
        cable = Cable()
        cables.append(cable)
        for name in ("open", "read", "write", "close"):
            page.expose_function(f"phone_{name}", getattr(cable, name))
        page.add_init_script(FAKE_USB)
        if script:
            page.add_init_script(script)
        one = Visit(page, cable)
        one.may_complain = complaints
        visits.append(one)
        one.address = address or page_file.as_uri()
        page.goto(one.address)
        if ready:
            one.ready()
        return one

    yield open_page
    for cable in cables:
        cable.stop()
    for context in contexts:
        context.close()
    for one in visits:
        # A host has the parts beside the page; a file has everything inside.
        own = (one.address,) if one.address.startswith("http:") else ()
        others = {url for url in one.requests if not url.startswith(("blob:", "about:", *own))}
        assert others <= {page_file.as_uri()}
        assert one.may_complain or one.complaints == []

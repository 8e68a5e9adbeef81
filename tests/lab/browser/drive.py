"""Drives the built page in the virtual machine's Chromium, against AOSP's adbd on a virtual USB bus (``run.sh``).

Prints a line for each step; the number of steps that differ is the exit code. ``VISITS`` (six) is how many visits
follow one another. Under emulation one visit takes minutes, and its time means nothing.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

URL = "http://127.0.0.1:8000/privaudit.html"
APP = "com.example.sudaibao"
PATIENCE_S = 1200
ANSWER_S = 60
"""Seconds for one answer of Chromium. Now and then one gets lost under emulation, and is asked for again."""
BEGAN = time.monotonic()


def say(*words: object) -> None:
    """Print a line with the seconds since the beginning."""
    print(f"[{time.monotonic() - BEGAN:7.1f}]", *words, flush=True)


def order(line: str) -> str:
    """Let the virtual machine run a line of shell; return what it printed."""
    host, port = os.environ["ORDERS"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 60) as connection:
        connection.sendall(f"{line}\n".encode())
        connection.settimeout(120)
        text = b""
        while not re.search(rb"^done \d+$", text, re.MULTILINE):
            part = connection.recv(4096)
            if not part:
                break
            text += part
    return text.decode().strip()


class Steps:
    """The page, and how many steps differed from what was expected."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.failed = 0

    def expect(self, name: str, is_as_expected: bool, came: object = "") -> None:  # noqa: FBT001 - an assertion
        """Print a step."""
        say("ok     " if is_as_expected else "FAILED ", name, came)
        self.failed += not is_as_expected

    def sees(self, selector: str, seconds: float) -> bool:
        """Whether something is visible, at once or within `seconds`."""
        try:
            self.page.locator(selector).first.wait_for(timeout=seconds * 1000)
        except NotInTime:
            return False
        return True

    def wait(self, selector: str) -> bool:
        """Wait until something is visible, or until a problem is shown."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.sees(selector, ANSWER_S):
                return True
            if self.sees("#problem", 1):
                say("problem:", " | ".join(self.page.inner_text("#problem").splitlines()))
                return False
        say("waited in vain for", selector, ":", self.page.inner_text("main")[:500])
        return False

    def shows(self, view: str) -> bool:
        """Wait for a view of the page."""
        return self.wait(f"#{view}")

    def click(self, selector: str) -> None:
        """Click."""
        self.page.locator(selector).first.click()

    def connect(self) -> bool:
        """Connect and wait for the report."""
        self.click("#connect")
        return self.shows("report")


def visit(steps: Steps) -> None:
    """Audit, close one app's access, read back, take it back."""
    page = steps.page
    order("answer 'allow 2'")
    steps.click("#go-check")
    steps.shows("prepare")
    steps.click("#connect")
    asked = steps.wait("#fingerprint")
    steps.expect("the phone asks, the page shows the fingerprint", asked, page.inner_text("#fingerprint"))
    steps.expect("audit", steps.shows("report"))
    text = page.frame_locator("#report-frame").locator("body").inner_text(timeout=PATIENCE_S * 1000)
    steps.expect("the report names what was found", "5 lending apps found" in text, text[:120].replace("\n", " | "))
    granted = f"PATH=/opt/phone/bin:$PATH dumpsys package {APP} | grep -c 'READ_CONTACTS: granted=true'"
    steps.expect("the phone grants contacts", order(granted).startswith("1"))
    box = page.locator(f"#change-apps input[value='{APP}']")
    while not box.is_checked():  # the page still moves as the report is drawn: a click may miss it
        box.click()
        page.wait_for_timeout(2000)
    steps.click("#make-plan")
    steps.expect("plan", steps.shows("plan"))
    steps.click("#plan-agreed")
    steps.click("#apply")
    steps.expect("applied", steps.shows("result"), page.inner_text("#result-changed").replace("\n", " | ")[:300])
    steps.expect("the phone no longer grants contacts", order(granted).startswith("0"))
    steps.click("#undo")
    steps.expect("undone", steps.wait("#result-changed li:has-text('given back')"))
    steps.expect("the phone grants contacts again", order(granted).startswith("1"))
    steps.click("#result-back")


def main() -> int:
    """Run all steps."""
    with sync_playwright() as driver:
        browser = driver.chromium.connect_over_cdp(os.environ["CHROMIUM"], timeout=600_000)
        page = browser.contexts[0].new_page()
        page.set_default_timeout(5 * ANSWER_S * 1000)
        page.set_default_navigation_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: say("error in the page:", error))
        page.add_init_script("delete window.showSaveFilePicker")  # nobody is there to choose a file
        # Nor a phone in the browser's list; the policy lets the page use it.
        page.add_init_script("USB.prototype.requestDevice = async () => (await navigator.usb.getDevices())[0]")
        page.goto(URL)
        steps = Steps(page)
        say("Chromium", browser.version)
        phones = page.evaluate("navigator.usb.getDevices().then((all) => all.map((one) => one.productName))")
        steps.expect("the policy grants the phone", phones == ["Lab phone"], phones)
        steps.expect("the page opens", steps.shows("home"))
        visit(steps)
        steps.click("#done-button")
        steps.expect("done", steps.shows("done"))
        visits = int(os.environ.get("VISITS", "6"))
        for number in range(visits):
            steps.click("#done-home")
            steps.shows("home")
            order("answer always")
            steps.click("#go-check")
            steps.expect(f"visit {number + 1} of {visits}", steps.connect())
            steps.click("#done-button")
            steps.shows("done")
        steps.click("#done-home")
        steps.shows("home")
        steps.click("#go-check")
        steps.click("#connect")
        loading = page.inner_text("#progress")
        while page.inner_text("#progress") in {loading, ""}:  # until the first question
            page.wait_for_timeout(500)
        say(order("unplug"))
        steps.expect("the cable is pulled, and the page says so", steps.wait("#problem:visible, #cut:visible"))
        say(page.inner_text("#problem:visible, #cut:visible")[:300])
        say(order("plug"))
        page.reload()
        steps.shows("home")
        steps.click("#go-check")
        steps.expect("plugged in again, it goes on", steps.connect())
        page.screenshot(path=os.environ.get("SCREENSHOT", "/tmp/lab-browser.png"))
        say(order(f"echo {steps.failed} >/tmp/finished"))
        return steps.failed


try:
    sys.exit(main())
except Exception:
    say(order("free -m; dmesg | tail -n 5; tail -n 15 /tmp/chromium.log"))  # a renderer that crashed says why
    raise

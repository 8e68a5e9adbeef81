"""How long the page in a browser takes until it is ready and for a check, compared with Pyodide alone and with CPython.

Run it with ``.venv/bin/python -m benchmarks.browser`` after ``make browser``; it needs Chromium and Playwright.

Pyodide alone is a page of the same kind: one file with Pyodide's own parts in it, unpacked and started in a worker, and
nothing of ours. A page has several processes and waits for them, so elapsed time is measured, of both in turn.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT, Outcome, Row, compare, measure_in_turn
from benchmarks.results import publish
from privaudit.i18n import Translator
from tests.fixtures.chromium import SWITCHES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS = 4
MAX_READY_RATIO, MAX_AUDIT_RATIO = 1.4, 4.0
PAGE = ROOT / "dist" / "privaudit.html"
PATIENCE_S = 120
APP_PART = "app.zip"

ALONE = """<!DOCTYPE html><meta charset="utf-8"><title>Pyodide</title>
<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'">
PARTS
<script type="module">
const parts = {};
for (const node of document.querySelectorAll("[data-part]")) {
  parts[node.dataset.part] = Uint8Array.fromBase64(node.textContent.trim());
}
const worker = new Worker(URL.createObjectURL(new Blob([`
const gunzip = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
const blobUrl = (bytes) => URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
self.onmessage = async ({ data }) => {
  const files = {};
  await Promise.all(Object.entries(data).map(async ([name, bytes]) => { files[name] = await gunzip(bytes); }));
  const { loadPyodide } = await import(blobUrl(files["pyodide.mjs"]));
  const { default: createPyodideModule } = await import(blobUrl(files["pyodide.asm.mjs"]));
  const types = { "pyodide.asm.wasm": "application/wasm", "python_stdlib.zip": "application/zip" };
  self.fetch = async (address) => {
    const name = String(address.url ?? address).split("/").pop();
    return new Response(files[name], { headers: { "content-type": types[name] } });
  };
  const lockFileContents = new TextDecoder().decode(files["pyodide-lock.json"]);
  const python = await loadPyodide({ indexURL: "blob:none/", createPyodideModule, lockFileContents });
  python.runPython("1");
  self.postMessage("ready");
};
`], { type: "text/javascript" })));
worker.onmessage = () => { window.marks.ready = performance.now(); };
worker.postMessage(parts);
</script>
"""

WATCH = """
window.marks = {};
document.addEventListener("DOMContentLoaded", () => {
  const watch = (id, name, isTrue) => {
    const node = document.getElementById(id);
    const note = () => { if (isTrue(node)) window.marks[name] ??= performance.now(); };
    if (node) new MutationObserver(note).observe(node, { attributes: true, childList: true, characterData: true });
  };
  watch("readiness", "ready", (node) => node.textContent === READY);
  watch("report", "report", (node) => !node.hidden);
  document.addEventListener("click", () => { window.marks = { click: performance.now() }; }, true);
});
"""
"""Notes, in milliseconds since the page was opened, when it was ready, when it was clicked, when the report came."""

CPYTHON = """
import json, time
from privaudit.browser.session import PageSession
class Host:
    def tell(self, kind, text): pass
session = PageSession(Host())
def ask(name, **arguments):
    answer, _ = session.handle_request(name, json.dumps(arguments))
    assert "error" not in answer, answer[:300]
for _ in range(2):
    start = time.perf_counter()
    ask("connect_virtual")
    ask("audit", country=None)
    ask("show")
    print(time.perf_counter() - start)
"""
"""The requests that the page makes for a check of the virtual phone, the first time and again."""


def write_reference_page(folder: Path) -> Path:
    """Write a page that holds only Pyodide, as the built page holds it; return it."""
    parts = re.findall(r'<script type="text/plain" data-part="[^"]+">[^<]*</script>', PAGE.read_text(encoding="utf-8"))
    kept = [part for part in parts if f'data-part="{APP_PART}"' not in part]
    assert len(kept) == len(parts) - 1
    path = folder / "alone.html"
    path.write_text(ALONE.replace("PARTS", "\n".join(kept)), encoding="utf-8")
    return path


@contextmanager
def opened(browser: Browser, path: Path) -> Iterator[Page]:
    """Open a file in a context of its own, so that nothing is left of the visit before."""
    context = browser.new_context(locale="en-GB")
    context.add_init_script(WATCH.replace("READY", repr(Translator("en").t("browser.ready"))))
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        yield page
    finally:
        context.close()


def wait_for_mark(page: Page, name: str) -> float:
    """Return a mark in milliseconds. The policy of the page forbids what Playwright does to wait for a function."""
    deadline = time.monotonic() + PATIENCE_S
    while (mark := page.evaluate(f"window.marks.{name}")) is None:
        assert time.monotonic() < deadline, f"{name} did not come: {page.inner_text('body')[:500]}"
        page.wait_for_timeout(100)
    return float(mark)


def seconds_until_ready(browser: Browser, path: Path) -> float:
    """Return how long a page takes from being opened until Python runs in it."""
    with opened(browser, path) as page:
        return wait_for_mark(page, "ready") / 1000


def check_twice(browser: Browser) -> tuple[float, float]:
    """Return how long the page takes from the click to the report of the virtual phone, the first time and again."""
    with opened(browser, PAGE) as page:
        wait_for_mark(page, "ready")
        page.click("#go-virtual")
        first = wait_for_mark(page, "report") - wait_for_mark(page, "click")
        page.click("#check-again")
        again = wait_for_mark(page, "report") - wait_for_mark(page, "click")
        return first / 1000, again / 1000


def check_twice_in_cpython() -> tuple[float, float]:
    """Return how long CPython takes for the same requests, in a process that has loaded what the page has loaded."""
    done = subprocess.run([sys.executable, "-c", CPYTHON], cwd=ROOT, check=True, capture_output=True, text=True)
    first, again = map(float, done.stdout.split())
    return first, again


def measure() -> Outcome:
    """Measure and compare."""
    from playwright.sync_api import sync_playwright

    assert PAGE.exists(), "dist/privaudit.html is absent: make browser"
    program = shutil.which("chromium")
    assert program, "chromium is not installed"
    checks: dict[str, list[tuple[float, float]]] = {"page": [], "cpython": []}

    def first_check(name: str, times: tuple[float, float]) -> float:
        checks[name].append(times)
        return times[0]

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        reference_page = write_reference_page(Path(folder))
        browser = driver.chromium.launch(executable_path=program, args=list(SWITCHES))
        version = browser.version
        best = measure_in_turn(
            {
                "alone": lambda: seconds_until_ready(browser, reference_page),
                "ready": lambda: seconds_until_ready(browser, PAGE),
                "page": lambda: first_check("page", check_twice(browser)),
                "cpython": lambda: first_check("cpython", check_twice_in_cpython()),
            },
            ROUNDS,
        )
        browser.close()
    again = {name: min(times[1] for times in pairs) for name, pairs in checks.items()}
    audit = {"unit": "s", "reference_name": "CPython, the same requests", "budget": MAX_AUDIT_RATIO}
    rows = [
        Row(
            what=f"ready, from a file of {PAGE.stat().st_size / 1e6:.1f} MB",
            ours=best["ready"],
            unit="s",
            reference=best["alone"],
            reference_name="Pyodide alone",
            budget=MAX_READY_RATIO,
        ),
        Row(what="check of the virtual phone", ours=best["page"], reference=best["cpython"], **audit),
        Row(what="… again", ours=again["page"], reference=again["cpython"], **audit),
    ]
    note = (
        f"Chromium {version}. Elapsed time, the least of {ROUNDS} rounds. Floor of being ready: Pyodide alone, which"
        " unpacks the same parts and starts."
    )
    return compare(rows, note=note)


if __name__ == "__main__":
    sys.exit(publish("browser", measure))

"""One visit to the page: connect, check, show, save, close access. The page calls `handle_request` through its worker.

It is one module because a visit is one state: what a request may do depends on what the ones before have read.
"""

from __future__ import annotations

import base64
import hashlib
import json as jsonlib
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from privaudit import audit, facts, knowledge, resume, roms
from privaudit.atomic_write import atomic_writer
from privaudit.browser import page_files
from privaudit.browser.error_wording import word_for_page
from privaudit.browser.page_files import PageFile
from privaudit.capture import collector, read_source
from privaudit.capture.model import Capture
from privaudit.capture.remote_apks import ReadProgress
from privaudit.documents import letters, rights_page
from privaudit.documents.render import render_document
from privaudit.errors import PhoneError, PrivauditError, SourceError
from privaudit.facts import PhoneFacts
from privaudit.findings import legal_rules
from privaudit.i18n import Translator
from privaudit.knowledge import Knowledge, rights
from privaudit.model import Report
from privaudit.report import html, json, revocation_text, summary, taps
from privaudit.report.view import ReportView
from privaudit.revocation import ledger, prepare, state, steps
from privaudit.revocation.apply import LedgerRun
from privaudit.revocation.change import Outcome
from privaudit.revocation.ledger import CaptureReference, Ledger
from privaudit.revocation.prepare import PlannedRevocation
from privaudit.revocation.steps import number_steps
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import AUTH_TIMEOUT_S, AuthorizationWait, Transport
from privaudit.workshop.model import Retention, consent_lines

_ROUND_KEYS: Final = {"first_round": "cli.first_round", "later_round": "cli.later_round", "naming": "cli.naming"}
JsonValue: TypeAlias = Any
"""What `json.dumps` takes."""


class PageHost(Protocol):
    """What Python asks of the page."""

    def tell(self, kind: str, text: str) -> None:
        """Show something while a request is under way: ``waiting``, ``progress``, ``named``, ``changed``."""

    def connect(self, key: AdbKey, on_waiting: Callable[[AuthorizationWait], None], timeout_s: float) -> Transport:
        """Connect to the phone that was chosen on the page. Raises PhoneError."""

    def keep_ledger(self, content: bytes) -> bool:
        """Write the ledger through to where the page keeps it; return whether it is there."""


class PageSession:
    """The state of one visit."""

    def __init__(self, host: PageHost) -> None:
        self._host = host
        self.language = Translator()
        self._key: AdbKey | None = None
        self._connection: Transport | None = None
        self._is_virtual = False
        self._lists: Knowledge | None = None
        self._capture: Capture | None = None
        self._phone_facts: PhoneFacts | None = None
        self._report: Report | None = None
        self._country: str | None = None
        self._planned: PlannedRevocation | None = None
        self._reference: CaptureReference | None = None
        self._ledger: Ledger | None = None
        self._requests: Mapping[str, Callable[..., JsonValue | PageFile]] = {
            "set_language": self.set_language,
            "set_key": self.set_key,
            "connect": self.connect,
            "connect_virtual": self.connect_virtual,
            "audit": self.audit,
            "resume": self.resume,
            "open_file": self.open_file,
            "set_country": self.set_country,
            "show": self.show,
            "document": self.document,
            "usb_steps": self.usb_steps,
            "consent": self.consent,
            "save": self.save,
            "plan": self.plan,
            "seal": self.seal,
            "apply": self.apply,
            "undo": self.undo,
            "closing": self.closing,
            "record": self.record,
            "counts": page_files.count_phones,
            "close": self.close,
        }

    def handle_request(self, name: str, arguments: str, data: bytes | None = None) -> tuple[str, bytes | None]:
        """Carry out the request `name`, with `arguments` as JSON; return JSON, and the file if it makes one.

        The JSON has ``value``; or ``error`` with its name and three sentences. A bug names no data of the phone.
        """
        try:
            values = jsonlib.loads(arguments)
            result = self._requests[name](**values) if data is None else self._requests[name](data=data, **values)
        except PrivauditError as error:
            return jsonlib.dumps({"error": self._describe_error(error)}), None
        except Exception as error:  # noqa: BLE001 - the page shows where, as the command line does
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            said = self.language.t("cli.bug", kind=type(error).__name__, where=where)
            return jsonlib.dumps({"error": {"name": "bug", "what": said, "why": "", "next": ""}}), None
        if isinstance(result, PageFile):
            return jsonlib.dumps({"value": {"suffix": result.suffix}}), result.data
        return jsonlib.dumps({"value": result}), None

    def _describe_error(self, error: PrivauditError) -> dict[str, str]:
        parts = {"what": error.what, "why": error.why, "next": error.next}
        said = {part: self.language.translate(word_for_page(message)) for part, message in parts.items()}
        return {"name": error.name, **said}

    # --- connect and check ---

    def set_language(self, code: str) -> None:
        """Word everything in this language."""
        self.language = Translator(code)

    def set_key(self, jwk: Mapping[str, str]) -> str:
        """Take the key that the browser made for this visit (RFC 7517); return its fingerprint."""
        modulus, public, private = (_decode_base64url(jwk[name]) for name in ("n", "e", "d"))
        self._key = AdbKey(modulus=modulus, public_exponent=public, private_exponent=private)
        return self._key.fingerprint

    def connect(self, timeout_s: float = AUTH_TIMEOUT_S) -> None:
        """Connect to the phone that was chosen on the page."""
        assert self._key is not None  # noqa: S101 - the page makes it first
        self._close_connection()
        self._connection = self._host.connect(self._key, self._tell_waiting, timeout_s)

    def _tell_waiting(self, wait: AuthorizationWait) -> None:
        lines = {
            "allow": self.language.t("cli.allow", fingerprint=wait.fingerprint or ""),
            "left": self.language.t("cli.seconds_left", n=wait.seconds_left),
        }
        self._host.tell("waiting", jsonlib.dumps({**lines, "fingerprint": wait.fingerprint}))

    def connect_virtual(self, scenario: str = "borrower") -> None:
        """Connect to the virtual phone inside the page."""
        self._close_connection()
        from privaudit.browser.virtual_transport import VirtualTransport  # as large as the rest: most visits need none

        self._connection = VirtualTransport(scenario)
        self._is_virtual = True

    def audit(self, country: str | None = None) -> None:
        """Check the connected phone."""
        connection = self._require_connection()
        self._forget_check()
        self._country = country
        self._lists = knowledge.load_knowledge(demo=self._is_virtual, country=country)
        fingerprint = collector.read_fingerprint(connection)
        capture, self._phone_facts = audit.collect(
            connection, self._lists, demo=self._is_virtual, progress=self._tell_round, on_apk_progress=self._tell_named
        )
        self._capture = replace(capture, device_fingerprint=fingerprint)
        self._build_report()

    def resume(self) -> None:
        """Ask the phone, connected again, for what the check before did not get."""
        capture, lists = self._require_check()
        self._capture = resume.resume_capture(
            self._require_connection(), capture, lists, progress=self._tell_round, on_apk_progress=self._tell_named
        )
        self._phone_facts = None
        self._build_report()

    def _tell_round(self, name: str) -> None:
        self._host.tell("progress", self.language.t(_ROUND_KEYS[name]))

    def _tell_named(self, progress: ReadProgress) -> None:
        self._host.tell("named", jsonlib.dumps({"done": progress.done, "total": progress.total}))

    def open_file(self, name: str, data: bytes, country: str | None = None) -> None:
        """Read a saved check, a bug report or a report."""
        self._close_connection()
        self._forget_check()
        self._country = country
        with tempfile.TemporaryDirectory() as folder:
            before = Path.cwd()
            os.chdir(folder)  # a sentence about the file names it, and no folder that nobody has seen
            try:
                path = Path(page_files.plain_file_name(name))
                with atomic_writer(path) as stream:
                    stream.write(data)
                self._read_file(path)
            finally:
                os.chdir(before)
        if self._capture is not None:
            self._build_report()

    def _read_file(self, path: Path) -> None:
        if json.is_report_file(path):
            self._report = json.read_report(path)
            self._lists = knowledge.load_knowledge(demo=self._report.demo, country=self._country)
            if self._country is not None:
                self._report = legal_rules.apply_country(self._report, self._lists, self._country)
            return
        self._capture = read_source(path)
        self._lists = knowledge.load_knowledge(demo=self._capture.demo, country=self._country)

    def set_country(self, country: str | None) -> None:
        """Show the rules of another country, for what was read already."""
        self._country = country
        if self._report is None:
            return
        self._lists = knowledge.load_knowledge(demo=self._report.demo, country=country)
        if self._capture is not None:
            self._build_report()
        elif country is not None:
            self._report = legal_rules.apply_country(self._report, self._lists, country)

    def _build_report(self) -> None:
        capture, lists = self._require_check()
        options = audit.ReportOptions(country=self._country)
        self._report = audit.build_report(capture, lists, options, self._phone_facts)

    # --- show and save ---

    def show(self) -> dict[str, JsonValue]:
        """Return the report as a page, and its apps with their steps, in the language of the visit."""
        report = self._require_report()
        view = ReportView(report, self.language)
        is_live = self._connection is not None and self._capture is not None
        return {
            "html": html.render(report, self.language),
            "summary": list(summary.summary_sentences(view)),
            "notices": [self.language.t("report.demo")] if report.demo else [],
            "safety": [view.translate(note) for note in steps.SAFETY_NOTES],
            "apps": [{"package": app.package, "title": view.app_title(app)} for app in view.ordered_apps()],
            "taps": [*_describe_taps(view)],
            "check_others": view.translate(steps.check_other_apps_step(report.phone)),
            "can_change": is_live,
            "cut": is_live and self._capture is not None and resume.was_interrupted(self._capture),
            "has_check": self._capture is not None,
            "letters": list(dict.fromkeys(finding.package for finding in report.findings)),
        }

    def document(self, kind: str, **choice: str | None) -> dict[str, str]:
        """Return a page: ``call``, ``rights``, ``friends``, ``taps``, or a letter of ``LetterKind``."""
        if kind == "taps":
            rom, sdk = choice.get("rom") or roms.STOCK_ROM_ID, choice.get("sdk")
            page = rights_page.taps_page(rom, int(sdk) if sdk else None, self.language)
        else:
            country_rights = rights.load_rights(choice.get("country") or None)
            chosen = choice.get("addressee") or "lender"
            addressee = next(one for one in letters.ADDRESSEES if one == chosen)
            options = letters.LetterOptions(addressee=addressee, own_language=self.language.code)
            match kind:
                case "call":
                    page = rights_page.call_page(country_rights, self.language)
                case "rights":
                    page = rights_page.full_rights_page(country_rights, self.language)
                case "friends":
                    page = rights_page.page_for_contacts(country_rights, self.language)
                case _ if package := choice.get("package"):
                    letter_kind = letters.LetterKind(kind)
                    page = letters.draft_letter(self._require_report(), package, letter_kind, country_rights, options)
                case _:
                    page = letters.draft_blank_letter(letters.LetterKind(kind), country_rights, options)
        return {"title": page.title, "html": render_document(page, "html"), "text": render_document(page, "txt")}

    def usb_steps(self, rom: str) -> dict[str, list[str]]:
        """Return how USB debugging is switched on on a phone of this ROM: what to know first, then the steps."""
        numbered = [*number_steps(steps.enable_usb_debugging_steps(roms.phone_with_rom(rom)))]
        return {
            "notes": [self.language.translate(step) for number, step in numbered if number is None],
            "on": [self.language.translate(step) for number, step in numbered if number is not None],
        }

    def consent(self) -> list[str]:
        """Return what a participant consents to, to be read aloud. Nothing is kept unless its owner saves it."""
        return list(consent_lines(Retention.NOTHING, self.language))

    def save(self, kind: str) -> PageFile:
        """Make a file: ``html``, ``json``, ``check`` or ``evidence``."""
        report = self._require_report()
        match kind:
            case "html":
                return PageFile(suffix=".html", data=html.render(report, self.language).encode())
            case "json":
                return PageFile(suffix=".json", data=json.render(report).encode())
            case "check":
                return PageFile(suffix=".zip", data=self._archive_bytes())
        return PageFile(suffix=".zip", data=page_files.evidence_bytes(report, self._capture, self.language))

    def _archive_bytes(self) -> bytes:
        return page_files.archive_bytes(self._require_check()[0])

    # --- close access ---

    def plan(self, packages: Sequence[str]) -> dict[str, JsonValue]:
        """Return what would be changed for `packages`, per app and in words. Changes nothing."""
        connection = self._require_connection()
        capture, lists = self._require_check()
        self._planned = self._reference = self._ledger = None
        self._capture = prepare.read_own_dumps(connection, capture, packages)
        self._planned = prepare.plan_revocation(self._capture, lists, packages, uninstall=False)
        return revocation_text.plan_parts(self.language, self._planned.plan, self._planned.apps)

    def seal(self, name: str) -> PageFile:
        """Make the check that is kept beside the ledger. `name`: the name under which the page saves it."""
        self._require_plan()
        data = self._archive_bytes()
        self._reference = CaptureReference(file=name, sha256=hashlib.sha256(data).hexdigest())
        return PageFile(suffix=".before.zip", data=data)

    def apply(self) -> dict[str, JsonValue]:
        """Make the planned changes, each written to the ledger before and after; or go on where the last try ended."""
        planned, connection = self._require_plan(), self._require_connection()
        if self._reference is None:
            raise SourceError("errors.browser_not_kept")
        if self._ledger is None:
            new_ledger = prepare.begin_ledger(connection, planned, self._reference)
            self._keep(new_ledger)
            run = self._create_run(planned.capture)
        else:
            run = self._create_run(self._read_again(self._ledger))
        run.apply()
        now = datetime.now(UTC).astimezone()
        return {
            **revocation_text.result_parts(self.language, now, run, planned.apps),
            "all_done": all(entry.outcome is Outcome.DONE for entry in run.ledger.entries),
        }

    def undo(self) -> dict[str, JsonValue]:
        """Take back what the ledger of this visit says was changed."""
        planned = self._require_plan()
        assert self._ledger is not None  # noqa: S101 - the page offers it after `apply` alone
        before = state.read_state(planned.capture, {package for package, _ in planned.apps})
        undone = self._create_run(self._read_again(self._ledger)).undo(before)
        return {"all_done": not any(entry.may_need_undo for entry in undone.entries)}

    def _read_again(self, current: Ledger) -> Capture:
        """Read the phone, which may have been connected anew. Raises PhoneError if it is another one."""
        connection = self._require_connection()
        packages = {entry.change.package for entry in current.entries}
        capture = collector.collect_first_round(connection, on_round=self._tell_round)
        prepare.require_same_device(current.phone, facts.gather_facts(capture), packages)
        return prepare.read_own_dumps(connection, capture, packages)

    def _create_run(self, capture: Capture) -> LedgerRun:
        assert self._ledger is not None  # noqa: S101 - it was begun
        return LedgerRun(
            transport=self._require_connection(),
            capture=capture,
            write_ledger=self._keep,
            ledger=self._ledger,
            on_change=lambda entry: self._host.tell("changed", revocation_text.outcome_sentence(self.language, entry)),
        )

    def _keep(self, current: Ledger) -> None:
        if not self._host.keep_ledger(ledger.sealed_json(current)):
            raise SourceError("errors.browser_not_kept")
        self._ledger = current

    # --- end ---

    def closing(self) -> dict[str, list[str]]:
        """Return what the owner does before the phone is put away."""
        phone = self._report.phone if self._report is not None else roms.phone_with_rom(roms.STOCK_ROM_ID)
        numbered = number_steps(steps.closing_steps(phone))
        return {"steps": [self.language.translate(step) for number, step in numbered if number is not None]}

    def record(self) -> JsonValue:
        """Return what is counted of this phone, under a random name; ``None``: no phone was checked."""
        if self._connection is None or self._report is None:
            return None
        return page_files.make_record(self._report)

    def close(self) -> None:
        """Release the phone and forget what was read, and the key."""
        self._close_connection()
        self._forget_check()
        self._key = None

    def _close_connection(self) -> None:
        connection, self._connection, self._is_virtual = self._connection, None, False
        if connection is not None:
            connection.close()

    def _forget_check(self) -> None:
        self._lists = self._capture = self._phone_facts = self._report = None
        self._planned = self._reference = self._ledger = None

    def _require_connection(self) -> Transport:
        if self._connection is None:
            raise PhoneError("errors.lost")
        return self._connection

    def _require_check(self) -> tuple[Capture, Knowledge]:
        assert self._capture is not None  # noqa: S101 - the page offers it after a check alone
        assert self._lists is not None  # noqa: S101
        return self._capture, self._lists

    def _require_report(self) -> Report:
        assert self._report is not None  # noqa: S101 - the page offers it after a check alone
        return self._report

    def _require_plan(self) -> PlannedRevocation:
        assert self._planned is not None  # noqa: S101 - the page offers it after a plan alone
        return self._planned


def _describe_taps(view: ReportView) -> Iterator[dict[str, JsonValue]]:
    """Yield each list of taps, as the report has them: once, with the apps that it is for; notes are no steps."""
    numbers = view.app_numbers
    for tap_list in taps.tap_lists(view):
        numbered = number_steps(tap_list.steps)
        yield {
            "title": taps.list_title(view, tap_list, numbers),
            "steps": [view.translate(step) for number, step in numbered if number is not None],
            "notes": [view.translate(step) for number, step in numbered if number is None],
            "same": taps.same_for(view, tap_list, numbers),
        }


def _decode_base64url(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

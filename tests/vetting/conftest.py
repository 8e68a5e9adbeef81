"""A vetting context, APKs made from those of the demo phones, and a folder of many files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from privaudit import vetting
from privaudit.vetting import VettingContext, batch
from privaudit.vetting.batch import VetJob
from privaudit.vetting.document import VettingReport
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import Row, aapt, manifest, pack, rows_of

LOAN_APK = "com.example.sudaibao-10402.apk"
CRAWLED_APKS = sorted(load_apks())[30:50]


@pytest.fixture(scope="session")
def context() -> VettingContext:
    return vetting.load_vetting_context()


@pytest.fixture(scope="session")
def loan_apk() -> bytes:
    """A signed lending app."""
    return load_apks()[LOAN_APK]


@pytest.fixture(scope="session")
def split_apk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A split of `loan_apk`."""
    source = (
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="com.example.sudaibao"'
        ' android:versionCode="10402" split="config.zh"><application android:hasCode="false"/></manifest>'
    )
    return aapt(tmp_path_factory.mktemp("split"), source, {})


@pytest.fixture
def vet_bytes(tmp_path: Path, context: VettingContext) -> Callable[..., VettingReport]:
    """Vet a file of this content and name."""

    def vet_bytes(content: bytes, name: str = "app.apk", context: VettingContext = context) -> VettingReport:
        path = tmp_path / name
        path.write_bytes(content)
        return vetting.vet(path, context)

    return vet_bytes


@pytest.fixture
def build_apk(tmp_path: Path) -> Callable[..., bytes]:
    """Build an APK with aapt."""

    def build_apk(*permissions: str, body: str = "", target: int = 34, head: str = "", **names: str) -> bytes:
        uses = "".join(f'<uses-permission android:name="android.permission.{name}"/>' for name in permissions)
        source = manifest(body, head=uses + head, **{"label": "Quick Loan", **names})
        source = source.replace('targetSdkVersion="30"', f'targetSdkVersion="{target}"')
        folder = tmp_path / f"build-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return aapt(folder, source, {})

    return build_apk


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """A folder as a crawler leaves it: apps, a bundle, damaged files, and a file that is not an app."""
    folder = tmp_path / "crawl"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(CRAWLED_APKS):
        (folder / ("deep/er" if number % 3 else "") / name).write_bytes(load_apks()[name])
    loan_apk = load_apks()[LOAN_APK]
    (folder / "loan.XAPK").write_bytes(pack([Row("base.apk", loan_apk, 0)]))
    (folder / "damaged.apk").write_bytes(loan_apk[:-50])
    (folder / "empty.apk").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"no app")
    return folder


@pytest.fixture
def jobs(crawl: Path) -> list[VetJob]:
    return list(batch.find_vet_jobs([crawl]))


@pytest.fixture
def expected_lines(jobs: list[VetJob], context: VettingContext) -> set[str]:
    """The lines of `jobs`, made one after another in this process."""
    return {batch.vet_to_json(job, context) for job in jobs}


def with_entries(apk: bytes, entries: Mapping[str, bytes] | Sequence[Row]) -> bytes:
    """Return `apk` with further entries. Its signing block is lost."""
    rows = entries if isinstance(entries, Sequence) else [Row(name, data) for name, data in entries.items()]
    return pack([*rows_of(apk), *rows])


def bundle_of(entries: Mapping[str, bytes], method: int = 0) -> bytes:
    """Return a bundle of these entries."""
    return pack([Row(name, data, method) for name, data in entries.items()])


def gap_reasons(document: VettingReport) -> dict[str, str]:
    """Return the part of each gap → the reason, without ``apk.``."""
    return {gap.part: gap.why.key.removeprefix("apk.") for gap in document.gaps}

"""A folder as a crawl leaves it: apps, bundles, damaged files, and things that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from privaudit import vetting
from privaudit.vetting import VettingContext, batch
from privaudit.vetting.batch import VetJob
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import Row, pack

APPS = sorted(apks.load_apks())[30:50]


@pytest.fixture(scope="session")
def known() -> VettingContext:
    return vetting.load_vetting_context()


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    folder = tmp_path / "crawl"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(APPS):
        (folder / ("deep/er" if number % 3 else "") / name).write_bytes(apks.load_apks()[name])
    loan = apks.load_apks()["com.example.sudaibao-10402.apk"]
    (folder / "loan.XAPK").write_bytes(pack([Row("base.apk", loan, 0)]))
    (folder / "damaged.apk").write_bytes(loan[:-50])
    (folder / "empty.apk").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"no app")
    return folder


@pytest.fixture
def work(crawl: Path) -> list[VetJob]:
    return list(batch.find_vet_jobs([crawl]))


@pytest.fixture
def alone(work: list[VetJob], known: VettingContext) -> set[str]:
    """The lines, made one by one."""
    return {batch.vet_to_json(job, known) for job in work}

"""A folder as a crawl leaves it: apps, bundles, damaged files, and things that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from privaudit import vetting
from privaudit.vetting import Known, batch
from privaudit.vetting.batch import Job
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import Row, pack

APPS = sorted(apks.bundle())[30:50]


@pytest.fixture(scope="session")
def known() -> Known:
    return vetting.known()


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    folder = tmp_path / "crawl"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(APPS):
        (folder / ("deep/er" if number % 3 else "") / name).write_bytes(apks.bundle()[name])
    loan = apks.bundle()["com.example.sudaibao-10402.apk"]
    (folder / "loan.XAPK").write_bytes(pack([Row("base.apk", loan, 0)]))
    (folder / "damaged.apk").write_bytes(loan[:-50])
    (folder / "empty.apk").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"no app")
    return folder


@pytest.fixture
def work(crawl: Path) -> list[Job]:
    return list(batch.jobs([crawl]))


@pytest.fixture
def alone(work: list[Job], known: Known) -> set[str]:
    """The lines, made one by one."""
    return {batch.line(job, known) for job in work}

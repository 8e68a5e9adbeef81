"""One pure function from a file to a line, on one core or all; nothing in a file stops the others."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from privaudit.vetting import batch
from privaudit.vetting.batch import VetJob
from tests.scan.conftest import APPS


def why(line):
    document = json.loads(line)
    assert document["app"] is None
    return document["gaps"][0]["why"]["key"]


def test_folders_are_searched_for_apps_and_each_file_comes_once(crawl):
    named = [crawl / "loan.XAPK", crawl, crawl / "deep", crawl / "notes.txt", crawl / "nothing.apk"]
    found = [Path(job.path).name for job in batch.find_vet_jobs(named)]
    assert sorted(found) == sorted([*APPS, "loan.XAPK", "damaged.apk", "empty.apk", "notes.txt", "nothing.apk"])


def test_a_folder_that_cannot_be_looked_into_has_a_line(crawl, known, monkeypatch):
    closed = crawl / "deep" / "er"

    def scandir(path, real=os.scandir):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != str(closed))
    (job,) = (job for job in batch.find_vet_jobs([crawl]) if job.path == str(closed))
    assert why(batch.vet_to_json(job, known)) == "apk.folder_closed"


def test_all_cores_give_the_same_lines_as_one(work, alone, known):
    for number in (1, 3):
        found = list(batch.vet_on_cores(work, known, cores=number))
        assert len(found) == len(work)
        assert set(found) == alone
    assert len(json.loads(found[0])["knowledge"]) == 3


def test_a_mistake_of_ours_is_a_line(known, monkeypatch, tmp_path):
    def broken(*_):
        raise RecursionError

    monkeypatch.setattr(batch, "vet", broken)
    assert why(batch.vet_to_json(VetJob(str(tmp_path / "a.apk")), known)) == "apk.reader_failed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="what is changed here reaches other processes by forking only")
def test_a_file_that_ends_its_reader_is_named_and_the_rest_goes_on(work, alone, known, monkeypatch):
    deadly = {str(Path(work[number].path)) for number in (2, 11)}

    def line(job, known, real=batch.vet_to_json):
        if job.path in deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(job, known)

    monkeypatch.setattr(batch, "vet_to_json", line)
    found = {json.loads(text)["file"]["path"]: text for text in batch.vet_on_cores(work, known, cores=2)}
    assert len(found) == len(work)
    assert {why(found[path]) for path in deadly} == {"apk.reader_died"}
    assert set(found.values()) - alone == {found[path] for path in deadly}


def test_no_more_than_a_few_files_wait(known, work):
    """Memory does not grow with the number of files: they are taken as they can be read."""
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield work[number % 3]

    lines = batch.vet_on_cores(endless(), known, cores=2)
    for _ in range(20):
        next(lines)
    lines.close()
    assert len(taken) < 40

"""Many files on one core or on all: the same lines, and no file stops the others."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from privaudit.vetting import batch
from privaudit.vetting.batch import VetJob
from tests.vetting.conftest import CRAWLED_APKS


def failure_key(line):
    document = json.loads(line)
    assert document["app"] is None
    return document["gaps"][0]["why"]["key"]


def test_folders_are_searched_and_each_file_is_one_job(crawl):
    paths = [crawl / "loan.XAPK", crawl, crawl / "deep", crawl / "notes.txt", crawl / "nothing.apk"]
    names = [Path(job.path).name for job in batch.find_vet_jobs(paths)]
    assert sorted(names) == sorted([*CRAWLED_APKS, "loan.XAPK", "damaged.apk", "empty.apk", "notes.txt", "nothing.apk"])


def test_folder_that_cannot_be_listed_has_a_line(crawl, context, monkeypatch):
    closed = crawl / "deep" / "er"

    def scandir(path, real=os.scandir):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != str(closed))
    (job,) = (job for job in batch.find_vet_jobs([crawl]) if job.path == str(closed))
    assert failure_key(batch.vet_to_json(job, context)) == "apk.folder_closed"


def test_all_cores_give_the_same_lines_as_one(jobs, expected_lines, context):
    for cores in (1, 3):
        lines = list(batch.vet_on_cores(jobs, context, cores=cores))
        assert len(lines) == len(jobs)
        assert set(lines) == expected_lines
    assert len(json.loads(lines[0])["knowledge"]) == 3


def test_bug_in_the_reader_is_reported_in_a_line(context, monkeypatch, tmp_path):
    def fail(*_):
        raise RecursionError

    monkeypatch.setattr(batch, "vet", fail)
    assert failure_key(batch.vet_to_json(VetJob(str(tmp_path / "a.apk")), context)) == "apk.reader_failed"


@pytest.mark.unix
def test_file_that_kills_its_worker_is_named_and_the_rest_goes_on(jobs, expected_lines, context, monkeypatch):
    deadly_paths = {jobs[number].path for number in (2, 11)}

    def vet_or_die(job, context, real=batch.vet_to_json):
        if job.path in deadly_paths:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(job, context)

    monkeypatch.setattr(batch, "vet_to_json", vet_or_die)
    # Started so, a worker has what was replaced here; from Python 3.14 on, another way is the default.
    started = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("fork"))
    monkeypatch.setattr(batch, "ProcessPoolExecutor", started)
    lines = {json.loads(line)["file"]["path"]: line for line in batch.vet_on_cores(jobs, context, cores=2)}
    assert len(lines) == len(jobs)
    assert {failure_key(lines[path]) for path in deadly_paths} == {"apk.reader_died"}
    assert set(lines.values()) - expected_lines == {lines[path] for path in deadly_paths}


def test_queue_is_bounded(context, jobs):
    """Memory does not grow with the number of files: jobs are taken as workers become free."""
    taken = []

    def many_jobs():
        for number in range(10_000):
            taken.append(number)
            yield jobs[number % 3]

    lines = batch.vet_on_cores(many_jobs(), context, cores=2)
    for _ in range(20):
        next(lines)
    lines.close()
    assert len(taken) < 40

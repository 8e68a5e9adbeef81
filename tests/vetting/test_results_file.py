"""Lines on disk: a scan that was interrupted goes on, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from privaudit import vetting
from privaudit.errors import SourceError, UsageError
from privaudit.vetting import batch
from privaudit.vetting.batch_table import BatchSummary


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def write(path, known, jobs):
    kept = batch.open_results_file(path, known)
    for job in jobs:
        kept.append_line(batch.vet_to_json(job, known))
    kept.close()


def left(path, known, jobs):
    kept = batch.open_results_file(path, known)
    kept.close()
    return [job for job in jobs if not kept.is_current(job)]


def test_what_is_done_is_not_done_again(path, known, work):
    write(path, known, work[:7])
    assert left(path, known, work) == work[7:]
    assert (path.stat().st_mode & 0o777) == 0o600
    write(path, known, work[7:])
    assert left(path, known, work) == []


def test_a_changed_file_newer_lists_and_another_country_are_done_again(path, known, work):
    write(path, known, work)
    os.utime(work[3].path, ns=(5, 5))
    assert left(path, known, work) == [work[3]]
    assert left(path, vetting.load_vetting_context(country="CN"), work) == work
    lists = replace(known.basis.signatures, sha256="0" * 64)
    assert left(path, replace(known, basis=replace(known.basis, signatures=lists)), work) == work


def test_what_may_be_otherwise_next_time_is_done_again(path, known, work, tmp_path):
    gone = batch.VetJob(str(tmp_path / "gone.apk"))
    kept = batch.open_results_file(path, known)
    kept.append_line(batch.vet_to_json(gone, known))
    kept.append_line(batch.crashed_line(work[0], known))
    damaged = next(job for job in work if "damaged" in job.path)
    kept.append_line(batch.vet_to_json(damaged, known))
    kept.close()
    assert left(path, known, [gone, work[0], damaged]) == [gone, work[0]]


@pytest.mark.parametrize("cut", [1, 2, 100, 2000])
def test_a_line_that_was_cut_is_taken_away(path, known, work, cut):
    write(path, known, work[:3])
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    # What was done is not lost, and the cut line is done again.
    assert left(path, known, work[:3]) == work[2:3]
    write(path, known, work[2:3])
    assert path.read_bytes() == whole


@pytest.mark.parametrize("begun", [1, 10, 25])
def test_a_first_line_that_was_cut(path, known, work, begun):
    path.write_text(batch.vet_to_json(work[0], known)[:begun])
    write(path, known, work[:1])
    assert path.read_text("utf-8") == batch.vet_to_json(work[0], known)


@pytest.mark.parametrize(
    "content",
    [
        b"my shopping list",
        b"my shopping\nlist\n",
        b"my shopping\nlist",
        b'{"schema":"privaudit/1"}\n',
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"schema":"privaudit-apk/1"}\n',
        b'{"schema":"privaudit-apk/1","file":{"path":[],"size":1,"modified_ns":1}}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_another_file_is_refused_and_left_as_it_is(path, known, content):
    path.write_bytes(content)
    with pytest.raises(UsageError, match="results_other"):
        batch.open_results_file(path, known)
    assert path.read_bytes() == content


def test_a_disk_that_is_full_is_said(path, known, work):
    kept = batch.open_results_file(path, known)
    kept._stream = open("/dev/full", "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with pytest.raises(SourceError, match="not_written"):
        kept.append_line(batch.vet_to_json(work[0], known))


def test_a_table_counts_each_file_once_by_its_last_line(path, known, work):
    write(path, known, work)
    write(path, known, work[:5])
    kept, tally = batch.open_results_file(path, known), BatchSummary()
    kept.count_into(tally, {job.path for job in work})
    kept.close()
    fresh = BatchSummary()
    for job in work:
        fresh.add_line(batch.vet_to_json(job, known))
    assert (tally.file_count, tally.lending_count, tally.unreadable_count) == (
        fresh.file_count,
        fresh.lending_count,
        fresh.unreadable_count,
    )
    assert tally.file_count == len(work)
    assert json.loads(batch.vet_to_json(work[0], known))["file"]["path"] == work[0].path

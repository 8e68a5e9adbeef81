"""The results file: an interrupted batch continues from it, and no other file is taken for one."""

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


def write_lines(path, context, jobs):
    results_file = batch.open_results_file(path, context)
    for job in jobs:
        results_file.append_line(batch.vet_to_json(job, context))
    results_file.close()


def remaining_jobs(path, context, jobs):
    results_file = batch.open_results_file(path, context)
    results_file.close()
    return [job for job in jobs if not results_file.is_current(job)]


def test_finished_files_are_not_vetted_again(path, context, jobs):
    write_lines(path, context, jobs[:7])
    assert remaining_jobs(path, context, jobs) == jobs[7:]
    if os.name == "posix":
        assert (path.stat().st_mode & 0o777) == 0o600
    write_lines(path, context, jobs[7:])
    assert remaining_jobs(path, context, jobs) == []


def test_changed_file_newer_lists_and_another_country_are_vetted_again(path, context, jobs):
    write_lines(path, context, jobs)
    os.utime(jobs[3].path, ns=(5, 5))
    assert remaining_jobs(path, context, jobs) == [jobs[3]]
    assert remaining_jobs(path, vetting.load_vetting_context(country="CN"), jobs) == jobs
    signatures = replace(context.knowledge_info.signatures, sha256="0" * 64)
    newer = replace(context, knowledge_info=replace(context.knowledge_info, signatures=signatures))
    assert remaining_jobs(path, newer, jobs) == jobs


def test_transient_errors_are_vetted_again(path, context, jobs, tmp_path):
    missing = batch.VetJob(str(tmp_path / "gone.apk"))
    damaged = next(job for job in jobs if "damaged" in job.path)
    results_file = batch.open_results_file(path, context)
    results_file.append_line(batch.vet_to_json(missing, context))
    results_file.append_line(batch.crashed_line(jobs[0], context))
    results_file.append_line(batch.vet_to_json(damaged, context))
    results_file.close()
    assert remaining_jobs(path, context, [missing, jobs[0], damaged]) == [missing, jobs[0]]


@pytest.mark.parametrize("missing_bytes", [1, 2, 100, 2000])
def test_truncated_last_line_is_removed(path, context, jobs, missing_bytes):
    write_lines(path, context, jobs[:3])
    complete = path.read_bytes()
    path.write_bytes(complete[:-missing_bytes])
    assert remaining_jobs(path, context, jobs[:3]) == jobs[2:3]
    write_lines(path, context, jobs[2:3])
    assert path.read_bytes() == complete


@pytest.mark.parametrize("length", [1, 10, 25])
def test_truncated_first_line_is_removed(path, context, jobs, length):
    path.write_text(batch.vet_to_json(jobs[0], context)[:length])
    write_lines(path, context, jobs[:1])
    assert path.read_text("utf-8") == batch.vet_to_json(jobs[0], context)


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
def test_another_file_is_refused_and_left_unchanged(path, context, content):
    path.write_bytes(content)
    with pytest.raises(UsageError, match="results_other"):
        batch.open_results_file(path, context)
    assert path.read_bytes() == content


@pytest.mark.unix
def test_full_disk_is_reported(path, context, jobs):
    results_file = batch.open_results_file(path, context)
    results_file._stream = open("/dev/full", "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with pytest.raises(SourceError, match="not_written"):
        results_file.append_line(batch.vet_to_json(jobs[0], context))


def test_summary_counts_each_file_once_by_its_last_line(path, context, jobs):
    write_lines(path, context, jobs)
    write_lines(path, context, jobs[:5])
    results_file, counted = batch.open_results_file(path, context), BatchSummary()
    results_file.count_into(counted, {job.path for job in jobs})
    results_file.close()
    expected = BatchSummary()
    for job in jobs:
        expected.add_line(batch.vet_to_json(job, context))
    assert (counted.file_count, counted.lending_count, counted.unreadable_count) == (
        expected.file_count,
        expected.lending_count,
        expected.unreadable_count,
    )
    assert counted.file_count == len(jobs)
    assert json.loads(batch.vet_to_json(jobs[0], context))["file"]["path"] == jobs[0].path

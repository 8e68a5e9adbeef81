"""A cluster of two workers gives the same lines, also if one is killed; and the errors of a missing cluster."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest

from privaudit.errors import ClusterError, UsageError
from privaudit.vetting import batch, dask_cluster

HAS_DASK = os.environ.get("CI") or importlib.util.find_spec("distributed")
needs_dask = pytest.mark.skipif(not HAS_DASK, reason="Dask is not installed")
allows_warnings = pytest.mark.filterwarnings("ignore")
"""Dask warns about code of its own."""


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@contextmanager
def connected_client(cluster):
    from distributed import Client

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.mark.unix
@needs_dask
@allows_warnings
def test_lines_are_the_same_though_a_worker_is_killed(cluster, jobs, expected_lines, context):
    with connected_client(cluster) as client:
        victim, other = client.run(os.getpid).values()
        assert len({victim, other, os.getpid()}) == 3
        lines = []
        for line in dask_cluster.vet_on_cluster(jobs, context, address=cluster.scheduler_address):
            lines.append(line)
            if len(lines) == 6:
                os.kill(victim, signal.SIGKILL)
        assert victim not in client.run(os.getpid).values()
    assert len(lines) == len(jobs)
    assert set(lines) == expected_lines


def _allow_no_failures(dask_scheduler):
    dask_scheduler.allowed_failures = 0


@pytest.mark.unix
@needs_dask
@allows_warnings
def test_file_that_kills_every_worker_is_named_and_the_rest_goes_on(cluster, jobs, expected_lines, context):
    import cloudpickle
    from distributed import WorkerPlugin

    deadly_path = jobs[4].path

    class KillWorker(WorkerPlugin):
        def setup(self, worker):  # noqa: ARG002 - Dask passes it by this name
            def vet_or_die(job, context, real=batch.vet_to_json):
                if job.path == deadly_path:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(job, context)

            batch.vet_to_json = vet_or_die

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with connected_client(cluster) as client:
        client.register_plugin(KillWorker())  # set up again in each worker that is restarted
        client.run_on_scheduler(_allow_no_failures)
        lines = list(dask_cluster.vet_on_cluster(jobs, context, address=cluster.scheduler_address))
    (crashed,) = set(lines) - expected_lines
    document = json.loads(crashed)
    assert (document["file"]["path"], document["gaps"][0]["why"]["key"]) == (deadly_path, "apk.reader_died")
    assert len(lines) == len(jobs)


@needs_dask
@allows_warnings
def test_command_announces_the_connection_and_gives_the_same_lines(cluster, run, crawl, expected_lines, tmp_path):
    address = cluster.scheduler_address
    results = tmp_path / "results.jsonl"
    # What one machine has finished, a cluster does not vet again.
    results.write_text("".join(sorted(expected_lines)[:10]), encoding="utf-8")
    done = run("apk", crawl, "--scheduler", address, "-o", results)
    assert done.code == 3
    assert f"connects to the cluster at {address}" in done.err
    assert "Skipped 10 files" in done.err
    assert set(results.read_text("utf-8").splitlines(keepends=True)) == expected_lines


@needs_dask
@allows_warnings
def test_workers_of_another_version_are_refused(cluster, jobs, context, monkeypatch):
    monkeypatch.setattr(dask_cluster, "__version__", "99")
    with pytest.raises(ClusterError, match="cluster_versions"):
        list(dask_cluster.vet_on_cluster(jobs, context, address=cluster.scheduler_address))


@needs_dask
@allows_warnings
def test_scheduler_without_workers_is_reported(jobs, context):
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(ClusterError, match="cluster_empty"),
    ):
        next(dask_cluster.vet_on_cluster(jobs, context, address=empty.scheduler_address))


@needs_dask
@allows_warnings
@pytest.mark.parametrize("scheme", ["", "tls://"])
@pytest.mark.parametrize("is_listening", [True, False])
def test_address_without_a_scheduler(jobs, context, monkeypatch, scheme, is_listening):
    """Nothing listens there, or something that is not a scheduler and never answers."""
    monkeypatch.setattr(dask_cluster, "_CONNECT_TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if is_listening else 1
        with pytest.raises(ClusterError, match="cluster_unreachable"):
            next(dask_cluster.vet_on_cluster(jobs, context, address=f"{scheme}127.0.0.1:{port}"))


@needs_dask
@allows_warnings
def test_scheduler_that_ends_during_the_batch(jobs, context, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(dask_cluster, "_CONNECT_TIMEOUT_S", 3)
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        lines = dask_cluster.vet_on_cluster(jobs, context, address=cluster.scheduler_address)
        next(lines)
        cluster.close()
        with pytest.raises(ClusterError, match="cluster_lost"):
            list(lines)


@pytest.mark.parametrize(
    "address", ["", "host", "host:", "host:port", "http://host:1", "host:1/../x", "ho st:1", "a:1\n"]
)
def test_invalid_address_is_refused_before_anything_is_connected(address):
    with pytest.raises(UsageError, match="scheduler_address"):
        dask_cluster.require_cluster(address)


def test_missing_dask_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="cluster_missing"):
        dask_cluster.require_cluster("host:8786")


def test_dask_is_an_extra_and_not_a_dependency():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert not [requirement for requirement in project["dependencies"] if "dask" in requirement]
    cluster = project["optional-dependencies"]["cluster"]
    assert [requirement for requirement in cluster if requirement.startswith("dask[distributed]")]

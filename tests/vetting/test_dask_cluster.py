"""The same lines from a cluster of two workers, one killed in the middle; and what is said when there is none."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from privaudit.errors import ClusterError, UsageError
from privaudit.vetting import batch, dask_cluster

HERE = os.environ.get("CI") or importlib.util.find_spec("distributed")
needs_dask = pytest.mark.skipif(not HERE, reason="Dask is not installed")
warned = pytest.mark.filterwarnings("ignore")
"""Dask warns of its own doings."""


@pytest.fixture(scope="module")
def two_workers():
    """Two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as made:
        yield made


@contextmanager
def client_of(made):
    from distributed import Client

    with Client(made.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


@needs_dask
@warned
def test_the_same_lines_though_a_worker_is_killed_in_the_middle(two_workers, work, alone, known):
    with client_of(two_workers) as client:
        victim, other = client.run(os.getpid).values()
        assert len({victim, other, os.getpid()}) == 3
        found = []
        for line in dask_cluster.vet_on_cluster(work, known, address=two_workers.scheduler_address):
            found.append(line)
            if len(found) == 6:
                os.kill(victim, signal.SIGKILL)
        assert victim not in client.run(os.getpid).values()
    assert len(found) == len(work)
    assert set(found) == alone


def _try_once(dask_scheduler):
    dask_scheduler.allowed_failures = 0


@needs_dask
@warned
def test_a_file_that_ends_every_worker_is_named_and_the_rest_goes_on(two_workers, work, alone, known):
    import cloudpickle
    from distributed import WorkerPlugin

    deadly = work[4].path

    class Trap(WorkerPlugin):
        def setup(self, worker):  # noqa: ARG002 - Dask passes it by this name
            def line(job, known, real=batch.vet_to_json):
                if job.path == deadly:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(job, known)

            batch.vet_to_json = line

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with client_of(two_workers) as client:
        client.register_plugin(Trap())  # set again in each worker that is started anew
        client.run_on_scheduler(_try_once)
        found = list(dask_cluster.vet_on_cluster(work, known, address=two_workers.scheduler_address))
    (died,) = set(found) - alone
    document = json.loads(died)
    assert (document["file"]["path"], document["gaps"][0]["why"]["key"]) == (deadly, "apk.reader_died")
    assert len(found) == len(work)


@needs_dask
@warned
def test_the_command_says_that_it_opens_a_connection_and_gives_the_same(two_workers, run, crawl, alone, tmp_path):
    address = two_workers.scheduler_address
    lines = tmp_path / "results.jsonl"
    # What one machine has done, a cluster need not do again.
    lines.write_text("".join(sorted(alone)[:10]), encoding="utf-8")
    done = run("apk", crawl, "--scheduler", address, "-o", lines)
    assert done.code == 3
    assert f"opens a connection to the cluster at {address}" in done.err
    assert "10 files stand in" in done.err
    assert set(lines.read_text("utf-8").splitlines(keepends=True)) == alone


@needs_dask
@warned
def test_workers_of_another_version_are_refused(two_workers, work, known, monkeypatch):
    monkeypatch.setattr(dask_cluster, "__version__", "99")
    with pytest.raises(ClusterError, match="cluster_versions"):
        list(dask_cluster.vet_on_cluster(work, known, address=two_workers.scheduler_address))


@needs_dask
@warned
def test_a_scheduler_without_workers_is_told(work, known):
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(ClusterError, match="cluster_empty"),
    ):
        next(dask_cluster.vet_on_cluster(work, known, address=empty.scheduler_address))


@needs_dask
@warned
@pytest.mark.parametrize("way", ["", "tls://"])
@pytest.mark.parametrize("answers", [True, False])
def test_no_scheduler(work, known, monkeypatch, way, answers):
    """Nothing listens there, or something that is none and says nothing."""
    monkeypatch.setattr(dask_cluster, "_CONNECT_TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1] if answers else 1
        with pytest.raises(ClusterError, match="cluster_unreachable"):
            next(dask_cluster.vet_on_cluster(work, known, address=f"{way}127.0.0.1:{port}"))


@needs_dask
@warned
def test_a_scheduler_that_ends_in_the_middle(work, known, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(dask_cluster, "_CONNECT_TIMEOUT_S", 3)
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as made:
        lines = dask_cluster.vet_on_cluster(work, known, address=made.scheduler_address)
        next(lines)
        made.close()
        with pytest.raises(ClusterError, match="cluster_lost"):
            list(lines)


@pytest.mark.parametrize(
    "given", ["", "host", "host:", "host:port", "http://host:1", "host:1/../x", "ho st:1", "a:1\n"]
)
def test_what_is_no_address_is_refused_before_anything_is_connected(given):
    with pytest.raises(UsageError, match="scheduler_address"):
        dask_cluster.require_cluster(given)


def test_without_dask_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="cluster_missing"):
        dask_cluster.require_cluster("host:8786")


def test_dask_is_asked_for_by_name_only():
    """Whoever installs privaudit gets no cluster with it."""
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert not [one for one in project["dependencies"] if "dask" in one]
    assert [one for one in project["optional-dependencies"]["cluster"] if one.startswith("dask[distributed]")]

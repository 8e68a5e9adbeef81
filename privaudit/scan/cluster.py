"""Vets on the computers of a Dask cluster, which must see the files under the same paths and run the same privaudit.

The one module that knows Dask, from the extra ``privaudit[cluster]``. It opens a connection to the address that the
user gave; Dask itself goes on from there to the workers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from privaudit import __version__, scan
from privaudit.errors import ClusterError, UsageError
from privaudit.scan import Job
from privaudit.vet import Known

_ADDRESS: Final = re.compile(r"(?:(?:tcp|tls)://)?[A-Za-z0-9_.:\[\]-]+:\d{1,5}\Z", re.ASCII)
_AHEAD: Final = 4
"""Files that wait for each thread of the cluster."""
_SECONDS: Final = 10
"""Longest wait for the scheduler."""


def check(address: str) -> None:
    """Refuse what cannot be done, before anything is connected.

    Raises:
        UsageError: this is no address, or Dask is not installed.
    """
    if not _ADDRESS.match(address):
        raise UsageError("scheduler_address", given=address)
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError("cluster_missing") from error


def lines(jobs: Iterable[Job], known: Known, *, address: str) -> Iterator[str]:
    """A line for each of `jobs`, in the order in which they are done. What a lost worker had, another does again.

    Raises:
        ClusterError: no scheduler answers, it has no workers, or they run another privaudit.
    """
    from distributed import Client, as_completed

    try:
        client = Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError("cluster_unreachable", address=address, seconds=_SECONDS) from error
    with client:
        cores = _cores(client, address)
        # A task like the others: whoever loses its result can compute it again.
        shared = client.submit(_same, known, pure=False)
        waiting, under_way = iter(jobs), as_completed([])
        flying: dict[Any, Job] = {}

        def submit() -> None:
            job = next(waiting, None)
            if job is not None:
                future = client.submit(scan.line, job, shared, pure=False)
                flying[future.key] = job
                under_way.add(future)

        for _ in range(cores * _AHEAD):
            submit()
        for future in under_way:
            job = flying.pop(future.key)
            yield future.result() if future.status == "finished" else scan.died(job, known)
            submit()


def _cores(client: Any, address: str) -> int:  # noqa: ANN401 - Dask has no types
    cores = client.ncores()
    if not cores:
        raise ClusterError("cluster_empty", address=address)
    try:
        versions = set(client.run(_version).values())
    except ImportError:
        versions = set()
    if versions != {__version__}:
        raise ClusterError("cluster_versions", address=address, here=__version__)
    return sum(cores.values())


def _version() -> str:
    return __version__


def _same(known: Known) -> Known:
    return known

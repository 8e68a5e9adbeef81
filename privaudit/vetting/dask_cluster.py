"""Vets on the computers of a Dask cluster, which must see the files under the same paths and run the same privaudit.

The one module that knows Dask, from the extra ``privaudit[cluster]``. It opens a connection to the address that the
user gave; Dask itself goes on from there to the workers.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final

from privaudit import __version__
from privaudit.errors import ClusterError, UsageError
from privaudit.vetting import VettingContext, batch
from privaudit.vetting.batch import VetJob

_SCHEDULER_ADDRESS: Final = re.compile(r"(?:(?:tcp|tls)://)?[A-Za-z0-9_.:\[\]-]+:\d{1,5}\Z", re.ASCII)
_QUEUED_PER_THREAD: Final = 4
"""Files that wait for each thread of the cluster."""
_MAX_RESUBMISSIONS: Final = 3
"""How often a job is given out anew whose result was lost."""
_CONNECT_TIMEOUT_S: Final = 10
"""Longest wait for the scheduler."""


class _VersionMismatchError(Exception):
    """Raised on a worker that would write other lines."""


def require_cluster(address: str) -> None:
    """Refuse what cannot be done, before anything is connected.

    Raises:
        UsageError: this is no address, or Dask is not installed.
    """
    if not _SCHEDULER_ADDRESS.match(address):
        raise UsageError("errors.scheduler_address", given=address)
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError("errors.cluster_missing") from error


def vet_on_cluster(jobs: Iterable[VetJob], context: VettingContext, *, address: str) -> Iterator[str]:
    """A line for each of `jobs`, in the order in which they are done. What a lost worker had, another does again.

    Where all workers are lost, it waits for one to join.

    Raises:
        ClusterError: no scheduler answers or it is lost, it has no workers, or they run another privaudit.
    """
    from distributed import Client

    try:
        # A client waits for ever where something else answers, and long where nothing does: this does not. In a thread,
        # since whoever calls may have a loop of its own running, as a notebook has.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, asyncio.wait_for(_ping_scheduler(address), _CONNECT_TIMEOUT_S)).result()
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # TypeError: tls:// without certificates
        raise ClusterError("errors.cluster_unreachable", address=address, seconds=_CONNECT_TIMEOUT_S) from error
    with Client(address, timeout=_CONNECT_TIMEOUT_S, set_as_default=False) as client:
        threads = sum(client.ncores().values())
        if not threads:
            raise ClusterError("errors.cluster_empty", address=address)
        # A task like the others: whoever loses its result can compute it again.
        shared = client.submit(_share_context, context, pure=False)
        suspects: list[VetJob] = []
        for job, text in _run_jobs(client, jobs, shared, max_in_flight=threads * _QUEUED_PER_THREAD, address=address):
            if text is None:
                suspects.append(job)
            else:
                yield text
        # Each alone: those that were only beside the one that ended its readers are read now.
        for job, text in _run_jobs(client, suspects, shared, max_in_flight=1, address=address):
            yield batch.crashed_line(job, context) if text is None else text


async def _ping_scheduler(address: str) -> None:
    """Say hello to the scheduler, as a client would."""
    from distributed.comm import connect
    from distributed.security import Security

    comm = await connect(address, timeout=_CONNECT_TIMEOUT_S, **Security().get_connection_args("client"))
    await comm.close()


def _run_jobs(
    client: Any,  # noqa: ANN401 - Dask has no types
    jobs: Iterable[VetJob],
    shared_context: object,
    *,
    max_in_flight: int,
    address: str,
) -> Iterator[tuple[VetJob, str | None]]:
    """Each of `jobs` with its line, `max_in_flight` under way at a time; ``None``: every worker that had it ended."""
    from distributed import KilledWorker, as_completed

    waiting, under_way = iter(jobs), as_completed([], loop=client.loop)
    flying: dict[str, VetJob] = {}
    again: Counter[VetJob] = Counter()

    def submit() -> None:
        job = next(waiting, None)
        if job is not None:
            future = client.submit(_vet_on_worker, job, shared_context, __version__, pure=False)
            flying[future.key] = job
            under_way.add(future)

    for _ in range(max_in_flight):
        submit()
    for future in under_way:
        job = flying.pop(future.key)
        if future.status == "finished":
            yield job, future.result()
        elif future.status != "error":
            # Taken from us. While the scheduler answers, it lost the result with a worker: the job is given out again.
            again[job] += 1
            if client.status != "running" or again[job] > _MAX_RESUBMISSIONS:
                raise ClusterError("errors.cluster_lost", address=address)
            waiting = chain([job], waiting)
        elif isinstance(future.exception(), KilledWorker):
            yield job, None
        else:
            raise ClusterError("errors.cluster_versions", address=address, here=__version__) from future.exception()
        submit()


def _vet_on_worker(job: VetJob, context: VettingContext, version: str) -> str:
    if version != __version__:
        raise _VersionMismatchError(__version__)
    return batch.vet_to_json(job, context)


def _share_context(context: VettingContext) -> VettingContext:
    return context

"""Vet on the computers of a Dask cluster, which must see the files under the same paths and run the same privaudit.

The only module that knows Dask, from the extra ``privaudit[cluster]``. It connects to the address that the user gave;
Dask itself connects from there to the workers.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final

from privaudit import __version__
from privaudit.errors import ClusterError, UsageError
from privaudit.interruptible import future_result
from privaudit.vetting import VettingContext, batch
from privaudit.vetting.batch import VetJob

_SCHEDULER_ADDRESS: Final = re.compile(r"(?:(?:tcp|tls)://)?[A-Za-z0-9_.:\[\]-]+:\d{1,5}\Z", re.ASCII)
_QUEUED_PER_THREAD: Final = 4
"""Files queued for each thread of the cluster."""
_MAX_RESUBMISSIONS: Final = 3
"""How often a job is submitted again after its result was lost."""
_CONNECT_TIMEOUT_S: Final = 10
"""Longest wait for the scheduler."""


def require_cluster(address: str) -> None:
    """Raise `UsageError`, before anything is connected, if `address` is not a scheduler's or Dask is not installed."""
    if not _SCHEDULER_ADDRESS.match(address):
        raise UsageError("errors.scheduler_address", given=address)
    try:
        import distributed  # noqa: F401 - checks only that it can be imported
    except ImportError as error:
        raise UsageError("errors.cluster_missing") from error


def vet_on_cluster(jobs: Iterable[VetJob], context: VettingContext, *, address: str) -> Iterator[str]:
    """Yield a line for each of `jobs` as completed. The jobs of a lost worker go to another; if all are lost, it waits.

    Raises `ClusterError` if the scheduler does not answer, is lost or has no workers, or they run another privaudit.
    """
    from distributed import Client

    try:
        # `Client` waits for ever if something else listens at the address, and long if nothing does; this does not.
        # It runs in a thread because the caller may have an event loop of its own running, as a notebook has.
        with ThreadPoolExecutor(1) as executor:
            future_result(executor.submit(asyncio.run, asyncio.wait_for(_ping_scheduler(address), _CONNECT_TIMEOUT_S)))
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # TypeError: tls:// without certificates
        raise ClusterError("errors.cluster_unreachable", address=address, seconds=_CONNECT_TIMEOUT_S) from error
    with Client(address, timeout=_CONNECT_TIMEOUT_S, set_as_default=False) as client:
        threads = sum(client.ncores().values())
        if not threads:
            raise ClusterError("errors.cluster_empty", address=address)
        # A task like the others: if its result is lost with a worker, another worker can compute it again.
        shared_context = client.submit(_share_context, context, pure=False)
        suspects: list[VetJob] = []
        max_in_flight = threads * _QUEUED_PER_THREAD
        for job, line in _run_jobs(client, jobs, shared_context, max_in_flight=max_in_flight, address=address):
            if line is None:
                suspects.append(job)
            else:
                yield line
        # One at a time, so that only the file that kills its workers fails, not those that ran beside it.
        for job, line in _run_jobs(client, suspects, shared_context, max_in_flight=1, address=address):
            yield batch.crashed_line(job, context) if line is None else line


async def _ping_scheduler(address: str) -> None:
    """Connect to the scheduler as a client would, and disconnect."""
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
    """Yield each of `jobs` with its line; ``None`` if every worker that took it died."""
    from distributed import KilledWorker, as_completed

    pending, completed = iter(jobs), as_completed([], loop=client.loop)
    in_flight: dict[str, VetJob] = {}
    resubmissions: Counter[VetJob] = Counter()

    def submit_next() -> None:
        job = next(pending, None)
        if job is not None:
            future = client.submit(_vet_on_worker, job, shared_context, __version__, pure=False)
            in_flight[future.key] = job
            completed.add(future)

    for _ in range(max_in_flight):
        submit_next()
    for future in completed:
        job = in_flight.pop(future.key)
        if future.status == "finished":
            yield job, future.result()
        elif future.status != "error":
            # Cancelled. If the scheduler still answers, the result was lost with a worker: submit the job again.
            resubmissions[job] += 1
            if client.status != "running" or resubmissions[job] > _MAX_RESUBMISSIONS:
                raise ClusterError("errors.cluster_lost", address=address)
            pending = chain([job], pending)
        elif isinstance(future.exception(), KilledWorker):
            yield job, None
        else:
            raise ClusterError("errors.cluster_versions", address=address, here=__version__) from future.exception()
        submit_next()


def _vet_on_worker(job: VetJob, context: VettingContext, version: str) -> str:
    if version != __version__:
        raise RuntimeError(f"privaudit {__version__} would write other lines")
    return batch.vet_to_json(job, context)


def _share_context(context: VettingContext) -> VettingContext:
    return context

"""Vets on every core of this computer. A file that ends its reader is named in its line; the rest goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from privaudit.vetting import VettingContext, batch
from privaudit.vetting.batch import VetJob

_QUEUED_PER_CORE: Final = 4
"""Files that wait for each core: it never idles, and memory does not grow with their number."""
_worker_context: VettingContext | None = None
"""Of a reader's process: what it holds files against."""


def available_cores() -> int:
    """Cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def vet_on_cores(jobs: Iterable[VetJob], context: VettingContext, *, cores: int) -> Iterator[str]:
    """A line for each of `jobs`, in the order in which they are done."""
    waiting = iter(jobs)
    flying: dict[Future[str], VetJob] = {}
    while True:
        pool = ProcessPoolExecutor(cores, initializer=_init_worker, initargs=(context,))
        try:
            yield from _vet_in_pool(pool, waiting, flying, cores * _QUEUED_PER_CORE)
        except BrokenProcessPool:
            pass  # one of those under way ended its reader
        else:
            return
        finally:
            pool.shutdown(cancel_futures=True)
        for job in flying.values():  # each alone, so that it takes no other with it
            yield _vet_in_own_process(job, context)
        flying.clear()


def _vet_in_pool(
    pool: ProcessPoolExecutor, pending: Iterator[VetJob], in_flight: dict[Future[str], VetJob], max_in_flight: int
) -> Iterator[str]:
    """Lines as they come; `in_flight` holds what is under way, also where a reader ends.

    Raises:
        BrokenProcessPool: one did.
    """
    for job in pending:
        try:
            future = pool.submit(_vet_in_worker, job)
        except BrokenProcessPool:
            in_flight[Future()] = job
            raise
        in_flight[future] = job
        if len(in_flight) >= max_in_flight:
            yield from _completed_lines(in_flight)
    while in_flight:
        yield from _completed_lines(in_flight)


def _completed_lines(in_flight: dict[Future[str], VetJob]) -> Iterator[str]:
    for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
        text = future.result()
        del in_flight[future]
        yield text


def _vet_in_own_process(job: VetJob, context: VettingContext) -> str:
    with ProcessPoolExecutor(1, initializer=_init_worker, initargs=(context,)) as pool:
        try:
            return pool.submit(_vet_in_worker, job).result()
        except BrokenProcessPool:
            return batch.crashed_line(job, context)


def _init_worker(context: VettingContext) -> None:
    """A reader begins. Ctrl-C is for the program that it works for, which then ends it."""
    global _worker_context  # noqa: PLW0603 - the one thing that a process keeps between files
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker_context = context


def _vet_in_worker(job: VetJob) -> str:
    if _worker_context is None:
        raise RuntimeError("a reader that never began")
    return batch.vet_to_json(job, _worker_context)

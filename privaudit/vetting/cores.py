"""Vets on every core of this computer. A file that ends its reader is named in its line; the rest goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from privaudit.vetting import Known, batch
from privaudit.vetting.batch import Job

_AHEAD: Final = 4
"""Files that wait for each core: it never idles, and memory does not grow with their number."""
_known: Known | None = None
"""Of a reader's process: what it holds files against."""


def count() -> int:
    """Cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lines(jobs: Iterable[Job], known: Known, *, cores: int) -> Iterator[str]:
    """A line for each of `jobs`, in the order in which they are done."""
    waiting = iter(jobs)
    flying: dict[Future[str], Job] = {}
    while True:
        pool = ProcessPoolExecutor(cores, initializer=_begin, initargs=(known,))
        try:
            yield from _together(pool, waiting, flying, cores * _AHEAD)
        except BrokenProcessPool:
            pass  # one of those under way ended its reader
        else:
            return
        finally:
            pool.shutdown(cancel_futures=True)
        for job in flying.values():  # each alone, so that it takes no other with it
            yield _alone(job, known)
        flying.clear()


def _together(
    pool: ProcessPoolExecutor, waiting: Iterator[Job], flying: dict[Future[str], Job], most: int
) -> Iterator[str]:
    """Lines as they come; `flying` holds what is under way, also where a reader ends.

    Raises:
        BrokenProcessPool: one did.
    """
    for job in waiting:
        try:
            future = pool.submit(_line, job)
        except BrokenProcessPool:
            flying[Future()] = job
            raise
        flying[future] = job
        if len(flying) >= most:
            yield from _done(flying)
    while flying:
        yield from _done(flying)


def _done(flying: dict[Future[str], Job]) -> Iterator[str]:
    for future in wait(flying, return_when=FIRST_COMPLETED).done:
        text = future.result()
        del flying[future]
        yield text


def _alone(job: Job, known: Known) -> str:
    with ProcessPoolExecutor(1, initializer=_begin, initargs=(known,)) as pool:
        try:
            return pool.submit(_line, job).result()
        except BrokenProcessPool:
            return batch.died(job, known)


def _begin(known: Known) -> None:
    """A reader begins. Ctrl-C is for the program that it works for, which then ends it."""
    global _known  # noqa: PLW0603 - the one thing that a process keeps between files
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _known = known


def _line(job: Job) -> str:
    if _known is None:
        raise RuntimeError("a reader that never began")
    return batch.line(job, _known)

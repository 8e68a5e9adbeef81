"""Waits that Ctrl-C ends. Every wait without an end of its own goes through here (tested).

On Windows, Python notices Ctrl-C only when a wait returns. So each of these waits in slices.
"""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Final, TypeVar

WAIT_SLICE_S: Final = 0.2
"""Longest time until Ctrl-C is noticed."""

ResultT = TypeVar("ResultT")


def wait_for_event(event: threading.Event) -> None:
    """Wait until `event` is set."""
    while not event.wait(WAIT_SLICE_S):
        pass


def wait_for_condition(condition: threading.Condition, predicate: Callable[[], object]) -> None:
    """Wait on `condition`, which the caller holds, until `predicate` is true."""
    while not condition.wait_for(predicate, WAIT_SLICE_S):
        pass


def join_thread(thread: threading.Thread) -> None:
    """Wait until `thread` has ended."""
    while thread.is_alive():
        thread.join(WAIT_SLICE_S)


def first_completed(futures: Collection[Future[ResultT]]) -> set[Future[ResultT]]:
    """Wait until at least one of `futures` is done, and return those that are. There must be one."""
    while not (done := wait(futures, WAIT_SLICE_S, FIRST_COMPLETED).done):
        pass
    return done


def future_result(future: Future[ResultT]) -> ResultT:
    """Wait for `future` and return its result, or raise its exception."""
    first_completed([future])
    return future.result(0)

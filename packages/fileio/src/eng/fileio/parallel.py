"""Run transfers in parallel, and report the failed ones."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from .override import override

__all__ = ["Failure", "PartialFailureError", "for_each", "gather", "gather_parts"]

T = TypeVar("T")
R = TypeVar("R")

Failure = tuple[str, Exception]


class PartialFailureError(OSError):
    """Some paths of a batch failed; the others succeeded.

    Attributes:
        failures (list[tuple[str, Exception]]): Paths that failed, with their errors.
        total (int): Number of paths that were tried.
    """

    def __init__(self, action: str, failures: list[Failure], total: int) -> None:
        self.action, self.failures, self.total = action, failures, total
        first = "; ".join(f"{path}: {error}" for path, error in failures[:3])
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        super().__init__(f"{action}: {len(failures)} of {total} failed: {first}{more}")

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.action, self.failures, self.total)


def for_each(
    work: Callable[[T], object], items: Iterable[T], action: str, max_workers: int
) -> None:
    """Call ``work`` on every item in threads, and discard the results.

    ``items`` is consumed as threads become free, so that a lazy listing stays lazy. The failures
    of a ``PartialFailureError`` of ``work`` are counted one by one.

    Raises:
        PartialFailureError: If any item failed, after all were tried.
    """
    _report(action, *_run(work, items, max_workers, lambda index, result: None))


def gather(work: Callable[[T], R], items: Iterable[T], action: str, max_workers: int) -> list[R]:
    """Call ``work`` on every item in threads and return the results in order.

    Raises:
        PartialFailureError: If any item failed, after all were tried.
    """
    results: dict[int, R] = {}
    _report(action, *_run(work, items, max_workers, results.__setitem__))
    return [results[index] for index in sorted(results)]


def gather_parts(work: Callable[[T], R], items: Iterable[T], max_workers: int) -> list[R]:
    """Like :func:`gather` for the parts of one object: stops at the first error and raises it."""
    results: dict[int, R] = {}
    failures, _ = _run(work, items, max_workers, results.__setitem__, stops=True)
    if failures:
        raise failures[0][2]
    return [results[index] for index in sorted(results)]


def _run(
    work: Callable[[T], R],
    items: Iterable[T],
    max_workers: int,
    keep: Callable[[int, R], None],
    stops: bool = False,
) -> tuple[list[tuple[int, str, Exception]], int]:
    """Process all items in threads; return the failures and the number of items tried."""
    from concurrent.futures import ThreadPoolExecutor

    stream, turn, stopped = enumerate(items), threading.Lock(), threading.Event()
    failures: list[tuple[int, str, Exception]] = []
    tried = [0]

    def drain() -> None:
        while not stopped.is_set():
            with turn:
                following = next(stream, None)
                tried[0] += following is not None
            if following is None:
                return
            index, item = following
            try:
                keep(index, work(item))
            except Exception as error:
                failures.append((index, str(item), error))
                if stops:
                    stopped.set()

    with ThreadPoolExecutor(max_workers, thread_name_prefix="eng-fileio") as pool:
        try:
            for thread in [pool.submit(drain) for _ in range(max_workers)]:
                thread.result()
        finally:  # an interrupt, or an error of ``items`` itself
            stopped.set()
    return failures, tried[0]


def _report(action: str, failures: list[tuple[int, str, Exception]], total: int) -> None:
    if not failures:
        return
    reported: list[Failure] = []
    for _, name, error in sorted(failures, key=lambda failure: failure[0]):
        if isinstance(error, PartialFailureError):
            reported += error.failures
            total += error.total - 1
        else:
            reported.append((name, error))
    raise PartialFailureError(action, reported, total)

"""Many transfers at once, with a report of what failed."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")


class PartialFailureError(OSError):
    """Some parts of a batch failed; the others were done.

    Attributes:
        failures (list[tuple[str, Exception]]): Each path that failed, with its error.
    """

    def __init__(self, action: str, failures: list[tuple[str, Exception]], total: int) -> None:
        self.action, self.failures, self.total = action, failures, total
        first = "; ".join(f"{path}: {error}" for path, error in failures[:3])
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        super().__init__(f"{action}: {len(failures)} of {total} failed: {first}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.action, self.failures, self.total)


def for_each(
    work: Callable[[T], Any], items: Iterable[T], action: str, max_workers: int
) -> list[Any]:
    """Call ``work`` on every item in threads and return the results in order.

    ``items`` is consumed as threads get free, so that a lazy listing stays lazy.

    Raises:
        PartialFailureError: After all items were tried, if any failed.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    results: dict[int, Any] = {}
    failures: list[tuple[int, str, Exception]] = []
    pending: dict[Future[Any], tuple[int, T]] = {}
    stream = enumerate(items)
    with ThreadPoolExecutor(max_workers, thread_name_prefix="eng-fileio") as pool:
        while True:
            for index, item in islice(stream, 2 * max_workers - len(pending)):
                pending[pool.submit(work, item)] = (index, item)
            if not pending:
                break
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                index, item = pending.pop(future)
                error = future.exception()
                if error is None:
                    results[index] = future.result()
                elif isinstance(error, Exception):
                    failures.append((index, str(item), error))
                else:
                    raise error
    if failures:
        reported = [(name, error) for _, name, error in sorted(failures, key=lambda f: f[0])]
        raise PartialFailureError(action, reported, len(results) + len(failures))
    return [results[index] for index in sorted(results)]

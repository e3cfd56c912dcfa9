"""Progress bars in color, with rich if it is installed."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from .errors import ArgumentTypeError, ArgumentValueError
from .progress import ProgressBar, completed_chunks

__all__ = ["track_progress_rich"]

Result = TypeVar("Result")


def track_progress_rich(
    func: Callable[..., Result],
    tasks: Iterable[object] = (),
    task_num: int | None = None,
    nproc: int = 1,
    chunksize: int = 1,
    description: str = "Processing",
    color: str = "blue",
) -> list[Result]:
    """Apply a function to each task with a progress bar, by rich if it is installed.

    Args:
        func: Function of a task. A tuple is passed as positional arguments.
        tasks: Tasks. If empty, ``func()`` is called ``task_num`` times.
        task_num: Number of tasks, required if they have no length.
        nproc: Number of processes.
        chunksize: Number of tasks that a process receives at a time.
        description: Text before the bar.
        color: Color of the bar, as named by rich.

    Returns:
        Results, in the order of the tasks.

    Raises:
        TypeError: ``func`` is not callable, or ``tasks`` not iterable.
        ValueError: The number of tasks is unknown or differs from ``task_num``, or ``nproc`` or
            ``chunksize`` is below 1.
    """
    total = _check(func, tasks, task_num, nproc, chunksize)
    items: Iterable[object] = tasks
    if isinstance(tasks, Sized) and not len(tasks):
        items = ((),) * total
    call = functools.partial(_call, func)
    results: list[tuple[int, Result]] = []
    with _show(total, description, color) as advance:
        if nproc == 1:
            for index, task in enumerate(items):
                results.append((index, call(task)))
                advance(1)
        else:
            _run_in_processes(call, items, nproc, chunksize, results, advance)
    results.sort(key=lambda pair: pair[0])
    return [result for _, result in results]


def _run_in_processes(
    call: Callable[[object], Result],
    items: Iterable[object],
    nproc: int,
    chunksize: int,
    results: list[tuple[int, Result]],
    advance: Callable[[int], None],
) -> None:
    from concurrent.futures import ProcessPoolExecutor

    executor = ProcessPoolExecutor(nproc)
    try:
        for pairs in completed_chunks(executor, call, items, nproc, chunksize):
            results.extend(pairs)
            advance(len(pairs))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _call(func: Callable[..., Result], task: object) -> Result:
    return func(*task) if isinstance(task, tuple) else func(task)


def _check(func: object, tasks: object, task_num: int | None, nproc: int, chunksize: int) -> int:
    """Return the number of tasks."""
    if not callable(func):
        raise ArgumentTypeError(f"func must be callable, but got {func!r}")
    if not isinstance(tasks, Iterable):
        raise ArgumentTypeError(f"tasks must be iterable, but got {tasks!r}")
    if nproc < 1 or chunksize < 1:
        raise ArgumentValueError(
            f"nproc and chunksize must be at least 1, but got {nproc} and {chunksize}"
        )
    length = len(tasks) if isinstance(tasks, Sized) else None
    if not length and task_num is None:
        raise ArgumentValueError("task_num is required if tasks are empty or have no length")
    if length and task_num is not None and task_num != length:
        raise ArgumentValueError(f"task_num is {task_num}, but got {length} tasks")
    return int(length or task_num or 0)


@contextmanager
def _show(total: int, description: str, color: str) -> Iterator[Callable[[int], None]]:
    """Show a bar within a ``with`` block and yield the function that advances it."""
    if importlib.util.find_spec("rich") is None:
        bar = ProgressBar(total)
        yield bar.update
        bar.finish()
        return
    from rich.progress import Progress

    with Progress() as progress:
        task = progress.add_task(f"[{color}]{description}", total=total)
        yield lambda count: progress.update(task, advance=count)

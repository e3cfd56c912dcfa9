"""Progress bars, and loops that show them."""

from __future__ import annotations

import functools
import io
import itertools
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, TextIO, TypeAlias, TypeVar, overload

from .timer import Timer

if TYPE_CHECKING:  # most programs that use this package start no processes
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.pool import Pool

__all__ = [
    "ProgressBar",
    "completed_chunks",
    "init_pool",
    "track_iter_progress",
    "track_parallel_progress",
    "track_progress",
]

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Tasks with a length, or an iterable and its length.
Tasks: TypeAlias = Iterable[object] | tuple[Iterable[object], int]


class ProgressBar:
    """A progress bar.

    On a terminal the bar stays on one line. In a file, such as the log of a job, it writes a line
    at the start, at every tenth (every doubling if the total is unknown) and at the end.

    Args:
        task_num: Number of tasks; 0 if unknown.
        bar_width: Width of the bar, in characters.
        start: Whether to start immediately.
        file: Stream to write to. Default: the current ``sys.stdout``.
    """

    def __init__(
        self,
        task_num: int = 0,
        bar_width: int = 50,
        start: bool = True,
        file: TextIO | None = None,
    ) -> None:
        self.task_num = task_num
        self.bar_width = bar_width
        self.completed = 0
        self.file = sys.stdout if file is None else file
        self._rewrites = _rewrites_line(self.file)
        if start:
            self.start()

    @property
    def terminal_width(self) -> int:
        """Width of the terminal, in characters."""
        return shutil.get_terminal_size().columns

    def start(self) -> None:
        """Write the empty bar and start the clock."""
        if self.task_num > 0:
            text = f"[{' ' * self.bar_width}] 0/{self.task_num}, elapsed: 0s, ETA:"
        else:
            text = "completed: 0, elapsed: 0s"
        self._write(text)
        self._next_line = self._find_next_line(0)
        self.timer = Timer()

    def update(self, num_tasks: int = 1) -> None:
        """Advance the bar.

        Args:
            num_tasks: Number of tasks completed since the last update, at least 1.

        Raises:
            ValueError: ``num_tasks`` is below 1.
        """
        if num_tasks <= 0:
            raise ValueError(f"num_tasks must be at least 1, but got {num_tasks}")
        self.completed += num_tasks
        if not self._rewrites and self.completed < self._next_line:
            return
        self._next_line = self._find_next_line(self.completed)
        elapsed = self.timer.since_start()
        speed = self.completed / elapsed if elapsed > 0 else float("inf")
        self._write(
            self._format_bar(elapsed, speed)
            if self.task_num > 0
            else f"completed: {self.completed}, elapsed: {elapsed:.0f}s, {speed:.1f} tasks/s"
        )

    def finish(self) -> None:
        """End the line of the bar, so that later output starts on a new line."""
        if self._rewrites:
            self.file.write("\n")
            self.file.flush()

    def _format_bar(self, elapsed: float, speed: float) -> str:
        done = min(self.completed / self.task_num, 1.0)
        rest = (
            f"{self.completed}/{self.task_num}, {speed:.1f} task/s, elapsed: {elapsed:.0f}s, "
            f"ETA: {elapsed * (1 - done) / done:5.0f}s"
        )
        columns = self.terminal_width
        width = max(2, min(self.bar_width, columns - len(rest) - 3, int(columns * 0.6)))
        marks = int(width * done)
        return f"[{'>' * marks}{' ' * (width - marks)}] {rest}"

    def _find_next_line(self, completed: int) -> int:
        if self.task_num <= 0:
            return max(1, 2 * completed)
        tenth = completed * 10 // self.task_num + 1
        # Nothing is written beyond the expected number of tasks.
        return -(-tenth * self.task_num // 10) if completed < self.task_num else sys.maxsize

    def _write(self, text: str) -> None:
        if self._rewrites:
            self.file.write(f"\r{text}" if self.completed else text)
        else:
            self.file.write(f"{text}\n")
        self.file.flush()


def track_progress(
    func: Callable[..., Result],
    tasks: Tasks,
    bar_width: int = 50,
    file: TextIO | None = None,
    **kwargs: object,
) -> list[Result]:
    """Apply a function to each task with a progress bar.

    Args:
        func: Function of one task.
        tasks: Tasks, or a tuple of an iterable and its length.
        bar_width: Width of the bar, in characters.
        file: Stream to write to. Default: ``sys.stdout``.
        **kwargs: Passed to ``func``.

    Returns:
        Results, in the order of the tasks.
    """
    return [func(task, **kwargs) for task in track_iter_progress(tasks, bar_width, file)]


@overload
def track_iter_progress(
    tasks: tuple[Iterable[Task], int], bar_width: int = 50, file: TextIO | None = None
) -> Iterator[Task]: ...


@overload
def track_iter_progress(
    tasks: Iterable[Task], bar_width: int = 50, file: TextIO | None = None
) -> Iterator[Task]: ...


def track_iter_progress(
    tasks: Tasks, bar_width: int = 50, file: TextIO | None = None
) -> Iterator[object]:
    """Yield each task with a progress bar.

    Args:
        tasks: Tasks, or a tuple of an iterable and its length.
        bar_width: Width of the bar, in characters.
        file: Stream to write to. Default: ``sys.stdout``.
    """
    items, total = _split(tasks)
    bar = ProgressBar(total, bar_width, file=file)
    for task in items:
        yield task
        bar.update()
    bar.finish()


def track_parallel_progress(
    func: Callable[..., Result],
    tasks: Tasks,
    nproc: int,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[object, ...] | None = None,
    bar_width: int = 50,
    chunksize: int = 1,
    skip_first: bool = False,
    keep_order: bool = True,
    file: TextIO | None = None,
) -> list[Result]:
    """Apply a function to each task in several processes with a progress bar.

    Tasks are taken from the iterable as processes become free. If a task fails, pending tasks are
    cancelled, all processes end, and its error is raised with the index of the task as a note. A
    process that dies (killed, out of memory, failing initializer) is an error too.

    Args:
        func: Function of one task, which the processes must be able to import.
        tasks: Tasks, or a tuple of an iterable and its length.
        nproc: Number of processes.
        initializer: Function that each process calls first.
        initargs: Arguments of ``initializer``.
        bar_width: Width of the bar, in characters.
        chunksize: Number of tasks that a process receives at a time.
        skip_first: Whether to exclude the first chunk of each process from the speed, since
            processes take time to start.
        keep_order: Whether results are in the order of the tasks, instead of the order of
            completion.
        file: Stream to write to. Default: ``sys.stdout``.

    Returns:
        Results of the tasks.

    Raises:
        concurrent.futures.process.BrokenProcessPool: A process died.
    """
    from concurrent.futures import ProcessPoolExecutor

    items, total = _split(tasks)
    if chunksize < 1:
        raise ValueError(f"chunksize must be at least 1, but got {chunksize}")
    skipped = min(nproc * chunksize, total) if skip_first else 0
    bar = ProgressBar(total - skipped, bar_width, start=False, file=file)
    if not skipped:
        bar.start()
    results: list[tuple[int, Result]] = []
    start = None if initializer is None else functools.partial(initializer, *(initargs or ()))
    executor = ProcessPoolExecutor(nproc, initializer=start)
    try:
        for pairs in completed_chunks(executor, func, items, nproc, chunksize):
            before = len(results)
            results.extend(pairs)
            if skipped and before < skipped:
                if len(results) >= skipped:
                    bar.start()
                    if len(results) > skipped:
                        bar.update(len(results) - skipped)
                continue
            bar.update(len(pairs))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    bar.finish()
    if keep_order:
        results.sort(key=lambda pair: pair[0])
    return [result for _, result in results]


def init_pool(
    process_num: int,
    initializer: Callable[..., object] | None = None,
    initargs: Iterable[object] | None = None,
) -> Pool:
    """Start a pool of processes.

    Args:
        process_num: Number of processes.
        initializer: Function that each process calls first.
        initargs: Arguments of ``initializer``.
    """
    from multiprocessing import Pool

    return Pool(process_num, initializer, tuple(initargs or ()))


def completed_chunks(
    executor: ProcessPoolExecutor,
    func: Callable[[Task], Result],
    items: Iterable[Task],
    nproc: int,
    chunksize: int,
) -> Iterator[list[tuple[int, Result]]]:
    """Yield the results of chunks of tasks, each with its index, as processes complete them."""
    from concurrent.futures import FIRST_COMPLETED, wait

    numbered = enumerate(items)
    chunks = iter(lambda: list(itertools.islice(numbered, chunksize)), [])
    # Enough to keep every process busy, and few enough for an endless stream.
    waiting: deque[Future[list[tuple[int, Result]]]] = deque(
        executor.submit(_run_chunk, func, chunk) for chunk in itertools.islice(chunks, 4 * nproc)
    )
    while waiting:
        finished = wait(waiting, return_when=FIRST_COMPLETED).done
        # In the order of the tasks, so that of several errors that of the first task is raised.
        for future in [future for future in waiting if future in finished]:
            waiting.remove(future)
            yield future.result()
            waiting.extend(
                executor.submit(_run_chunk, func, chunk) for chunk in itertools.islice(chunks, 1)
            )


def _run_chunk(
    func: Callable[[Task], Result], chunk: list[tuple[int, Task]]
) -> list[tuple[int, Result]]:
    results = []
    for index, task in chunk:
        try:
            results.append((index, func(task)))
        except Exception as error:
            # Python 3.10 does not have BaseException.add_note.
            notes = [*getattr(error, "__notes__", []), f"raised by the task of index {index}"]
            error.__notes__ = notes  # type: ignore[attr-defined]
            raise
    return results


def _split(tasks: Tasks) -> tuple[Iterable[object], int]:
    if isinstance(tasks, tuple) and len(tasks) == 2 and isinstance(tasks[1], int):
        if isinstance(tasks[0], Iterable):
            return tasks[0], tasks[1]
    elif isinstance(tasks, Collection):
        return tasks, len(tasks)
    raise TypeError(
        "tasks must have a length, or be a tuple of an iterable and its length, "
        f"but got {type(tasks).__name__}"
    )


def _rewrites_line(file: TextIO) -> bool:
    """Return whether a carriage return overwrites the line.

    Streams that are not files, such as notebook cells or ``StringIO``, are treated as terminals.
    """
    try:
        return os.isatty(file.fileno())
    except (AttributeError, io.UnsupportedOperation, OSError, ValueError):
        return True

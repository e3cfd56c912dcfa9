"""Progress bars, and loops that show one."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from .timer import Timer

if TYPE_CHECKING:  # imported late: most programs that use this package start no process
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

Tasks = Iterable[Any] | tuple[Iterable[Any], int]


class ProgressBar:
    """A progress bar.

    On a terminal the bar stays on one line. In a file, such as the log of a job, it writes a line
    at the start, at each further tenth (each doubling where the total is unknown) and at the end.

    Args:
        task_num: Number of tasks; 0 where it is unknown.
        bar_width: Width of the bar, in characters.
        start: Whether to start at once.
        file: Where to write. Default: ``sys.stdout`` as it is at that time.
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
        self._next_line = self._line_after(0)
        self.timer = Timer()

    def update(self, num_tasks: int = 1) -> None:
        """Count tasks as done and draw the bar.

        Args:
            num_tasks: How many are newly done, at least 1.

        Raises:
            ValueError: ``num_tasks`` is below 1.
        """
        if num_tasks <= 0:
            raise ValueError(f"num_tasks must be at least 1, but it is {num_tasks}")
        self.completed += num_tasks
        if not self._rewrites and self.completed < self._next_line:
            return
        self._next_line = self._line_after(self.completed)
        elapsed = self.timer.since_start()
        speed = self.completed / elapsed if elapsed > 0 else float("inf")
        self._write(
            self._bar(elapsed, speed)
            if self.task_num > 0
            else f"completed: {self.completed}, elapsed: {elapsed:.0f}s, {speed:.1f} tasks/s"
        )

    def finish(self) -> None:
        """End the line of the bar, so that what is printed next starts on its own."""
        if self._rewrites:
            self.file.write("\n")
            self.file.flush()

    def _bar(self, elapsed: float, speed: float) -> str:
        done = min(self.completed / self.task_num, 1.0)
        rest = (
            f"{self.completed}/{self.task_num}, {speed:.1f} task/s, elapsed: {elapsed:.0f}s, "
            f"ETA: {elapsed * (1 - done) / done:5.0f}s"
        )
        columns = self.terminal_width
        width = max(2, min(self.bar_width, columns - len(rest) - 3, int(columns * 0.6)))
        marks = int(width * done)
        return f"[{'>' * marks}{' ' * (width - marks)}] {rest}"

    def _line_after(self, completed: int) -> int:
        if self.task_num <= 0:
            return max(1, 2 * completed)
        tenth = completed * 10 // self.task_num + 1
        # Past the expected number of tasks nothing more is written.
        return -(-tenth * self.task_num // 10) if completed < self.task_num else sys.maxsize

    def _write(self, text: str) -> None:
        if self._rewrites:
            self.file.write(f"\r{text}" if self.completed else text)
        else:
            self.file.write(f"{text}\n")
        self.file.flush()


def track_progress(
    func: Callable[..., Any],
    tasks: Tasks,
    bar_width: int = 50,
    file: TextIO | None = None,
    **kwargs: Any,
) -> list[Any]:
    """Apply a function to each task and show the progress.

    Args:
        func: Function of one task.
        tasks: The tasks, or a pair of an iterable and its length.
        bar_width: Width of the bar, in characters.
        file: Where to write. Default: ``sys.stdout``.
        **kwargs: Passed to ``func``.

    Returns:
        The results, in the order of the tasks.
    """
    return [func(task, **kwargs) for task in track_iter_progress(tasks, bar_width, file)]


def track_iter_progress(
    tasks: Tasks, bar_width: int = 50, file: TextIO | None = None
) -> Iterator[Any]:
    """Yield each task and show the progress.

    Args:
        tasks: The tasks, or a pair of an iterable and its length.
        bar_width: Width of the bar, in characters.
        file: Where to write. Default: ``sys.stdout``.
    """
    items, total = _split(tasks)
    bar = ProgressBar(total, bar_width, file=file)
    for task in items:
        yield task
        bar.update()
    bar.finish()


def track_parallel_progress(
    func: Callable[[Any], Any],
    tasks: Tasks,
    nproc: int,
    initializer: Callable[..., Any] | None = None,
    initargs: tuple[Any, ...] | None = None,
    bar_width: int = 50,
    chunksize: int = 1,
    skip_first: bool = False,
    keep_order: bool = True,
    file: TextIO | None = None,
) -> list[Any]:
    """Apply a function to each task in several processes and show the progress.

    Tasks are taken from the iterable as processes become free. When a task fails, those that have
    not begun are dropped, all processes end, and its error is raised with the index of the task as
    a note. A process that dies (killed, out of memory, failing initializer) is an error too.

    Args:
        func: Function of one task; it must be importable by the processes.
        tasks: The tasks, or a pair of an iterable and its length.
        nproc: Number of processes.
        initializer: Function that each process calls first.
        initargs: Arguments of ``initializer``.
        bar_width: Width of the bar, in characters.
        chunksize: Number of tasks that a process gets at a time.
        skip_first: Whether to leave the first chunk of each process out of the speed shown, since
            the start of processes takes time.
        keep_order: Whether the results are in the order of the tasks, rather than in that in
            which they were done.
        file: Where to write. Default: ``sys.stdout``.

    Returns:
        The results.

    Raises:
        concurrent.futures.process.BrokenProcessPool: A process died.
    """
    from concurrent.futures import ProcessPoolExecutor

    items, total = _split(tasks)
    if chunksize < 1:
        raise ValueError(f"chunksize must be at least 1, but it is {chunksize}")
    skipped = min(nproc * chunksize, total) if skip_first else 0
    bar = ProgressBar(total - skipped, bar_width, start=False, file=file)
    if not skipped:
        bar.start()
    results: list[tuple[int, Any]] = []
    executor = ProcessPoolExecutor(nproc, initializer=initializer, initargs=initargs or ())
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
    initializer: Callable[..., Any] | None = None,
    initargs: Iterable[Any] | None = None,
) -> Pool:
    """Start a pool of processes, for code that shares out its tasks by itself.

    Args:
        process_num: Number of processes.
        initializer: What each process calls first.
        initargs: Arguments of ``initializer``.
    """
    from multiprocessing import Pool

    return Pool(process_num, initializer, tuple(initargs or ()))


def completed_chunks(
    executor: ProcessPoolExecutor,
    func: Callable[[Any], Any],
    items: Iterable[Any],
    nproc: int,
    chunksize: int,
) -> Iterator[list[tuple[int, Any]]]:
    """Yield the results of chunks of tasks, each with its index, as processes complete them."""
    from concurrent.futures import FIRST_COMPLETED, wait

    numbered = enumerate(items)
    chunks = iter(lambda: list(itertools.islice(numbered, chunksize)), [])
    # Enough to keep every process busy, few enough for a stream without end.
    waiting: deque[Future[list[tuple[int, Any]]]] = deque(
        executor.submit(_run_chunk, func, chunk) for chunk in itertools.islice(chunks, 4 * nproc)
    )
    while waiting:
        finished = wait(waiting, return_when=FIRST_COMPLETED).done
        # In the order of the tasks, so that of several failures the first task's is raised.
        for future in [future for future in waiting if future in finished]:
            waiting.remove(future)
            yield future.result()
            waiting.extend(
                executor.submit(_run_chunk, func, chunk) for chunk in itertools.islice(chunks, 1)
            )


def _run_chunk(func: Callable[[Any], Any], chunk: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    results = []
    for index, task in chunk:
        try:
            results.append((index, func(task)))
        except Exception as error:
            # BaseException.add_note is of python 3.11.
            notes = [*getattr(error, "__notes__", []), f"raised by the task of index {index}"]
            error.__notes__ = notes  # type: ignore[attr-defined]
            raise
    return results


def _split(tasks: Tasks) -> tuple[Iterable[Any], int]:
    if isinstance(tasks, tuple) and len(tasks) == 2 and isinstance(tasks[1], int):
        items, total = tasks
        if isinstance(items, Iterable):
            return items, total
    elif isinstance(tasks, Collection):
        return tasks, len(tasks)
    raise TypeError(
        "tasks must have a length, or be a tuple of an iterable and its length; "
        f"they are {type(tasks).__name__}"
    )


def _rewrites_line(file: TextIO) -> bool:
    """Whether a carriage return brings the writer back to the start of the line.

    A stream that is no file at all, such as a notebook cell or ``StringIO``, takes it as a
    terminal does.
    """
    try:
        return os.isatty(file.fileno())
    except (AttributeError, io.UnsupportedOperation, OSError, ValueError):
        return True

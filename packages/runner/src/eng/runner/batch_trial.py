"""Train a few steps with a batch size in a fresh process, and report whether they fit in memory."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from eng.config import Config
from eng.utils import UserError

from .batch_outcome import BatchTrial

__all__ = ["run_trial"]

#: Returns the config in the process of a trial.
ConfigLoader = Callable[[], Config]


def run_trial(load: ConfigLoader, size: int, memory_limit: int | None) -> BatchTrial:
    """Try a batch size in a fresh process.

    Args:
        load: Returns the config; it must be possible to pickle it.
        size: The batch size.
        memory_limit: Bytes that the trial may take. None: as much as there is.

    Returns:
        Whether it fits.

    Raises:
        UserError: If the config cannot be sent to another process, or the trial fails for another
            reason than memory.
        RuntimeError: If the process cannot start, or the trial fails by an error of code.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder, receiver:
        process = context.Process(target=_report, args=(sender, load, size, memory_limit, folder))
        with sender:
            _start(process)
        try:
            messages = _receive(receiver)
        finally:
            process.kill()
            process.join()
    if not messages:
        raise RuntimeError(
            f"the process of a trial ended with the exit code {process.exitcode} before it began, "
            "see its error above. A script that calls find_batch_size needs "
            "`if __name__ == '__main__':` around it"
        )
    outcome = messages[-1]
    if isinstance(outcome, BatchTrial):
        return outcome
    if isinstance(outcome, _Failure):
        raise outcome.as_error(size)
    return BatchTrial(size, False, reason=_describe_end(process.exitcode))


@dataclass(frozen=True)
class _Failure:
    """An error of a trial that has nothing to do with memory."""

    message: str
    trace: str

    def as_error(self, size: int) -> Exception:
        problem = f"the trial of batch size {size} failed: {self.message}"
        return RuntimeError(f"{problem}\n\n{self.trace}") if self.trace else UserError(problem)


def _start(process: multiprocessing.process.BaseProcess) -> None:
    try:
        process.start()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UserError(
            f"the config cannot be sent to a fresh process ({error}): name classes and functions "
            "of modules in it, not objects or those of a notebook"
        ) from error


def _receive(receiver: Connection) -> list[object]:
    """Receive messages until the outcome, or until the process has ended."""
    messages: list[object] = []
    while not isinstance(messages[-1] if messages else None, (BatchTrial, _Failure)):
        try:
            messages.append(receiver.recv())
        except EOFError:
            break
    return messages


def _describe_end(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process ended with the exit code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"


def _report(
    sender: Connection, load: ConfigLoader, size: int, memory_limit: int | None, folder: str
) -> None:
    """Try a batch size, and send the outcome. Runs in the fresh process."""
    sender.send("started")
    tempfile.tempdir = folder  # which is removed even if this process is killed
    multiprocessing.set_start_method(None, force=True)  # as in a process that the user starts
    try:
        from eng.device import is_out_of_memory

        from .batch_steps import try_batch_size
    except MemoryError as error:
        sender.send(
            _Failure(f"the memory limit does not even suffice to import torch: {error}", "")
        )
        return
    try:
        outcome: object = try_batch_size(load(), size, memory_limit)
    except UserError as error:
        outcome = _Failure(str(error), "")
    except Exception as error:
        if is_out_of_memory(error):
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            outcome = BatchTrial(size, False, reason=reason)
        else:
            name = type(error).__name__
            outcome = _Failure(f"{name}: {error}", traceback.format_exc())
    sender.send(outcome)

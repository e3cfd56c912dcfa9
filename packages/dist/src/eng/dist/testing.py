"""Run a test function in a group of processes on this machine.

This module does not need a test framework, and the package does not import it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from .initialize import init_dist

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.process import BaseProcess

__all__ = ["run_in_processes"]

#: The backend of each device that tests run on.
_BACKENDS = {"cpu": "gloo", "cuda": "nccl"}


def run_in_processes(
    function: Callable[..., object],
    world_size: int,
    *args: Any,
    timeout: float = 60,
    check: bool = True,
    backend: str | None = None,
    device: str = "cpu",
    start_method: str | None = None,
    patience: float | None = None,
) -> list[Any]:
    """Call a function in each process of a new group.

    If the system can fork and no CUDA device is visible, processes are forked from one that has
    imported torch and the eng modules of the caller, and start quickly. They share nothing else
    with the caller. With a visible CUDA device they are spawned, since an initialized driver does
    not survive a fork.

    Args:
        function: Called with ``args`` in each process, which must be able to import it.
        world_size: Number of processes.
        *args: Arguments, each picklable.
        timeout: Seconds that a collective waits for the others. Defaults to 60.
        check: Whether to raise here if a process raises or exits without a result. Defaults to
            True.
        backend: Backend of the group. Defaults to None: gloo on the CPU, nccl on CUDA devices.
        device: ``"cpu"``, which hides CUDA devices from the processes so that a test means the
            same on every machine, or ``"cuda"``. Defaults to ``"cpu"``.
        start_method: ``"spawn"`` or ``"forkserver"``. Defaults to None: the environment variable
            ``ENG_TEST_START_METHOD``, or, without it, the fastest that is safe.
        patience: Seconds in which all processes must finish. Defaults to None: twice ``timeout``.

    Returns:
        The return values by rank; without ``check``, a ``RuntimeError`` that names the exception
        of a process, and None for a process that was killed.

    Raises:
        AssertionError: If a process raised or exited without a result (with ``check``), or did not
            finish in time.
        ValueError: If the device is unknown, or processes that use CUDA are to be forked.

    Examples:
        >>> run_in_processes(my_tests.gradients_are_equal, 2)  # doctest: +SKIP
        [None, None]
    """
    if device not in _BACKENDS:
        raise ValueError(f"device must be one of {sorted(_BACKENDS)}, not {device!r}")
    # As with torchrun, the store is in the parent: it binds any free port and keeps it.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    context = _choose_context(start_method, device)
    with TemporaryDirectory() as folder:
        settings = (world_size, store.port, folder, timeout, backend or _BACKENDS[device])
        processes = [
            context.Process(target=_work, args=(function, args, rank, *settings))
            for rank in range(world_size)
        ]
        with _set_visible_devices(None if device == "cuda" else ""):
            for process in processes:
                process.start()
        _join(processes, patience or timeout * 2)
        paths = [Path(folder, str(rank)) for rank in range(world_size)]
        results = [pickle.loads(p.read_bytes()) if p.exists() else None for p in paths]
    for rank, result in enumerate(results):
        if check and isinstance(result, BaseException):
            raise AssertionError(f"rank {rank}: {result}") from result
    if check:
        exited = {rank: p.exitcode for rank, p in enumerate(processes) if p.exitcode}
        assert not exited, f"processes exited without a result; exit codes by rank: {exited}"
    return results


def _choose_context(start_method: str | None, device: str) -> ForkServerContext | SpawnContext:
    """Choose how processes start: never forked from one in which CUDA may be initialized."""
    may_fork = device == "cpu" and not torch.cuda.is_available()
    available = multiprocessing.get_all_start_methods()
    method = start_method or os.environ.get("ENG_TEST_START_METHOD")
    if method is None:
        method = "forkserver" if may_fork and "forkserver" in available else "spawn"
    if method not in {"spawn", "forkserver"} & set(available):
        raise ValueError(f"start_method must be 'spawn' or 'forkserver', not {method!r}")
    if method == "forkserver" and not may_fork:
        raise ValueError(
            "CUDA does not support start_method='forkserver', which forks: use 'spawn'"
        )
    if method == "spawn":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(sorted(_list_preloads()))
    return context


def _list_preloads() -> set[str]:
    """List the modules that the fork server imports: torch, and all of eng in use here.

    The first optimizer of a process imports torch._dynamo, which takes seconds.
    """
    own = (name for name in sys.modules if name.startswith("eng."))
    return {"eng.dist", "torch._dynamo", *own}


@contextmanager
def _set_visible_devices(value: str | None) -> Iterator[None]:
    """Set CUDA_VISIBLE_DEVICES for spawned processes, which read it when they import torch."""
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def _join(processes: Sequence[BaseProcess], seconds: float) -> None:
    for process in processes:
        process.join(seconds)
    late = [rank for rank, process in enumerate(processes) if process.is_alive()]
    for process in processes:
        process.kill()
        process.join()
    assert not late, f"ranks {late} did not finish within {seconds:g} s"


def _work(
    function: Callable[..., object],
    args: tuple[object, ...],
    rank: int,
    world_size: int,
    port: int,
    folder: str,
    timeout: float,
    backend: str,
) -> None:
    # With more threads, several processes on few cores slow each other down.
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE=str(world_size),
        LOCAL_RANK=str(rank),
        LOCAL_WORLD_SIZE=str(world_size),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        TORCHELASTIC_USE_AGENT_STORE="True",
        TORCHELASTIC_RESTART_COUNT="0",
    )
    path = Path(folder, str(rank))
    init_dist("pytorch", backend=backend, timeout=timeout)
    try:
        path.write_bytes(pickle.dumps(function(*args)))
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        path.write_bytes(pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}")))
        raise

"""Run a function in several processes that form a gloo group on loopback."""

import multiprocessing
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch.distributed import TCPStore


def run(
    function: Callable[..., Any],
    world_size: int,
    *args: Any,
    timeout: float = 60,
    check: bool = True,
) -> list[Any]:
    """Call ``function(*args)`` in each process; return what each returned, or its exception."""
    with TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        # as with torchrun, the store is the parent's: it takes any free port and keeps it
        store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        port = store.port
        processes = [
            context.Process(
                target=_child, args=(function, args, rank, world_size, port, folder, timeout)
            )
            for rank in range(world_size)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(timeout * 2)
        hung = [rank for rank, process in enumerate(processes) if process.is_alive()]
        for process in processes:
            process.kill()
            process.join()
        assert not hung, f"ranks {hung} did not end"
        results = []
        for rank in range(world_size):
            path = Path(folder) / str(rank)
            results.append(pickle.loads(path.read_bytes()) if path.exists() else None)
    for rank, result in enumerate(results):
        if check and isinstance(result, BaseException):
            raise AssertionError(f"rank {rank}: {result!r}") from result
    return results


def _child(function, args, rank, world_size, port, folder, timeout):
    import torch

    import eng.dist as dist

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
    dist.init_dist("pytorch", backend="gloo", timeout=timeout)
    path = Path(folder) / str(rank)
    try:
        path.write_bytes(pickle.dumps(function(*args)))
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        path.write_bytes(pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}")))
        raise

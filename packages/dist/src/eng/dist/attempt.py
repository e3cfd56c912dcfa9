"""Separate the attempts of a restarted job in their shared store.

With ``torchrun --max-restarts`` the store belongs to the agent, and outlives the processes of an
attempt: the next attempt would read stale entries, such as addresses. So each attempt has its own
prefix. Rank 0 names it, since the restart counts of agents on different machines may differ.
"""

import os
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from torch.distributed import PrefixStore  # type: ignore[attr-defined]
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

__all__ = ["with_store_of_attempt"]

_PREFIX = "eng/dist/attempt"
_TIMEOUT = timedelta(minutes=30)


def with_store_of_attempt(backend: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add a store without entries of earlier attempts to the arguments of a process group.

    Args:
        backend: Backend of the group.
        settings: Arguments of ``init_process_group``.

    Returns:
        The arguments, with a store if the agent shares one.
    """
    chosen = {"store", "init_method", "rank", "world_size"} & set(settings)
    is_shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if not is_shared or chosen or backend == "mpi":  # MPI has none
        return dict(settings)
    timeout = settings.get("timeout", _TIMEOUT)
    store, rank, world_size = next(rendezvous("env://", timeout=timeout))
    name = _agree(store, rank, world_size, timeout)
    store = PrefixStore(f"{_PREFIX}/{name}", store)
    return {**settings, "store": store, "rank": rank, "world_size": world_size}


def _agree(store: Store, rank: int, world_size: int, timeout: timedelta) -> str:
    """Return the name of this attempt from rank 0. Processes have a new name in each attempt."""
    own = uuid.uuid4().hex
    if rank == 0:
        _welcome(store, own, world_size, timeout)
        return own
    store.set(f"{_PREFIX}/hello/{rank}", own)
    store.wait([f"{_PREFIX}/welcome/{own}"], timeout)
    name: str = store.get(f"{_PREFIX}/welcome/{own}").decode()
    store.add(f"{_PREFIX}/arrived/{name}", 1)
    return name


def _welcome(store: Store, name: str, world_size: int, timeout: timedelta) -> None:
    """Send the name of the attempt to all ranks. The first hello may be from a dead process."""
    answered: dict[int, str] = {}
    end = time.monotonic() + timeout.total_seconds()
    while store.add(f"{_PREFIX}/arrived/{name}", 0) < world_size - 1:
        for rank in range(1, world_size):
            if store.check([f"{_PREFIX}/hello/{rank}"]):
                other = store.get(f"{_PREFIX}/hello/{rank}").decode()
                if answered.get(rank) != other:
                    store.set(f"{_PREFIX}/welcome/{other}", name)
                    answered[rank] = other
        if time.monotonic() > end:
            missing = sorted(set(range(1, world_size)) - set(answered))
            raise RuntimeError(
                f"timed out after {timeout.total_seconds():g} s: not all of {world_size} processes "
                f"joined this attempt of the job (missing ranks: {missing})"
            )
        time.sleep(0.01)

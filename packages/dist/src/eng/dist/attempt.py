"""Keep attempts of a restarted job apart in the store that they share.

With ``torchrun --max-restarts`` the store belongs to the agent, and outlives the processes of an
attempt: what these left there, such as their addresses, would be read by the next ones. So each
attempt has a prefix of its own. The counts of restarts that agents tell are those of each machine
alone and may differ, which is why rank 0 names the attempt.
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
    """Give a process group a store that no earlier attempt has written to.

    Args:
        backend: Backend of the group.
        settings: Arguments of ``init_process_group``.

    Returns:
        The arguments, with the store where there is a shared one.
    """
    chosen = {"store", "init_method", "rank", "world_size"} & set(settings)
    is_shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if not is_shared or chosen or backend == "mpi":  # MPI has no store
        return dict(settings)
    timeout = settings.get("timeout", _TIMEOUT)
    store, rank, world_size = next(rendezvous("env://", timeout=timeout))
    name = _agree(store, rank, world_size, timeout)
    store = PrefixStore(f"{_PREFIX}/{name}", store)
    return {**settings, "store": store, "rank": rank, "world_size": world_size}


def _agree(store: Store, rank: int, world_size: int, timeout: timedelta) -> str:
    """The name of this attempt, from rank 0. Names of processes are new in each attempt."""
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
    """Tell all others the name of the attempt. The first to say hello may be a dead process."""
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
                f"after {timeout.total_seconds():g} s not all of {world_size} processes had come "
                f"to this attempt of the job (ranks that never did: {missing})"
            )
        time.sleep(0.01)

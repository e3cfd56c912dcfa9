"""Functions of tests in several processes; a spawned process imports this module by name."""

from __future__ import annotations

import gc
import os
import pickle
import random
import signal
import time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch.utils.data import DataLoader, Dataset

from eng.dataset import BaseDataset, DefaultSampler, worker_init_fn

# ------------------------------------------------------------------ random numbers


def draw(data: dict[str, Any]) -> tuple[Any, ...]:
    """A transform that draws from all generators."""
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    return data["number"], drawn


class Drawing(BaseDataset):
    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(pipeline=[draw])

    def load_data_list(self) -> list[dict[str, int]]:
        return [{"number": i} for i in range(self.length)]


class Foreign(Dataset):
    """A dataset that knows nothing of this package."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        assert type(index) is int
        return draw({"number": index})


class ForeignInBatches(Foreign):
    def __getitems__(self, indices: list[int]) -> list[tuple[Any, ...]]:
        return [self[index] for index in indices]


def drawn(
    dataset: Dataset,
    workers: int,
    epoch: int = 0,
    start: int = 0,
    stop: int | None = None,
    rank: int = 0,
    world: int = 1,
    context: str | None = None,
) -> list[Any]:
    """What the samples drew, from one position to another, in one process of several."""
    sampler = DefaultSampler(dataset, seed=3)
    sampler.rank, sampler.world_size = rank, world
    sampler.load_state_dict({"epoch": epoch, "position": start, "seed": 3})
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=sampler,
        num_workers=workers,
        collate_fn=list,
        multiprocessing_context=context,
        worker_init_fn=partial(worker_init_fn, num_workers=workers, rank=rank, seed=7),
    )
    return [sample for batch in islice(loader, stop) for sample in batch]


# ------------------------------------------------------------------ shared annotations


class Annotations(BaseDataset):
    """Annotations of 300 bytes each."""

    def __init__(self, count: int, of_rank: int | None = None, **kwargs: Any) -> None:
        self.count = count
        self.of_rank = of_rank
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        rank = 0 if self.of_rank is None else self.of_rank
        return [{"number": i, "rank": rank, "text": f"{i:250}"} for i in range(self.count)]


class Reader(Dataset):
    """Each of its samples is what a worker measures while it reads all annotations."""

    def __init__(self, annotations: Annotations, workers: int) -> None:
        self.annotations = annotations
        self.workers = workers

    def __len__(self) -> int:
        return self.workers

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.annotations.get_data_info(0)
        gc.collect()
        memory()  # measuring takes memory too, once
        before = memory()
        for i in range(len(self.annotations)):
            assert self.annotations.get_data_info(i)["number"] == i
        gc.collect()
        after = memory()
        return {
            "process": os.getpid(),
            "own": after["own"] - before["own"],
            "mapped": after["mapped"],
            "blocks": blocks(),
        }


def read_in_workers(annotations: Annotations, context: str, workers: int) -> list[Any]:
    loader = DataLoader(
        Reader(annotations, workers),
        batch_size=None,
        num_workers=workers,
        multiprocessing_context=context,
    )
    return list(loader)


def memory() -> dict[str, int]:
    """Resident memory of this process, in bytes.

    ``own`` is what it alone has written or copied. The block of annotations, which is written but
    belongs to no process, is no part of that: which process has it mapped alone changes all the
    time. ``mapped`` is what is resident of that block.
    """
    sizes = {"own": 0, "mapped": 0}
    is_block = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, value, *_ = line.split()
        if not name.endswith(":"):
            is_block = "eng-annotations" in line
        elif name == "Rss:" and is_block:
            sizes["mapped"] += int(value) * 1024
        elif name == "Private_Dirty:" and not is_block:
            sizes["own"] += int(value) * 1024
    return sizes


def blocks() -> set[str]:
    """The blocks of annotations that this process has mapped, by their inodes."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if "eng-annotations" in line}


def share(folder: Path) -> None:
    """One rank of two, which write down what they see; the first one is killed in the end."""
    rank = torch.distributed.get_rank()
    dataset = Annotations(2000, share_across_ranks=True)
    seen = {
        "rank": blocks(),
        "forked": read_in_workers(dataset, "fork", 1)[0]["blocks"],
        "spawned": read_in_workers(dataset, "spawn", 1)[0]["blocks"],
    }
    other = Annotations(2000, of_rank=rank, share_across_ranks=True)
    assert other.get_data_info(5)["rank"] == rank
    seen["different"] = blocks() - seen["rank"]
    (folder / f"{rank}.pkl").write_bytes(pickle.dumps(seen))
    torch.distributed.barrier()
    if rank == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    while not (folder / "killed").exists():  # the test writes it
        time.sleep(0.01)
    numbers = [dataset.get_data_info(i)["number"] for i in range(2000)]
    (folder / "after.pkl").write_bytes(pickle.dumps(numbers == list(range(2000))))


def run_rank(folder: str, rank: int) -> None:
    """Start the rank of :func:`share`."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    share(Path(folder))
    os._exit(0)  # the group has lost a member: it cannot be taken apart in order

"""Speed of eng.dist: many small tensors reduced as one, over processes with gloo.

Against a flat tensor that is there already, joining and parting many costs two copies. On loopback
with two processes the reduction itself is little more than that; the more processes there are, the
more of the time it takes. The target is for four.
"""

import multiprocessing
import os
import sys
import time
from statistics import median

import torch
import torch.distributed as torch_dist
from torch.distributed import TCPStore

from eng import dist

TENSORS, ELEMENTS, ROUNDS, ROUNDS_SINGLY = 200, 1000, 60, 5


def seconds(call):
    torch_dist.barrier()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def work(rank, world_size, port, answers):
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE=str(world_size),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        TORCHELASTIC_USE_AGENT_STORE="True",
        TORCHELASTIC_RESTART_COUNT="0",
    )
    dist.init_dist("pytorch", backend="gloo")
    small = [torch.ones(ELEMENTS) for _ in range(TENSORS)]
    flat = torch.ones(TENSORS * ELEMENTS)
    calls = {
        "flat": lambda: torch_dist.all_reduce(flat),
        "params": lambda: dist.all_reduce_params(small),
        "singly": lambda: dist.all_reduce_params(small, coalesce=False),
    }
    # turn by turn, so that a machine which is busy for a while slows all
    times = {name: [] for name in calls}
    for round_ in range(ROUNDS):
        for name, call in calls.items():
            if name != "singly" or round_ < ROUNDS_SINGLY:
                times[name].append(seconds(call))
    answers.put({name: median(each) for name, each in times.items()})
    torch_dist.barrier()
    torch_dist.destroy_process_group()


def measure(world_size):
    context = multiprocessing.get_context("spawn")
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    answers = context.Queue()
    processes = [
        context.Process(target=work, args=(rank, world_size, store.port, answers))
        for rank in range(world_size)
    ]
    for process in processes:
        process.start()
    results = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return {name: max(result[name] for result in results) for name in results[0]}


def main():
    ratios = {}
    for world_size in (2, 4):
        times = measure(world_size)
        ratios[world_size] = times["params"] / times["flat"]
        print(
            f"{world_size} processes: all_reduce_params of {TENSORS} tensors "
            f"{times['params'] * 1e3:.2f} ms, {ratios[world_size]:.2f} times one flat all_reduce"
            f"{': target 1.3' if world_size == 4 else ''}; "
            f"one by one {times['singly'] * 1e3:.2f} ms"
        )
    return 0 if ratios[4] <= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())

"""Speed of eng.dist: many small tensors reduced as one, over processes with gloo.

They are held against a flat tensor that is there already. How long gloo takes jumps between a few
times, by the way its threads meet, so a run counts the mean and not the median; and where the
processes of a run are placed matters too, so each number is the median of several runs.
"""

import multiprocessing
import os
import random
from statistics import fmean, median

import torch
import torch.distributed as torch_dist
from measure import report, run_all, seconds
from torch.distributed import TCPStore

from eng import dist

TENSORS, ELEMENTS = 200, 1000
RUNS, ROUNDS, ROUNDS_SINGLY = 7, 200, 2


def seconds_together(call):
    torch_dist.barrier()
    return seconds(call)


def trimmed_mean(values):
    return fmean(sorted(values)[: max(1, len(values) * 19 // 20)])


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
    # turn by turn, so that a machine which is busy for a while slows all; in an order that changes,
    # since a call finds in the caches what the one before has left
    order = random.Random(0)
    names = list(calls)
    times = {name: [] for name in calls}
    for round_ in range(ROUNDS):
        order.shuffle(names)
        for name in names:
            if name != "singly" or round_ < ROUNDS_SINGLY:
                times[name].append(seconds_together(calls[name]))
    answers.put({name: trimmed_mean(each) for name, each in times.items()})
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


def reduce_params(world_size):
    runs = [measure(world_size) for _ in range(RUNS)]
    ratios = sorted(times["params"] / times["flat"] for times in runs)
    milliseconds = {name: median(times[name] for times in runs) * 1e3 for name in runs[0]}
    return report(
        f"{world_size} processes, all_reduce_params of {TENSORS} tensors over one flat all_reduce",
        median(ratios),
        1.3,
        " times",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}; {milliseconds['params']:.2f} ms, one by one "
        f"{milliseconds['singly']:.0f} ms",
    )


if __name__ == "__main__":
    run_all(lambda: reduce_params(2), lambda: reduce_params(4))

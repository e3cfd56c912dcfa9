"""Speed of eng.dist: many small tensors reduced as one, over two processes with gloo."""

import multiprocessing
import os
import sys
import time
from statistics import median

import torch
import torch.distributed as torch_dist
from torch.distributed import TCPStore

from eng import dist

TENSORS, ELEMENTS, ROUNDS = 200, 1000, 60


def seconds(call):
    torch_dist.barrier()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def work(rank, port, answers):
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE="2",
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
    times = [{name: seconds(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    answers.put({name: median(t[name] for t in times) for name in calls})
    torch_dist.barrier()
    torch_dist.destroy_process_group()


def main():
    context = multiprocessing.get_context("spawn")
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    answers = context.Queue()
    processes = [context.Process(target=work, args=(r, store.port, answers)) for r in range(2)]
    for process in processes:
        process.start()
    results = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    times = {name: max(result[name] for result in results) for name in results[0]}
    ratio = times["params"] / times["flat"]
    print(
        f"all_reduce_params of {TENSORS} tensors {times['params'] * 1e3:.2f} ms, "
        f"{ratio:.2f} times one flat all_reduce: target 1.3; "
        f"one by one {times['singly'] * 1e3:.2f} ms"
    )
    return 0 if ratio <= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())

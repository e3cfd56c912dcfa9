"""What torchrun starts: a program whose rank 1 dies in its first attempts."""

import os
import sys

import torch

import eng.dist as dist

how, deaths = sys.argv[1], int(sys.argv[2])
dist.init_dist("pytorch", backend="gloo", timeout=60)
attempt = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
for number in range(20):
    dist.all_reduce(torch.ones(1))
    if number % 4 == 0:
        dist.barrier(timeout=20)
    if number == 9 and dist.get_rank() == 1 and attempt < deaths:
        if how == "kill":
            os.kill(os.getpid(), 9)
        raise ValueError("oh no")
# The group is not destroyed, as in many programs.
print(f"rank {dist.get_rank()} ended well in attempt {attempt}", flush=True)

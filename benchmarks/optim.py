"""Speed of eng.optim: what an update and a scheduler's step cost beside torch's own."""

import sys
import time
from statistics import median

import torch
from torch import nn
from torch.optim import SGD, lr_scheduler

from eng.optim import CosineAnnealingLR, ExponentialLR, LinearLR, OptimWrapper, StepLR

GROUPS, ROUNDS = 100, 400


def in_pairs(ours, theirs, prepare=lambda: (), rounds=ROUNDS):
    """Microseconds of two calls, one right after the other and taking turns at being first."""
    times = {ours: [], theirs: []}
    for number in range(rounds):
        for call in (ours, theirs) if number % 2 else (theirs, ours):
            arguments = prepare()
            start = time.perf_counter()
            call(*arguments)
            times[call].append((time.perf_counter() - start) * 1e6)
    return times[ours], times[theirs]


def update_params():
    model = nn.Linear(8, 1)
    x = torch.randn(4, 8)
    optimizer = SGD(model.parameters(), lr=1e-6)
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1e-6))

    def bare(loss):
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    ours, theirs = in_pairs(
        wrapper.update_params, bare, prepare=lambda: (model(x).mean(),), rounds=4000
    )
    more = median(a - b for a, b in zip(ours, theirs, strict=True))
    print(
        f"update_params {median(ours):.1f} us, backward + step + zero_grad {median(theirs):.1f} "
        f"us: {more:+.1f} us, {median(ours) / median(theirs):.2f} times; target +10 us"
    )
    return more <= 10


def make_optimizer():
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": 0.1} for _ in range(GROUPS)]
    return SGD(groups, lr=0.1)


def scheduler_steps():
    pairs = {
        "LinearLR": (
            lambda o: LinearLR(o, 0.1, end=10**6, by_epoch=False),
            lambda o: lr_scheduler.LinearLR(o, 0.1, total_iters=10**6),
        ),
        "CosineAnnealingLR": (
            lambda o: CosineAnnealingLR(o, T_max=10**6, by_epoch=False),
            lambda o: lr_scheduler.CosineAnnealingLR(o, 10**6),
        ),
        "ExponentialLR": (
            lambda o: ExponentialLR(o, gamma=0.999, by_epoch=False),
            lambda o: lr_scheduler.ExponentialLR(o, 0.999),
        ),
        "StepLR": (
            lambda o: StepLR(o, step_size=30, by_epoch=False),
            lambda o: lr_scheduler.StepLR(o, 30),
        ),
    }
    good = True
    for name, (ours, theirs) in pairs.items():
        mine, other = ours(OptimWrapper(make_optimizer())), theirs(make_optimizer())
        other.optimizer.step()  # or torch warns of the order
        mine_us, other_us = in_pairs(mine.step, other.step)
        ratio = median(a / b for a, b in zip(mine_us, other_us, strict=True))
        print(
            f"{name}.step of {GROUPS} groups {median(mine_us):.1f} us, torch's "
            f"{median(other_us):.1f} us: {ratio:.2f} times; target 1.2"
        )
        good = good and ratio <= 1.2
    return good


def main():
    torch.set_num_threads(1)
    return 0 if all([update_params(), scheduler_steps()]) else 1


if __name__ == "__main__":
    sys.exit(main())

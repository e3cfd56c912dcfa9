"""Speed of eng.optim: what an update and a scheduler's step cost beside torch's own."""

from functools import partial

import torch
from measure import compare, report, report_ratio, run_all, seconds, summarize
from torch import nn
from torch.optim import SGD, lr_scheduler

from eng.optim import CosineAnnealingLR, ExponentialLR, LinearLR, OptimWrapper, StepLR

GROUPS, ROUNDS = 100, 400


def update_params():
    """Times only what comes after the forward pass, of which each call needs a new one."""
    model = nn.Linear(8, 1)
    x = torch.randn(4, 8)
    optimizer = SGD(model.parameters(), lr=1e-6)
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1e-6))

    def bare(loss):
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    times = {wrapper.update_params: [], bare: []}
    for number in range(4000):
        for call in list(times) if number % 2 else reversed(list(times)):
            loss = model(x).mean()
            times[call].append(seconds(partial(call, loss)))
    timed = summarize(*times.values())
    return report(
        "update_params over backward + step + zero_grad",
        timed.more * 1e6,
        10,
        " us",
        f"{timed.ours * 1e6:.1f} and {timed.theirs * 1e6:.1f} us, {timed.ratio:.2f} times",
    )


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
        timed = compare(mine.step, other.step, ROUNDS)
        good &= report_ratio(f"{name}.step of {GROUPS} groups", timed, 1.2, "torch's")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_all(update_params, scheduler_steps)

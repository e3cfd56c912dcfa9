"""Rates of MMCV's cosine policy with a linear warm-up, by its formula, and of two schedules."""

import math

import torch
from curves import BLUE, GREY, ORANGE, new_figure, save

from eng.optim import CosineAnnealingLR, LinearLR, OptimWrapper

LR, ITERATIONS, WARMUP, RATIO = 0.1, 1000, 100, 0.01


def old_rate(iteration: int, begin: int) -> float:
    """The rate of the policy, whose cosine begins at an iteration."""
    progress = max(0, iteration - begin) / (ITERATIONS - begin)
    regular = 0.5 * LR * (1 + math.cos(math.pi * progress))
    if iteration < WARMUP:
        return regular * (1 - (1 - iteration / WARMUP) * (1 - RATIO))
    return regular


def new_rates() -> list[float]:
    """The rates of the page."""
    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR))
    cosine = dict(by_epoch=False, begin=WARMUP, end=ITERATIONS)
    schedulers = [
        LinearLR(wrapper, start_factor=RATIO, by_epoch=False, begin=0, end=WARMUP),
        CosineAnnealingLR(wrapper, T_max=ITERATIONS - WARMUP, **cosine),
    ]
    rates = []
    for _ in range(ITERATIONS):
        rates.append(wrapper.get_lr()["lr"][0])
        wrapper.optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def draw() -> None:
    """Draw all three."""
    figure, axes = new_figure("iteration", "learning rate")
    steps = range(0, ITERATIONS, 10)
    policy = [old_rate(step, WARMUP) for step in steps]
    rates = new_rates()[::10]
    axes.plot(steps, policy, color=BLUE, linewidth=5, alpha=0.5, label="old, cosine after warm-up")
    axes.plot(steps, rates, color=ORANGE, label="two schedules")
    axes.plot(
        steps,
        [old_rate(step, 0) for step in steps],
        color=GREY,
        linestyle="--",
        linewidth=1,
        label="old, cosine from 0",
    )
    save(figure, "moved_schedule")


if __name__ == "__main__":
    draw()

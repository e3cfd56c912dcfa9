"""Draw the pictures of the guide to schedules, from schedulers that run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eng.optim import OptimWrapper
from eng.registry import PARAM_SCHEDULERS

FOLDER = Path(__file__).parents[1] / "pages" / "pictures"
GREY, BLUE, ORANGE, GREEN = "#808080", "#3b82c4", "#c77a1a", "#2f9a68"
EPOCHS, LENGTH = 10, 20
KINDS: dict[str, dict[str, Any]] = {
    "ConstantLR": dict(factor=0.3, end=4),
    "LinearLR": dict(start_factor=0.1, end=10),
    "StepLR": dict(step_size=3, gamma=0.5),
    "MultiStepLR": dict(milestones=[5, 8], gamma=0.3),
    "ExponentialLR": dict(gamma=0.8),
    "CosineAnnealingLR": dict(T_max=10, end=10, convert_to_iter_based=True),
    "PolyLR": dict(power=2, end=10, convert_to_iter_based=True),
    "CosineRestartLR": dict(periods=[80, 120], restart_weights=[1, 0.5], eta_min=0, by_epoch=False),
    "OneCycleLR": dict(eta_max=0.1, total_steps=200, by_epoch=False),
}


def compute(schedulers: Sequence[Mapping[str, Any]], accumulative_counts: int = 1) -> list[float]:
    """Compute the learning rate of each iteration."""
    weight = torch.nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(
        torch.optim.SGD([weight], lr=0.1, momentum=0.9), accumulative_counts=accumulative_counts
    )
    wrapper.initialize_count_status(torch.nn.Linear(1, 1), 0, EPOCHS * LENGTH)
    defaults = dict(optimizer=wrapper, epoch_length=LENGTH)
    built = [PARAM_SCHEDULERS.build(dict(each), default_args=defaults) for each in schedulers]
    values = []
    for iteration in range(1, EPOCHS * LENGTH + 1):
        values.append(wrapper.param_groups[0]["lr"])
        wrapper.update_params(weight.sum())
        for each in built:
            if not each.by_epoch or iteration % LENGTH == 0:
                each.step()
    return values


def plot(axes: Axes, values: Sequence[float], color: str, label: str = "", every: int = 1) -> None:
    """Draw values over epochs."""
    epochs = [i / LENGTH for i in range(0, len(values), every)]
    axes.step(epochs, values[::every], color=color, where="post", linewidth=1.6, label=label)


def save(figure: Figure, name: str) -> None:
    """Save a figure that is readable on light and dark pages."""
    for axes in figure.axes:
        axes.patch.set_alpha(0)
        for spine in axes.spines.values():
            spine.set_color(GREY)
        axes.tick_params(colors=GREY, labelsize=8)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(GREY)
        if legend := axes.get_legend():
            legend.get_frame().set_alpha(0)
            for text in legend.get_texts():
                text.set_color(GREY)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg", transparent=True, metadata={"Date": None})


def draw() -> None:
    """Draw all pictures."""
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    warmup = dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=LENGTH)
    cosine = dict(type="CosineAnnealingLR", begin=1, T_max=9, end=10, convert_to_iter_based=True)
    plot(axes, compute([warmup, cosine]), BLUE)
    axes.set(xlabel="epoch", ylabel="learning rate")
    save(figure, "schedule-warmup-cosine")

    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    for panel, (kind, settings) in zip(figure.subplots(3, 3).flat, KINDS.items(), strict=True):
        plot(panel, compute([dict(settings, type=kind)]), BLUE, every=5)
        panel.set_title(kind, fontsize=9)
        panel.set_ylim(-0.005, 0.105)
    save(figure, "schedule-kinds")

    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    clocks = (
        ("by_epoch=True", dict(by_epoch=True, gamma=0.8), GREEN),
        ("by_epoch=False", dict(by_epoch=False, gamma=0.98), BLUE),
        ('by="step"', dict(by="step", gamma=0.98), ORANGE),
    )
    for label, settings, color in clocks:
        plot(axes, compute([dict(settings, type="ExponentialLR")], 4), color, label)
    axes.set(xlabel="epoch", ylabel="learning rate")
    axes.legend(fontsize=9)
    save(figure, "schedule-clocks")


if __name__ == "__main__":
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "eng"})
    draw()

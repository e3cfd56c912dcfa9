"""Count the parameters of a model."""

from __future__ import annotations

from collections import defaultdict

from torch import nn

from .module_names import ancestors
from .text_table import format_size, text_table

__all__ = ["parameter_count", "parameter_count_table", "parameter_shapes"]


def parameter_count(model: nn.Module) -> defaultdict[str, int]:
    """Count the parameters of each module. A shared parameter counts once.

    Args:
        model: The model.

    Returns:
        Numbers of elements by the name of the module or of the parameter; the model is ``''``.
    """
    counts: defaultdict[str, int] = defaultdict(int)
    for name, parameter in model.named_parameters():
        for prefix in ancestors(name):
            counts[prefix] += parameter.numel()
    return counts


def parameter_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter by its name."""
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def parameter_count_table(model: nn.Module, max_depth: int = 3) -> str:
    """Draw a table of the parameters of a model.

    Args:
        model: The model.
        max_depth: Levels below the model to show. Defaults to 3.

    Returns:
        The table: the number of elements of each module, the shape of each parameter.
    """
    counts, shapes = parameter_count(model), parameter_shapes(model)
    rows = [("model", format_size(counts[""], sig_figs=1))]
    for name in _sort_depth_first(list(counts)):
        level = name.count(".") + 1
        if level <= max_depth:
            shown = str(shapes[name]) if name in shapes else format_size(counts[name], sig_figs=1)
            rows.append((" " * level + name, " " * level + shown))
    title = f"parameter count of {type(model).__name__}"
    return text_table(("name", "#elements or shape"), rows, title)


def _sort_depth_first(names: list[str]) -> list[str]:
    """Sort names below the model, each before its children; otherwise in the given order."""
    children: defaultdict[str, list[str]] = defaultdict(list)
    for name in filter(None, names):
        children[name.rpartition(".")[0]].append(name)
    ordered: list[str] = []
    waiting = children[""][::-1]
    while waiting:
        ordered.append(waiting.pop())
        waiting += children[ordered[-1]][::-1]
    return ordered

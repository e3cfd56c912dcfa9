"""Describe the data and the model of a run in a few words."""

from __future__ import annotations

from pathlib import Path

from torch import nn
from torch.nn.parameter import is_lazy

from eng.dataset import length_of

__all__ = ["count_by_module", "count_parameters", "describe_data", "shorten_path"]


def describe_data(loader: object) -> str:
    """Describe the data of a data loader.

    Args:
        loader: The data loader.

    Returns:
        The class of the dataset, and the numbers of samples and batches.
    """
    dataset = getattr(loader, "dataset", None)
    samples, batches = length_of(dataset), length_of(loader)
    size = getattr(loader, "batch_size", None)
    parts = [
        type(dataset).__name__,
        "an unknown number of samples" if samples is None else f"{samples:,} samples",
        f"{'an unknown number of' if batches is None else f'{batches:,}'} batches"
        f"{'' if size is None else f' of {size}'} per epoch",
    ]
    return ", ".join(parts)


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """Count the parameters of a model.

    Args:
        model: The model. Parameters of lazy modules count when they have a shape.

    Returns:
        The number of all, and of those that are trained.
    """
    known = [each for each in model.parameters() if not is_lazy(each)]
    return sum(p.numel() for p in known), sum(p.numel() for p in known if p.requires_grad)


def count_by_module(model: nn.Module) -> dict[str, int]:
    """Count the parameters of the top modules of a model.

    Args:
        model: The model.

    Returns:
        Numbers by name, of modules that have parameters. Those of the model itself are under the
        name of its class.
    """
    counts = {name: count_parameters(child)[0] for name, child in model.named_children()}
    own = sum(p.numel() for p in model.parameters(recurse=False) if not is_lazy(p))
    return {name: n for name, n in {**counts, type(model).__name__: own}.items() if n}


def shorten_path(path: str) -> str:
    """Return a path relative to the current directory, if it is inside."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere, or the current directory was removed
        return path

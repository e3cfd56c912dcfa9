"""Count the samples and tokens of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from eng.utils import ArgumentValueError, DataBatch

__all__ = ["count_samples", "count_tokens"]

#: Names under which a batch that is a dict has its targets.
_TARGETS = ("labels", "label", "targets", "target", "data_samples", "y")


def count_samples(data: DataBatch) -> int:
    """Count the samples of a preprocessed batch.

    Args:
        data: A dict, list or tuple of the arguments of the model, or a tensor.

    Returns:
        The length of the first list or tensor that is not empty, in dicts and tuples as well; 0
        without one.
    """
    if isinstance(data, Mapping):
        data = list(data.values())
    arguments = data if isinstance(data, (list, tuple)) else [data]
    return next(filter(None, map(_count_entries, arguments)), 0)


def _count_entries(argument: object) -> int:
    if isinstance(argument, Tensor):
        return len(argument) if argument.ndim else 0
    if isinstance(argument, list):
        return len(argument)
    return count_samples(argument) if isinstance(argument, (Mapping, tuple)) else 0


def count_tokens(
    data: DataBatch, key: str | None = None, ignore_index: int = -100, shift: int = 0
) -> Tensor:
    """Count the targets of a preprocessed batch that are not ignored.

    Args:
        data: A dict with the targets, or a list or tuple with the targets last.
        key: Key of the targets in a dict. Defaults to None, the first of ``labels``, ``label``,
            ``targets``, ``target``, ``data_samples`` and ``y`` that it has.
        ignore_index: Target that does not count. Defaults to -100, as for
            :func:`torch.nn.functional.cross_entropy`.
        shift: Targets at the beginning of each sequence that do not count, 1 where a model
            predicts the next token. Defaults to 0.

    Returns:
        The number, on the device of the targets.

    Raises:
        ValueError: If targets are missing, or of floating point.
    """
    targets = _find_targets(data, key)
    if not isinstance(targets, Tensor) or targets.is_floating_point():
        kind = f"of {targets.dtype}" if isinstance(targets, Tensor) else type(targets).__name__
        raise ArgumentValueError(
            "loss_normalizer='tokens' counts the targets of a batch, a tensor of integers, not "
            f"{kind}: name them, loss_normalizer=dict(type='tokens', key=...), or give a function "
            "of the batch"
        )
    return (targets[..., shift:] != ignore_index).sum()


def _find_targets(data: Any, key: str | None) -> Any:
    if isinstance(data, Mapping):
        names = _TARGETS if key is None else (key,)
        found = next((name for name in names if name in data), None)
        if found is None:
            raise ArgumentValueError(
                f"loss_normalizer='tokens': the batch has {sorted(map(str, data))}, none of "
                f"{', '.join(names)}"
            )
        return data[found]
    return data[-1] if isinstance(data, (list, tuple)) and data else data

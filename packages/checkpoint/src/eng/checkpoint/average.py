"""Average the weights of several checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

import torch
from torch import Tensor

from .errors import CheckpointError
from .folder import CheckpointFolder

__all__ = ["average_weights", "list_latest"]

_NUMBER = re.compile(r"(?:epoch|iter)_(\d+)(?:\.\w+)?")


def average_weights(
    files: Iterable[str], load: Callable[[str], Mapping[str, object]]
) -> dict[str, Tensor]:
    """Average the weights of several checkpoints, tensor by tensor.

    As in "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov et al.,
    2018), for checkpoints of one run, or "Model soups" (Wortsman et al., 2022), for several runs
    from the same weights. Statistics of batch norms are averaged as well; exact ones need a pass
    over training data. Values that are not floating point are those of the last checkpoint.

    Args:
        files: The checkpoints. One after the other is read, so that memory holds two.
        load: Function of a file that returns its weights by name.

    Returns:
        The averages, in the types of the first checkpoint.

    Raises:
        CheckpointError: If there are fewer than two files, or names or shapes differ.
    """
    sums: dict[str, Tensor] = {}
    kinds: dict[str, torch.dtype] = {}
    first, count = "", 0
    for count, file in enumerate(files, 1):
        weights = {name: each for name, each in load(file).items() if isinstance(each, Tensor)}
        if count == 1:
            first, kinds = file, {name: each.dtype for name, each in weights.items()}
        _check_same(first, kinds, sums, file, weights)
        for name, value in weights.items():
            if not value.dtype.is_floating_point and not value.dtype.is_complex:
                sums[name] = value
            else:
                wide = torch.complex128 if value.dtype.is_complex else torch.float64
                sums[name] = value.to(wide, copy=True) if count == 1 else sums[name].add_(value)
    if count < 2:
        raise CheckpointError(f"an average needs at least two checkpoints, not {count}")
    return {
        name: total.div_(count).to(kinds[name])
        if total.dtype in (torch.float64, torch.complex128)
        else total
        for name, total in sums.items()
    }


def list_latest(work_dir: str, count: int) -> list[str]:
    """List the newest checkpoints of a work directory by the number in their names.

    Args:
        work_dir: The directory.
        count: Number of checkpoints.

    Returns:
        Their paths, the oldest first.

    Raises:
        CheckpointError: If there are fewer.
    """
    folder = CheckpointFolder(work_dir)
    numbered = [(_NUMBER.fullmatch(PurePath(name).name), name) for name in folder.names()]
    found = sorted((int(match[1]), name) for match, name in numbered if match)
    if len(found) < count:
        raise CheckpointError(
            f"{work_dir} has {len(found)} checkpoints named by their epoch or iteration, not "
            f"{count}: keep more of them with max_keep_ckpts of the CheckpointHook"
        )
    return [folder.join(name) for _, name in found[-count:]]


def _check_same(
    first: str,
    kinds: Mapping[str, object],
    sums: Mapping[str, Tensor],
    file: str,
    weights: Mapping[str, Tensor],
) -> None:
    """Refuse weights of another model."""
    if different := sorted(set(kinds) ^ set(weights)):
        raise CheckpointError(
            f"{file} and {first} have weights of different models: {different[0]!r} is in one of "
            f"them alone, with {len(different) - 1} others"
        )
    for name, total in sums.items():
        if total.shape != weights[name].shape:
            raise CheckpointError(
                f"{name!r} has the shape {tuple(weights[name].shape)} in {file} and "
                f"{tuple(total.shape)} in {first}"
            )

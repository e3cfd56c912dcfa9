"""Compare the weights of two checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["WeightDifference", "compare_weights"]


@dataclass
class WeightDifference:
    """Differences between the weights of two checkpoints.

    Attributes:
        only_left: Names that are missing in the second.
        only_right: Names that are missing in the first.
        shapes: Shape and dtype of both tensors as text, by the names for which they differ.
        values: Largest absolute difference by the names for which values differ, in descending
            order; NaN if only one tensor has NaN or infinity in some place.
        equal: Number of tensors that are equal.
    """

    only_left: list[str] = field(default_factory=list)
    only_right: list[str] = field(default_factory=list)
    shapes: dict[str, tuple[str, str]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    equal: int = 0

    @property
    def is_none(self) -> bool:
        """Whether the weights are equal."""
        return not (self.only_left or self.only_right or self.shapes or self.values)

    def lines(self, most: int = 20) -> list[str]:
        """Describe the differences.

        Args:
            most: Maximum number of lines of each kind. Defaults to 20.

        Returns:
            The lines.
        """
        found = [f"{self.equal} tensor{' is' if self.equal == 1 else 's are'} equal"]
        for title, names in (
            ("only in the first", self.only_left),
            ("only in the second", self.only_right),
            ("shape or type differs", [f"{k}: {a} and {b}" for k, (a, b) in self.shapes.items()]),
            ("values differ by at most", [f"{k}: {each:.3g}" for k, each in self.values.items()]),
        ):
            if names:
                found.append(f"{title} ({len(names)}):")
                found += [f"  {name}" for name in names[:most]]
            if len(names) > most:
                found.append(f"  … {len(names) - most} more")
        return found


def compare_weights(left: Mapping[str, object], right: Mapping[str, object]) -> WeightDifference:
    """Compare tensors by name.

    Args:
        left: Tensors by name.
        right: Tensors by name, too.

    Returns:
        The differences. NaNs in the same places are equal.
    """
    found = WeightDifference(
        only_left=[name for name in left if name not in right],
        only_right=[name for name in right if name not in left],
    )
    values: dict[str, float] = {}
    for name, ours in left.items():
        if name not in right:
            continue
        theirs = right[name]
        if not isinstance(ours, Tensor) or not isinstance(theirs, Tensor):
            continue
        if (ours.shape, ours.dtype) != (theirs.shape, theirs.dtype):
            found.shapes[name] = _describe(ours), _describe(theirs)
            continue
        most = _measure_difference(ours, theirs)
        if most == 0:
            found.equal += 1
        else:
            values[name] = most
    # NaN comes first.
    found.values = dict(sorted(values.items(), key=lambda pair: (pair[1] == pair[1], -pair[1])))
    return found


def _measure_difference(ours: Tensor, theirs: Tensor) -> float:
    if torch.equal(ours, theirs) or not ours.numel():
        return 0.0
    wide = torch.complex128 if ours.is_complex() else torch.float64
    a, b = (tensor.detach().cpu().to_dense().to(wide) for tensor in (ours, theirs))
    same = (a == b) | (a.isnan() & b.isnan())
    return float(torch.where(same, torch.zeros_like(a), a - b).abs().max())


def _describe(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"

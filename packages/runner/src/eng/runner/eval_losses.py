"""Average losses that a model returns beside its predictions in validation and testing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from eng.checkpoint import is_sharded
from eng.dist import all_gather_object
from eng.dl_utils import unwrap
from eng.structures import BaseDataElement
from eng.utils import DataBatch, DataSample

from .errors import RunnerTypeError

__all__ = ["EvalLosses", "compute_losses"]


class EvalLosses:
    """Averages losses over what all processes evaluate.

    A model returns them as the last of its outputs: a :class:`eng.structures.BaseDataElement` with
    nothing but ``loss``, a dict of tensors or lists of tensors by name. Each batch counts the same.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all losses, before another evaluation."""
        self._sums: dict[str, Tensor | float] = {}
        self._counts: dict[str, int] = {}

    def split_off(self, outputs: DataSample) -> DataSample:
        """Take the losses out of the outputs of a batch.

        Args:
            outputs: Outputs of the model.

        Returns:
            The predictions alone.
        """
        if not isinstance(outputs, (list, tuple)) or not outputs:
            return outputs
        last = outputs[-1]
        if not isinstance(last, BaseDataElement) or list(last.keys()) != ["loss"]:
            return outputs
        losses: object = last.get("loss")
        if not isinstance(losses, Mapping):
            raise RunnerTypeError(
                "the loss among the outputs of a model must be a dict of losses by name, not "
                f"{type(losses).__name__}"
            )
        for name, value in losses.items():
            for each in value if isinstance(value, (list, tuple)) else [value]:
                self._add(str(name), each)
        return outputs[:-1]

    def add(self, losses: Mapping[str, Tensor], count: int) -> None:
        """Count the losses of a batch, each of its samples the same.

        Args:
            losses: Their mean over the batch by name.
            count: Number of samples.
        """
        for name, value in losses.items():
            self._add(name, value, count)

    def averages(self) -> dict[str, float]:
        """The average of each loss in this process so far, by name."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}

    def metrics(self, mode: str) -> dict[str, float]:
        """The average of each loss. To be called in all processes.

        Args:
            mode: ``'val'`` or ``'test'``.

        Returns:
            Averages by name, and under ``val_loss`` or ``test_loss`` the sum of those whose name
            contains ``loss``; an empty dict without losses.
        """
        own = {name: (float(total), self._counts[name]) for name, total in self._sums.items()}
        shares = all_gather_object(own)
        averages = {}
        for name in dict.fromkeys(name for share in shares for name in share):
            pairs = [share[name] for share in shares if name in share]
            averages[name] = sum(total for total, _ in pairs) / sum(count for _, count in pairs)
        if not averages:
            return {}
        whole = sum(value for name, value in averages.items() if "loss" in name)
        return {**averages, f"{mode}_loss": whole}

    def _add(self, name: str, value: Tensor | float, count: int = 1) -> None:
        # A tensor stays on its device until the end, so that no batch waits for it.
        number = value.detach().float().mean() if isinstance(value, Tensor) else value
        total = number * count
        self._sums[name] = self._sums[name] + total if name in self._sums else total
        self._counts[name] = self._counts.get(name, 0) + count


def compute_losses(model: Any, data_batch: DataBatch) -> dict[str, Tensor]:
    """Compute the losses of a batch, without an update.

    Args:
        model: The model, possibly wrapped.
        data_batch: The batch.

    Returns:
        Each loss by its name, as a number.
    """
    bare: Any = unwrap(model)
    data = bare.data_preprocessor(data_batch, False)
    # Through the wrapper only where the parameters are: others would wait for all processes.
    losses = (model if is_sharded(model) else bare)._run_forward(data, "loss")
    _, values = bare.parse_losses(losses)
    if "loss" in losses:  # under which parse_losses has the sum of all
        values["loss"] = bare.parse_losses({"loss": losses["loss"]})[0]
    return {name: values[name] for name in losses}

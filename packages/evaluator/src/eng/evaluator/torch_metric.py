"""Metrics of torchmetrics."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eng.dist import all_gather_object, get_comm_device, is_distributed, is_main_process
from eng.registry import METRICS
from eng.utils import override

from .running_metric import RunningMetric

__all__ = ["TorchMetric", "is_torchmetrics"]


@METRICS.register_module()
class TorchMetric(RunningMetric):
    """Passes predictions to a metric of torchmetrics, which keeps and synchronises its own state.

    Each parameter of the ``update`` of that metric gets one field of the samples: tensors, arrays
    and numbers stacked to a batch, anything else as a list.

    Args:
        metric: A ``torchmetrics.Metric``, a ``torchmetrics.MetricCollection``, or the config of one
            with its full path as ``type``.
        fields: By parameter, the name of its field, where ``a.b`` is the field ``b`` of the
            element or dict ``a``. Defaults to None: each parameter without a default, such as
            ``preds`` and ``target``, gets the field of its own name.
        prefix: What is put before the names of the numbers, as ``prefix/name``. Defaults to None.

    Raises:
        TypeError: If it is no metric of torchmetrics.

    Examples:
        >>> from torchmetrics.classification import MulticlassAccuracy
        >>> metric = TorchMetric(
        ...     MulticlassAccuracy(num_classes=10, average='micro'),
        ...     fields=dict(preds='pred_label', target='gt_label'))
        >>> metric.process(None, [dict(pred_label=3, gt_label=3), dict(pred_label=1, gt_label=2)])
        >>> metric.evaluate(size=2)
        {'MulticlassAccuracy': 0.5}
    """

    def __init__(
        self, metric: Any, fields: Mapping[str, str] | None = None, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.metric = METRICS.build(metric) if isinstance(metric, dict) else metric
        if not is_torchmetrics(self.metric):
            raise TypeError(
                "metric must be a metric of torchmetrics (extra 'torchmetrics' of eng-evaluator) "
                f"or its config, not {type(self.metric).__name__}"
            )
        self.fields = dict(fields or {name: name for name in _parameters(self.metric)})

    @override
    def update(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Pass fields of samples to the metric.

        Args:
            data_batch: Ignored.
            data_samples: What the model predicted.

        Raises:
            KeyError: If a sample lacks a field.
        """
        inputs = {
            parameter: _stacked([self._field(sample, field) for sample in data_samples])
            for parameter, field in self.fields.items()
        }
        for value in inputs.values():
            if isinstance(value, Tensor):
                self.metric.to(value.device)
                break
        self.metric.update(**inputs)

    @override
    def reduce(self, sums: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers that the metric has computed, as plain data.

        Args:
            sums: The numbers by name.

        Returns:
            The same; tensors as numbers or lists.
        """
        return {
            name: value.tolist() if isinstance(value, Tensor) else value
            for name, value in sums.items()
        }

    def _field(self, sample: Any, field: str) -> Any:
        value = sample
        for name in field.split("."):
            if not isinstance(value, Mapping) or name not in value:
                have = list(value) if isinstance(value, Mapping) else type(value).__name__
                raise KeyError(
                    f"{type(self.metric).__name__} needs the field {field!r} of each sample, which "
                    f"has {have}; fields={self.fields} says which parameter takes which field"
                )
            value = value[name]
        return value

    @override
    def _collect(self, size: int) -> list[Any] | None:
        if not any(all_gather_object(self._end(size))):
            raise self._nothing()
        if is_distributed():
            self.metric.to(get_comm_device())
        computed = self.metric.compute()  # in all processes together
        self.metric.reset()
        if not isinstance(computed, Mapping):
            computed = {type(self.metric).__name__: computed}
        return [dict(computed)] if is_main_process() else None


def is_torchmetrics(metric: Any) -> bool:
    """Whether something is a metric of torchmetrics. Does not import that package.

    Args:
        metric: Anything.
    """
    torchmetrics: Any = sys.modules.get("torchmetrics")  # who made one has imported it
    return torchmetrics is not None and isinstance(
        metric, (torchmetrics.Metric, torchmetrics.MetricCollection)
    )


def _parameters(metric: Any) -> list[str]:
    """The parameters of ``update`` that have no default, those of all members of a collection."""
    is_collection = isinstance(metric, sys.modules["torchmetrics"].MetricCollection)
    named = (
        parameter.name
        for member in (metric.values() if is_collection else [metric])
        for parameter in inspect.signature(member.update).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    return list(dict.fromkeys(named))


def _stacked(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.stack(values)
    if isinstance(first, (np.ndarray, np.generic, bool, int, float)):
        return torch.as_tensor(np.stack(values))
    return values

"""Wrap metrics of torchmetrics."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from eng.dist import (
    all_gather_object,
    get_comm_device,
    get_data_group,
    get_tensor_group,
    is_distributed,
    is_main_process,
)
from eng.registry import METRICS
from eng.utils import ArgumentValueError, DataBatch, DataSample, override

from .pairs import SCORES, TARGETS, PairReader, get_field, to_mapping
from .running_metric import RunningMetric
from .types import MetricOrConfig, Metrics, Result, Total

if TYPE_CHECKING:
    from torchmetrics import Metric, MetricCollection

__all__ = ["TorchMetric", "is_torchmetrics"]


_READER = PairReader("TorchMetric", SCORES, TARGETS)


@METRICS.register_module()
class TorchMetric(RunningMetric):
    """Passes predictions to a metric of torchmetrics, which keeps and synchronizes its own state.

    Each parameter of its ``update`` receives one field of the samples: tensors, arrays and numbers
    stacked to a batch, other values as a list. Samples may also be ``(output, target)`` tuples, or
    outputs, whose targets are in the batch.

    Args:
        metric: A ``torchmetrics.Metric``, a ``torchmetrics.MetricCollection``, or the config of one
            with its full path as ``type``.
        fields: Names of fields by parameter, where ``a.b`` is the field ``b`` of the element or
            dict ``a``. Defaults to None: each parameter without a default, such as ``preds`` and
            ``target``, receives the field of the same name. If samples lack these two, their usual
            names are looked up, see the README.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Raises:
        TypeError: If ``metric`` is not a metric of torchmetrics.

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
        self,
        metric: MetricOrConfig,
        fields: Mapping[str, str] | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.metric: Any = METRICS.build(metric) if isinstance(metric, dict) else metric
        if not is_torchmetrics(self.metric):
            raise TypeError(
                "metric must be a metric of torchmetrics (extra 'torchmetrics' of eng-evaluator) "
                f"or its config, not {type(self.metric).__name__}"
            )
        self.fields = dict(fields or {name: name for name in _list_parameters(self.metric)})

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        """Pass fields of samples to the metric.

        Args:
            data_batch: The batch, for targets that samples lack.
            data_samples: Model predictions.

        Raises:
            KeyError: If a sample lacks a field.
        """
        samples = [to_mapping(sample) for sample in data_samples]
        inputs = {
            parameter: _stack(
                [
                    self._get_field(sample, field, data_batch, place)
                    for place, sample in enumerate(samples)
                ]
            )
            for parameter, field in self.fields.items()
        }
        for value in inputs.values():
            if isinstance(value, Tensor):
                self.metric.to(value.device)
                break
        self.metric.update(**inputs)

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        """Convert the computed values to numbers and lists.

        Args:
            sums: The values by name.

        Returns:
            Metric values by name.
        """
        return {
            name: value.tolist() if isinstance(value, Tensor) else value
            for name, value in sums.items()
        }

    def _get_field(
        self, sample: DataSample, field: str, data_batch: DataBatch, place: int
    ) -> DataSample:
        try:
            return get_field(sample, field)
        except KeyError as error:
            missing = error
        with suppress(ArgumentValueError):
            if field == "preds":
                return _READER.read_pred(sample)
            if field == "target":
                return _READER.read_target(sample, data_batch, place)
        have = list(sample) if isinstance(sample, Mapping) else type(sample).__name__
        raise KeyError(
            f"{type(self.metric).__name__} needs the field {field!r} of each sample, which "
            f"has {have}; map parameters to fields with fields=..., now {self.fields}"
        ) from missing

    @override
    def _gather_results(self, size: int) -> list[Result] | None:
        if not any(all_gather_object(self._flush(size))):
            raise self._make_empty_error()
        if is_distributed():
            self.metric.to(get_comm_device())
            _synchronize_over(self.metric, get_data_group())
        computed = self.metric.compute()  # in all processes together
        self.metric.reset()
        if not isinstance(computed, Mapping):
            computed = {type(self.metric).__name__: computed}
        return [dict(computed)] if is_main_process() else None


def _synchronize_over(metric: Any, group: ProcessGroup | None) -> None:
    """Let a metric, or the members of a collection, count each sample of a group once."""
    is_collection = isinstance(metric, sys.modules["torchmetrics"].MetricCollection)
    for each in metric.values() if is_collection else [metric]:
        if getattr(each, "process_group", None) is None and get_tensor_group() is not None:
            each.process_group = group


def is_torchmetrics(metric: object) -> TypeGuard[Metric | MetricCollection]:
    """Whether an object is a metric of torchmetrics. Does not import that package.

    Args:
        metric: The object.
    """
    torchmetrics = sys.modules.get("torchmetrics")  # imported if an instance exists
    return torchmetrics is not None and isinstance(
        metric, (torchmetrics.Metric, torchmetrics.MetricCollection)
    )


def _list_parameters(metric: Any) -> list[str]:
    """List the parameters of ``update`` without a default, of all members of a collection."""
    is_collection = isinstance(metric, sys.modules["torchmetrics"].MetricCollection)
    named = (
        parameter.name
        for member in (metric.values() if is_collection else [metric])
        for parameter in inspect.signature(member.update).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    return list(dict.fromkeys(named))


def _stack(values: list[DataSample]) -> DataBatch:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.stack(values)
    if isinstance(first, (np.ndarray, np.generic, bool, int, float)):
        return torch.as_tensor(np.stack(values))
    return values

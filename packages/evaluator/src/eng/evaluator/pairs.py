"""Find predictions and targets in the samples that models return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentValueError, DataBatch, DataSample

__all__ = [
    "LABELS",
    "SCORES",
    "TARGETS",
    "VALUES",
    "PairReader",
    "get_field",
    "iter_stacks",
    "to_mapping",
]

#: Fields of a sample in which predictions and targets are looked up, the first one that it has.
VALUES = ("pred", "preds", "prediction")
LABELS = ("pred_label", "pred_sem_seg", *VALUES, "pred_score", "pred_scores", "logits")
SCORES = ("pred_score", "pred_scores", "logits", *VALUES, "pred_label", "pred_sem_seg")
TARGETS = ("gt_label", "gt_sem_seg", "label", "labels", "target", "targets", "y")

#: Fields of an element that has its value in itself, such as ``PixelData`` and ``LabelData``.
_INNER = ("data", "label", "score")


@dataclass(frozen=True)
class PairReader:
    """Reads predictions and targets from samples and their batch.

    Attributes:
        owner: Name of the metric, for errors.
        preds: Fields of predictions, the first one that a sample has.
        targets: Fields of targets, the first one that a sample or its batch has.
        inner: Fields of the value in a data element.
    """

    owner: str
    preds: Sequence[str]
    targets: Sequence[str]
    inner: Sequence[str] = _INNER

    def read(
        self, data_batch: DataBatch, data_samples: Sequence[DataSample]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Read the pairs of a batch.

        Args:
            data_batch: The batch from the data loader, for targets that samples lack.
            data_samples: Model predictions.

        Yields:
            Predictions and targets with a batch dimension: all of the batch at once if their
            shapes are equal, otherwise sample by sample.

        Raises:
            ValueError: If a sample lacks a prediction or a target.
        """
        samples = [to_mapping(sample) for sample in data_samples]
        preds = [self.read_pred(sample) for sample in samples]
        targets = [
            self.read_target(sample, data_batch, place) for place, sample in enumerate(samples)
        ]
        for pred, target in iter_stacks(preds, targets):
            yield pred, target.to(pred.device)

    def read_pred(self, sample: DataSample) -> DataSample:
        """Return the prediction of a sample, as it is.

        Args:
            sample: The sample, in which elements are dicts.

        Raises:
            ValueError: If it has none.
        """
        if isinstance(sample, Mapping):
            return self._unwrap(self._find(sample, self.preds, "prediction", "pred"))
        return sample[0] if _is_pair(sample) else sample

    def read_target(self, sample: DataSample, data_batch: DataBatch, place: int) -> DataSample:
        """Return the target of a sample, as it is.

        Args:
            sample: The sample, in which elements are dicts.
            data_batch: Its batch, for targets that samples lack.
            place: Index of the sample in the batch.

        Raises:
            ValueError: If neither the sample nor the batch has one.
        """
        if _is_pair(sample):
            return sample[1]
        if isinstance(sample, Mapping) and any(_has_field(sample, name) for name in self.targets):
            return self._unwrap(self._find(sample, self.targets, "target", "target"))
        column = _find_column(data_batch, self.targets)
        if column is None:
            have = sorted(map(str, sample)) if isinstance(sample, Mapping) else type(sample)
            raise ArgumentValueError(
                f"{self.owner} finds no target: neither the sample ({have}) nor the batch "
                f"({type(data_batch).__name__}) has one of the fields {list(self.targets)}; name "
                "the field with target=..., or return (output, target) tuples"
            )
        value = to_mapping(column[place])
        if isinstance(value, Mapping):
            value = self._find(value, self.targets, "target", "target")
        return self._unwrap(value)

    def _find(
        self, sample: Mapping[str, DataSample], names: Sequence[str], kind: str, argument: str
    ) -> DataSample:
        for name in names:
            if _has_field(sample, name):
                return get_field(sample, name)
        raise ArgumentValueError(
            f"{self.owner} finds no {kind} in the sample, which has the fields "
            f"{sorted(map(str, sample))}: expected one of {list(names)}; name the field with "
            f"{argument}=..."
        )

    def _unwrap(self, value: DataSample) -> DataSample:
        value = to_mapping(value)
        if isinstance(value, Mapping):
            for name in self.inner:
                if name in value:
                    return value[name]
        return value


def to_mapping(sample: DataSample) -> DataSample:
    """Convert a data element to a dict. Other objects are returned unchanged."""
    return sample.to_dict() if hasattr(sample, "to_dict") else sample


def get_field(sample: DataSample, name: str) -> DataSample:
    """Return a field of nested dicts.

    Args:
        sample: The sample.
        name: Names separated by dots: ``a.b`` is the field ``b`` of the field ``a``.

    Raises:
        KeyError: If it is missing.
    """
    if isinstance(sample, Mapping) and name in sample:
        return sample[name]
    value = sample
    for part in name.split("."):
        value = to_mapping(value)
        if not isinstance(value, Mapping) or part not in value:
            raise KeyError(name)
        value = value[part]
    return value


def iter_stacks(
    preds: Sequence[DataSample], targets: Sequence[DataSample]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Stack corresponding values to tensors with a batch dimension.

    Args:
        preds: A value per sample: tensors, arrays, numbers or nested lists of numbers.
        targets: As many values.

    Yields:
        One pair of all samples if shapes are equal, otherwise one pair per sample.
    """
    first, second = [to_tensor(value) for value in preds], [to_tensor(value) for value in targets]
    if len({each.shape for each in first}) <= 1 and len({each.shape for each in second}) <= 1:
        yield torch.stack(first), torch.stack(second)
        return
    for pred, target in zip(first, second, strict=True):
        yield pred[None], target[None]


def to_tensor(value: DataSample) -> Tensor:
    """Convert a value of a sample to a tensor, detached.

    Raises:
        TypeError: If it does not consist of numbers.
    """
    if isinstance(value, Tensor):
        return value.detach()
    try:
        array = np.asarray(value)
        return torch.as_tensor(array.astype(np.int64) if array.dtype.kind == "u" else array)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"expected a tensor, an array or numbers, not {type(value).__name__}: {error}"
        ) from error


def _has_field(sample: Mapping[str, DataSample], name: str) -> bool:
    try:
        return get_field(sample, name) is not None
    except KeyError:
        return False


def _is_pair(sample: DataSample) -> bool:
    return isinstance(sample, tuple) and len(sample) == 2


def _find_column(data_batch: DataBatch, names: Sequence[str]) -> DataBatch:
    """Return the targets of a batch: the last of a tuple of inputs, or a field of a dict."""
    if isinstance(data_batch, (tuple, list)):
        return (
            data_batch[-1] if len(data_batch) > 1 and hasattr(data_batch[-1], "__len__") else None
        )
    if not isinstance(data_batch, Mapping):
        return None
    found = [name for name in (*names, "data_samples") if _has_field(data_batch, name)]
    return get_field(data_batch, found[0]) if found else None

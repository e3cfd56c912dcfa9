"""Mean of any value of the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eng.registry import METRICS
from eng.utils import ArgumentValueError, DataBatch, DataSample, override

from .pairs import get_field, to_mapping, to_tensor
from .ratio import divide, sum_exactly
from .running_metric import RunningMetric
from .types import Metrics, Total

__all__ = ["Mean"]


@METRICS.register_module()
class Mean(RunningMetric):
    """Mean of a value of the samples, such as a loss.

    Every element of a value counts once, so that a value of two elements counts twice as much as a
    number.

    Args:
        field: Field of the value; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            samples are the values.
        weight: Field of the weights, a number per sample or one per element. Defaults to None: all
            count the same.
        name: Name of the metric. Defaults to None: the last part of ``field``, or ``'mean'``.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Examples:
        >>> metric = Mean('loss', weight='tokens')
        >>> metric.process(None, [dict(loss=2.0, tokens=3), dict(loss=1.0, tokens=1)])
        >>> metric.evaluate(size=2)
        {'loss': 1.75}
    """

    def __init__(
        self,
        field: str | None = None,
        weight: str | None = None,
        name: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.field = field
        self.weight = weight
        self.name = name or (field or "mean").rpartition(".")[-1]
        self.number_names = [self.name]

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        for sample in map(to_mapping, data_samples):
            values = to_tensor(self._read(sample, self.field))
            if self.weight is None:
                self.sums["total"] += sum_exactly(values).cpu()
                self.sums["count"] += values.numel()
                continue
            weights = to_tensor(self._read(sample, self.weight)).to(values.device)
            if weights.numel() != 1 and weights.shape != values.shape:
                raise ArgumentValueError(
                    f"Mean needs one weight or one for each of the values of shape "
                    f"{tuple(values.shape)}, but {self.weight!r} has the shape "
                    f"{tuple(weights.shape)}"
                )
            if weights.numel() == 1:
                weights = weights.reshape(()).expand(values.shape)
            self.sums["total"] += sum_exactly(values.double() * weights).cpu()
            self.sums["count"] += sum_exactly(weights).cpu()

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        return {self.name: divide(f"Mean of {self.name!r}", sums, "total", "count")}

    def _read(self, sample: DataSample, field: str | None) -> DataSample:
        have = sorted(map(str, sample)) if isinstance(sample, Mapping) else type(sample).__name__
        if field is None:
            if isinstance(sample, Mapping):
                raise ArgumentValueError(
                    f"Mean needs field=..., the field of the samples to average: one of {have}"
                )
            return sample
        try:
            return get_field(sample, field)
        except KeyError:
            raise ArgumentValueError(
                f"Mean finds no field {field!r} in the sample, which has {have}"
            ) from None

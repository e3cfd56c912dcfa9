"""Test time augmentation: merge the predictions of several augmentations of each sample."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sized
from typing import Any

from torch import nn

from eng.logging import print_log
from eng.registry import MODELS, PartOrConfig
from eng.utils import ArgumentTypeError, ArgumentValueError, DataBatch, override

from ..types import ModelOutputs, Prediction
from .base_model import BaseModel

__all__ = ["BaseTTAModel"]


@MODELS.register_module()
class BaseTTAModel(BaseModel):
    """Tests a model on several augmentations of each sample and merges the predictions.

    A subclass implements :meth:`merge_preds`. It replaces the model in a test, and the data loader
    returns every sample as a list of its augmentations::

        dict(inputs=[[image1_aug1, image2_aug1], [image1_aug2, image2_aug2]],
             data_samples=[[sample1_aug1, sample2_aug1], [sample1_aug2, sample2_aug2]])

    Args:
        module: The model to test, possibly wrapped, or its config.
        data_preprocessor: Preprocessor of the model, see :class:`BaseModel`; it overrides that in a
            copy of the model's config. A model that is already built keeps its own. Defaults to
            None, the one of the config.

    Raises:
        TypeError: If the model has no ``test_step``, or ``module`` is neither.

    Examples:
        >>> @MODELS.register_module()
        ... class MeanOfScores(BaseTTAModel):
        ...     def merge_preds(self, data_samples_list):
        ...         return [sum(scores) / len(scores) for scores in data_samples_list]
    """

    def __init__(
        self,
        module: PartOrConfig[nn.Module],
        data_preprocessor: PartOrConfig[nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if isinstance(module, nn.Module):
            self.module: Any = module
            if data_preprocessor is not None:
                print_log(
                    f"{type(module).__name__} is already built and keeps its own data_preprocessor:"
                    f" the one of {type(self).__name__} is ignored.",
                    logger="current",
                    level=logging.WARNING,
                )
        elif isinstance(module, Mapping):
            given = {} if data_preprocessor is None else {"data_preprocessor": data_preprocessor}
            self.module = MODELS.build({**module, **given})
        else:
            raise ArgumentTypeError(
                f"module must be a model or a config, not {type(module).__name__}"
            )
        if not hasattr(self.module, "test_step"):
            raise ArgumentTypeError(
                f"{type(self.module).__name__} has no test_step(), which is called to predict"
            )

    @abstractmethod
    def merge_preds(self, data_samples_list: list[list[Prediction]]) -> list[Prediction]:
        """Merge the predictions of the augmentations of each sample.

        Args:
            data_samples_list: For each sample, its predictions, one for each augmentation.

        Returns:
            One prediction per sample.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement merge_preds")

    @override
    def test_step(self, data: DataBatch) -> list[Prediction]:
        """Test the model on each augmentation of a batch, and merge.

        Args:
            data: The batch, in which every part is a list of one item per augmentation.

        Returns:
            One prediction per sample.

        Raises:
            TypeError: If it is neither a dict nor a list or tuple.
            ValueError: If its parts differ in the number of augmentations.
        """
        predictions = [self.module.test_step(each) for each in _split_augmentations(data)]
        return self.merge_preds([list(each) for each in zip(*predictions, strict=True)])

    @override
    def forward(self, *args: object, **kwargs: object) -> ModelOutputs:
        """Call the model itself, without augmentation.

        Args:
            *args: Arguments of the model.
            **kwargs: Keyword arguments of the model.

        Returns:
            The outputs of the model.
        """
        return self.module(*args, **kwargs)


def _split_augmentations(data: DataBatch) -> list[DataBatch]:
    """Split a batch by augmentation."""
    if isinstance(data, Mapping):
        parts = dict(data)
        count = _count_augmentations({f"{key!r}": value for key, value in parts.items()})
        return [{key: value[index] for key, value in parts.items()} for index in range(count)]
    if isinstance(data, (list, tuple)):
        count = _count_augmentations({f"item {i}": value for i, value in enumerate(data)})
        return [[value[index] for value in data] for index in range(count)]
    raise ArgumentTypeError(f"data must be a dict, a list or a tuple, not {type(data).__name__}")


def _count_augmentations(parts: Mapping[str, Sized]) -> int:
    counts = {name: len(value) for name, value in parts.items()}
    if len(set(counts.values())) != 1:
        raise ArgumentValueError(
            f"size mismatch: all parts of a batch must have the same augmentations, not {counts}"
        )
    return next(iter(counts.values()))

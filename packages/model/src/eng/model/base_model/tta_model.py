"""Test time augmentation: one prediction out of those for several versions of an image."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import nn

from eng.logging import print_log
from eng.registry import MODELS
from eng.utils import ArgumentTypeError, ArgumentValueError, override

from .base_model import BaseModel

__all__ = ["BaseTTAModel"]


@MODELS.register_module()
class BaseTTAModel(BaseModel):
    """Tests a model on several augmentations of each sample and merges what it predicts.

    A subclass says in :meth:`merge_preds` how. It stands in the place of the model in a test, and
    the data loader gives every sample as a list of its augmentations::

        dict(inputs=[[image1_aug1, image2_aug1], [image1_aug2, image2_aug2]],
             data_samples=[[sample1_aug1, sample2_aug1], [sample1_aug2, sample2_aug2]])

    Args:
        module: The model to test, possibly wrapped, or its config.
        data_preprocessor: Prepares each batch of the model, see :class:`BaseModel`; it goes into a
            copy of the model's config. A model that is built already keeps its own. Defaults to
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
        module: dict[str, Any] | nn.Module,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
    ) -> None:
        super().__init__()
        if isinstance(module, nn.Module):
            self.module: Any = module
            if data_preprocessor is not None:
                print_log(
                    f"{type(module).__name__} is built already and keeps its own data_preprocessor:"
                    f" the one given to {type(self).__name__} is not used.",
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
                f"{type(self.module).__name__} has no test_step(), by which it would be tested"
            )

    @abstractmethod
    def merge_preds(self, data_samples_list: list[list[Any]]) -> list[Any]:
        """Merge the predictions for the augmentations of each sample.

        Args:
            data_samples_list: For each sample, its predictions, one for each augmentation.

        Returns:
            One prediction a sample.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement merge_preds")

    @override
    def test_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Test the model on each augmentation of a batch, and merge.

        Args:
            data: The batch, every part of it a list of one item an augmentation.

        Returns:
            One prediction a sample.

        Raises:
            TypeError: If it is neither a dict nor a list or tuple.
            ValueError: If its parts differ in the number of augmentations.
        """
        predictions = [self.module.test_step(each) for each in _split_augmentations(data)]
        return self.merge_preds([list(each) for each in zip(*predictions, strict=True)])

    @override
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model itself, without augmentation.

        Args:
            *args: Arguments of the model.
            **kwargs: Arguments of the model.

        Returns:
            What it gives.
        """
        return self.module(*args, **kwargs)


def _split_augmentations(data: Any) -> list[Any]:
    """The batch of each augmentation."""
    if isinstance(data, Mapping):
        parts = dict(data)
        count = _count({f"{key!r}": value for key, value in parts.items()})
        return [{key: value[index] for key, value in parts.items()} for index in range(count)]
    if isinstance(data, (list, tuple)):
        count = _count({f"item {place}": value for place, value in enumerate(data)})
        return [[value[index] for value in data] for index in range(count)]
    raise ArgumentTypeError(f"data must be a dict, a list or a tuple, not {type(data).__name__}")


def _count(parts: Mapping[str, Any]) -> int:
    counts = {name: len(value) for name, value in parts.items()}
    if len(set(counts.values())) != 1:
        raise ArgumentValueError(
            f"every part of a batch must have the same augmentations, got {counts}"
        )
    return next(iter(counts.values()))

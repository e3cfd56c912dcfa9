"""Inputs to export a model with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from eng.dataset import pseudo_collate
from eng.registry import DATASETS, FUNCTIONS
from eng.utils import DataBatch, UserError

from .config_loader import find_loader
from .types import ConfigType

__all__ = ["make_random_inputs", "take_inputs"]


def make_random_inputs(shapes: Sequence[tuple[int, ...]], count: int) -> tuple[Tensor, ...]:
    """Make inputs of numbers from 0 to 1, the same in each call.

    Args:
        shapes: Shapes of the inputs of one sample.
        count: Number of samples.
    """
    generator = torch.Generator().manual_seed(count)
    return tuple(torch.rand(count, *shape, generator=generator) for shape in shapes)


def take_inputs(cfg: ConfigType, model: nn.Module, count: int) -> tuple[Tensor, ...]:
    """Take the inputs of the first samples of the test dataset, preprocessed by the model.

    Args:
        cfg: The config, with a ``test_dataloader`` or ``val_dataloader``.
        model: The model.
        count: Number of samples.

    Raises:
        UserError: If the config has no dataset, or the inputs are not tensors.
    """
    loader: Any = find_loader(cfg, "test_dataloader", "val_dataloader")
    if not isinstance(loader, Mapping) or "dataset" not in loader:
        raise UserError(
            "the config has no test_dataloader to take inputs from; give their shape, such as "
            "--shape 3,224,224"
        )
    given = loader["dataset"]
    dataset = DATASETS.build(given) if isinstance(given, Mapping) else given
    samples = [dataset[place % len(dataset)] for place in range(count)]
    collate = loader.get("collate_fn") or {"type": "pseudo_collate"}
    settings = dict(collate) if isinstance(collate, Mapping) else {"type": collate}
    function = settings.pop("type")
    if isinstance(function, str):
        function = (
            pseudo_collate
            if function == "pseudo_collate"
            else FUNCTIONS.type_of({"type": function})
        )
    batch = function(samples, **settings)
    preprocessor = getattr(model, "data_preprocessor", None)
    return _find_inputs(batch if preprocessor is None else preprocessor(batch, False))


def _find_inputs(batch: DataBatch) -> tuple[Tensor, ...]:
    """Return the inputs of a batch: ``inputs`` of a dict, or all but the last of a tuple."""
    if isinstance(batch, Mapping):
        found = batch.get("inputs", next(iter(batch.values()), None))
        parts = [found]
    elif isinstance(batch, (list, tuple)) and len(batch) > 1:
        parts = list(batch[:-1])
    else:
        parts = [batch]
    stacked = [
        torch.stack(list(part)) if isinstance(part, (list, tuple)) and part else part
        for part in parts
    ]
    if not all(isinstance(part, Tensor) for part in stacked):
        kinds = [type(part).__name__ for part in stacked]
        raise UserError(
            f"inputs must be tensors to export a model, but the batch has {kinds}; give their "
            "shape, such as --shape 3,224,224"
        )
    return tuple(stacked)

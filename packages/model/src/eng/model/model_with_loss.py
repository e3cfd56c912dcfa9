"""Train any module with a loss function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from eng.registry import MODELS, PartOrConfig
from eng.utils import ArgumentTypeError, ArgumentValueError, DataBatch, override

from .base_model import BaseModel
from .base_module import InitConfig
from .types import ModelOutputs

__all__ = ["ModelWithLoss"]

#: Names under which a batch that is a dict has its targets, unless one is given.
_TARGETS = ("targets", "target", "labels", "label", "data_samples", "y")


@MODELS.register_module()
class ModelWithLoss(BaseModel):
    """A module and a loss function, which train as they are.

    A batch is a tuple or list of inputs with the targets last, or a dict. Of a dict, one input is
    passed to the module by position, several by their names. A prediction is the output of the
    module for one sample.

    Args:
        net: The module, or its config.
        loss: Function or module of output and targets: the loss, or a dict of losses by name.
            Defaults to None: the module is called with the targets as well, and its output has the
            loss as ``loss``, as models of transformers do.
        target: Key of the targets in a batch that is a dict. Defaults to None, the first of
            ``targets``, ``target``, ``labels``, ``label``, ``data_samples`` and ``y`` that it has.
        data_preprocessor: See :class:`BaseModel`. Defaults to None.
        init_cfg: See :class:`BaseModule`. Defaults to None.

    Raises:
        TypeError: If ``net`` is neither a module nor a config, or ``loss`` cannot be called.

    Examples:
        >>> model = ModelWithLoss(nn.Linear(2, 3), nn.CrossEntropyLoss())
        >>> images, labels = torch.ones(4, 2), torch.tensor([0, 1, 2, 0])
        >>> float(model(images, labels, mode="loss")["loss"]) > 0
        True
        >>> len(model.val_step([images, labels]))
        4
    """

    def __init__(
        self,
        net: PartOrConfig[nn.Module],
        loss: Callable[..., Any] | Mapping[str, Any] | None = None,
        target: str | None = None,
        data_preprocessor: PartOrConfig[nn.Module] | None = None,
        init_cfg: InitConfig = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        built = MODELS.build(net) if isinstance(net, Mapping) else net
        if not isinstance(built, nn.Module):
            raise ArgumentTypeError(
                f"net must be a torch.nn.Module or a config, not {type(built).__name__}"
            )
        if isinstance(loss, Mapping):
            loss = MODELS.build(loss)
        if loss is not None and not callable(loss):
            raise ArgumentTypeError(
                "loss must be a function or module of output and targets, or None, "
                f"not {type(loss).__name__}"
            )
        self.net = built
        self.loss = loss
        self.target = target

    @override
    def forward(self, *inputs: Any, mode: str = "tensor", **named: Any) -> ModelOutputs:
        """Compute losses, predictions or outputs of a batch.

        Args:
            *inputs: The inputs, with the targets last if there is more than one.
            mode: ``'loss'``: return a dict of losses; ``'predict'``: return the output of each
                sample in a list; ``'tensor'`` (default): return the output of the module.
            **named: A batch that is a dict.

        Returns:
            See ``mode``.

        Raises:
            ValueError: If losses are asked for of a batch without targets.
        """
        if self.loss is None:
            output, targets = self.net(*inputs, **named), None
        else:
            output, targets = self._call_with_inputs(inputs, named)
        if mode == "tensor":
            return output
        if mode == "predict":
            return _split(output)
        if self.loss is None:
            return _find_losses(output, type(self.net).__name__)
        if targets is None:
            given = sorted(named) or f"{len(inputs)} input"
            raise ArgumentValueError(
                f"a batch for training needs targets, but it has {given} alone: yield "
                "(inputs, targets), or a dict with the targets under "
                f"{self.target or 'one of ' + ', '.join(_TARGETS)!r}"
            )
        loss = self.loss(output, targets)
        return dict(loss) if isinstance(loss, Mapping) else {"loss": loss}

    @override
    def _run_forward(self, data: DataBatch, mode: str) -> ModelOutputs:
        # A dataset of inputs alone, to predict, yields no tuples.
        return super()._run_forward((data,) if isinstance(data, Tensor) else data, mode)

    def _call_with_inputs(self, inputs: Sequence[Any], named: dict[str, Any]) -> tuple[Any, Any]:
        """Call the module with the inputs of a batch, and return the output and the targets."""
        if inputs:
            *rest, last = inputs
            return (self.net(*rest), last) if rest else (self.net(last), None)
        names = _TARGETS if self.target is None else (self.target,)
        key = next((name for name in names if name in named), None)
        targets = None if key is None else named.pop(key)
        if len(named) == 1:
            return self.net(*named.values()), targets
        return self.net(**named), targets


def _find_losses(output: Any, name: str) -> ModelOutputs:
    """Find the loss in the output of a module that computes it itself."""
    has_keys = isinstance(output, Mapping)
    loss = output.get("loss") if has_keys else getattr(output, "loss", None)
    if loss is None:
        raise ArgumentValueError(
            f"the output of {name}, a {type(output).__name__}, has no 'loss': give a loss function "
            "to ModelWithLoss, or pass targets to the module by the name that it takes them under"
        )
    return {"loss": loss}


def _split(output: Any) -> list[Any]:
    """Split the output of a batch into those of its samples."""
    if isinstance(output, Tensor):
        return list(output)
    if not isinstance(output, (Tensor, Mapping, list, tuple)) and hasattr(output, "__dict__"):
        output = vars(output)  # an output with attributes, such as loss and logits
    if isinstance(output, Mapping):
        parts = {k: v for k, v in output.items() if isinstance(v, Tensor) and v.ndim}
        return [dict(zip(parts, each, strict=True)) for each in zip(*parts.values(), strict=True)]
    if isinstance(output, (list, tuple)) and output and all(torch.is_tensor(v) for v in output):
        return list(zip(*output, strict=True))
    if isinstance(output, list):  # one of each sample already
        return output
    raise ArgumentTypeError(
        "predictions must be a tensor, a dict or a tuple of tensors, each with one entry per "
        f"sample, or a list of predictions, not {type(output).__name__}"
    )

"""Split layers of a model over processes that work on the same samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from .find_parts import match_names
from .settings import ParallelSettingsError, check_style

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["apply_tensor_plan", "find_tensor_plan", "wait_for_outputs"]

#: Layers that torch splits by columns or rows.
_LAYERS = (nn.Linear, nn.Embedding)


def find_tensor_plan(
    model: nn.Module, given: Mapping[str, Any] | None, size: int
) -> dict[str, Any]:
    """Find the style of each layer that is split.

    Args:
        model: The model, without wrappers.
        given: Styles by names of layers, where ``*`` stands for any one module; None for that of
            the ``tensor_plan()`` of the model.
        size: Number of processes that layers are split over.

    Returns:
        Styles by the names of layers, which exist.

    Raises:
        ParallelSettingsError: If the plan is missing, or invalid for a layer.
        UnknownPartError: If a name matches no layer.
    """
    own = getattr(model, "tensor_plan", None)
    plan = own() if given is None and callable(own) else given
    if not plan or not isinstance(plan, Mapping):
        raise ParallelSettingsError(
            f"parallel: tensor splits layers by a plan, which {type(model).__name__} does not have:"
            " set tensor_plan, such as {'blocks.*.up': 'columns', 'blocks.*.down': 'rows'}, or "
            "implement tensor_plan() in the model"
        )
    styles: dict[str, Any] = {}
    for pattern, style in plan.items():
        check_style(pattern, style)
        for name, layer in match_names(model, pattern, "parallel: tensor_plan").items():
            if isinstance(style, str) and not isinstance(layer, _LAYERS):
                raise ParallelSettingsError(
                    f"parallel: tensor_plan splits {pattern!r} by {style}, which is for linear "
                    f"layers and embeddings; {name!r} is a {type(layer).__name__}"
                )
            if isinstance(style, str):
                _check_size(name, layer, style, size)
            styles[name] = style
    _refuse_shared(model, styles)
    return styles


def _check_size(name: str, layer: nn.Module, style: str, size: int) -> None:
    """Refuse features that cannot be split evenly, for which torch fails in the forward pass."""
    if isinstance(layer, nn.Linear):
        features = layer.out_features if style == "columns" else layer.in_features
    else:  # the rows of an embedding need not be even
        features = int(getattr(layer, "embedding_dim", 0)) if style == "columns" else 0
    if features % size:
        raise ParallelSettingsError(
            f"parallel: tensor={size} does not divide the {features} features of {name!r} that "
            f"tensor_plan splits by {style}"
        )


def _refuse_shared(model: nn.Module, styles: Mapping[str, Any]) -> None:
    """Refuse to split weights that another module has as well: they would be trained apart."""
    owners = Counter(
        parameter for module in model.modules() for parameter in module.parameters(recurse=False)
    )
    for name in styles:
        for key, parameter in model.get_submodule(name).named_parameters():
            if owners[parameter] > 1:
                raise ParallelSettingsError(
                    f"parallel: tensor_plan splits {name!r}, whose {key} is shared with another "
                    "module, which would get a weight of its own: leave it out of the plan"
                )


def apply_tensor_plan(model: nn.Module, styles: Mapping[str, Any], mesh: DeviceMesh) -> None:
    """Split layers of a model over processes, by :mod:`torch.distributed.tensor.parallel`.

    Args:
        model: The model, without wrappers, with the same values in each process.
        styles: Styles by the names of layers, see :func:`find_tensor_plan`.
        mesh: The processes, a mesh of one axis.
    """
    from torch.distributed.tensor.parallel import (  # slow to import
        ColwiseParallel,
        RowwiseParallel,
        parallelize_module,
    )

    made = {"columns": ColwiseParallel, "rows": RowwiseParallel}
    plan = {
        name: made[style]() if isinstance(style, str) else style for name, style in styles.items()
    }
    parallelize_module(model, mesh, plan)


def wait_for_outputs(layers: Iterable[nn.Module]) -> None:
    """Let split layers return their sums over processes, and not tensors that wait at first use.

    Compiled parts of a model compute wrong gradients for such inputs, or fail (torch 2.13).

    Args:
        layers: The layers before compiled parts.
    """
    from torch.distributed._functional_collectives import AsyncCollectiveTensor

    def wait(layer: nn.Module, inputs: object, output: object) -> object:
        # A copy waits and keeps the graph, which waiting alone would leave.
        return output.clone() if isinstance(output, AsyncCollectiveTensor) else output

    for layer in layers:
        layer.register_forward_hook(wait)

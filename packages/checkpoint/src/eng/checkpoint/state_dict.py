"""States of modules under the names that they have without any wrapper."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import _IncompatibleKeys
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from eng.dl_utils import plain_name, unwrap
from eng.logging import print_log

from .errors import CheckpointError
from .loader import CheckpointLoader, Logger
from .report import fit_report
from .sharded import full_model_state, is_sharded, load_full_model_state

__all__ = ["get_state_dict", "load_checkpoint", "load_state_dict", "weights_to_cpu"]

ReviseKeys = Sequence[tuple[str, str]]


def weights_to_cpu(state_dict: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Copy a state to the CPU.

    Args:
        state_dict: Tensors by name, on any device.

    Returns:
        The same on the CPU, with the metadata of modules kept.
    """
    copied = OrderedDict(
        (name, value.cpu() if isinstance(value, Tensor) else value)
        for name, value in state_dict.items()
    )
    copied._metadata = getattr(state_dict, "_metadata", OrderedDict())  # type: ignore[attr-defined]
    return copied


def get_state_dict(
    module: nn.Module,
    destination: OrderedDict[str, Tensor] | None = None,
    prefix: str = "",
    keep_vars: bool = False,
) -> OrderedDict[str, Tensor]:
    """The parameters and buffers of a module, under the names that they have without wrappers.

    Wrappers for several processes and compiled modules are looked through wherever they stand.
    Of a sharded module, the whole state is gathered on the CPU of the first process; then all
    processes must call this, and the others get nothing.

    Args:
        module: The module.
        destination: A dict to fill. Defaults to None, a new one.
        prefix: What is put before each name. Defaults to ''.
        keep_vars: Whether tensors keep their graph, see :meth:`torch.nn.Module.state_dict`.
            Defaults to False.

    Returns:
        Tensors by name.
    """
    module = _as_module(module)
    if is_sharded(module):
        return _filled(full_model_state(module), destination, prefix)
    state = module.state_dict(keep_vars=keep_vars)
    filled: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
    for name, tensor in state.items():
        filled[prefix + plain_name(module, name)] = tensor
    metadata = getattr(filled, "_metadata", OrderedDict())
    for name, version in state._metadata.items():  # type: ignore[attr-defined]
        metadata[f"{prefix}{plain_name(module, name)}".removesuffix(".")] = version
    filled._metadata = metadata  # type: ignore[attr-defined]
    return filled


def load_state_dict(
    module: nn.Module,
    state_dict: Mapping[str, Tensor],
    strict: bool = False,
    logger: Logger = None,
) -> None:
    """Load tensors into a module as far as they fit, and say what did not.

    Args:
        module: The module, possibly wrapped; a sharded one takes its part of each tensor.
        state_dict: Tensors by name, without the names of wrappers.
        strict: Whether it is an error if something does not fit. Defaults to False.
        logger: Where what did not fit is noted. Defaults to None: it is printed.

    Raises:
        CheckpointError: If nothing of the state fits the module, or ``strict`` and something
            does not fit; what fits is loaded then as well.
    """
    missing: list[str] = []
    unexpected: list[str] = []
    unfitting: list[str] = []
    module = _as_module(module)
    if is_sharded(module):
        missing, unexpected, unfitting = load_full_model_state(module, state_dict)
    else:
        module = _part_of_the_state(module, state_dict)
        _check_that_something_fits(module, state_dict)
        state = OrderedDict(state_dict)
        state._metadata = getattr(state_dict, "_metadata", None)  # type: ignore[attr-defined]
        _load_tree(module, state, "", missing, unexpected, unfitting)
    # Of no use but to a momentum of None; older models have none.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    report = fit_report(missing, unexpected, unfitting)
    if not report:
        return
    report = (
        "The model and loaded state dict do not match exactly "
        f"({type(module).__name__})\n\n{report}"
    )
    if strict:
        raise CheckpointError(report)
    print_log(report, logger=logger, level=logging.WARNING)


def load_checkpoint(
    model: nn.Module,
    filename: str,
    map_location: Any = None,
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = [(r"^module\.", "")],  # noqa: B006 - documented, never changed
) -> Any:
    """Read a checkpoint and load its weights into a model.

    Args:
        model: The model.
        filename: Path or address of the checkpoint, see :class:`CheckpointLoader`.
        map_location: As for :func:`torch.load`. Defaults to None.
        strict: Whether it is an error if something does not fit. Defaults to False.
        logger: Where what did not fit is noted. Defaults to None: it is printed.
        revise_keys: Pairs of a regular expression and its replacement, applied to all names.
            Defaults to dropping ``module.`` from their beginning.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If the file is no checkpoint, or ``strict`` and something does not fit.
    """
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location, logger)
    load_state_dict(model, model_state(checkpoint, str(filename), revise_keys), strict, logger)
    return checkpoint


def model_state(
    checkpoint: Any, filename: str, revise_keys: ReviseKeys = ()
) -> OrderedDict[str, Tensor]:
    """The weights that a checkpoint holds, with names revised.

    Args:
        checkpoint: The checkpoint: the weights themselves, or a dict with them as ``state_dict``.
        filename: Where it comes from, for the error.
        revise_keys: Pairs of a regular expression and its replacement. Defaults to none.

    Returns:
        Tensors by name.

    Raises:
        CheckpointError: If it holds no weights.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"{filename!r} holds no weights: a dict is needed, with them or with a 'state_dict', "
            f"not {type(checkpoint).__name__}"
        )
    revised: OrderedDict[str, Tensor] = OrderedDict()
    for name, tensor in state.items():
        for pattern, replacement in revise_keys:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901
        revised[name] = tensor
    revised._metadata = getattr(state, "_metadata", OrderedDict())  # type: ignore[attr-defined]
    return revised


def _filled(
    state: Mapping[str, Tensor], destination: OrderedDict[str, Tensor] | None, prefix: str
) -> OrderedDict[str, Tensor]:
    filled: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
    filled.update((prefix + name, tensor) for name, tensor in state.items())
    return filled


def _as_module(module: nn.Module) -> nn.Module:
    """The module in a wrapper of somebody's own that is not a module itself."""
    return module if isinstance(module, nn.Module) else unwrap(module)


def _part_of_the_state(module: nn.Module, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """The module, or the part ``module`` of it that a state is of.

    A model for test-time augmentation is one whose part has the names of the model that was
    trained.
    """
    inner = unwrap(module)
    part = inner._modules.get("module")
    if part is None or set(inner.state_dict()) & set(state_dict):
        return module
    return part if set(part.state_dict()) & set(state_dict) else module


def _check_that_something_fits(module: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Refuse a state of another model, with which training would start from random weights."""
    own = {plain_name(module, name): value for name, value in module.state_dict().items()}
    if own and state_dict and not any(_fits(own[n], v) for n, v in state_dict.items() if n in own):
        raise CheckpointError(
            f"nothing of the state fits {type(module).__name__}: the state has "
            f"{_some(state_dict)}, the model has {_some(own)}"
        )


def _fits(own: Any, value: Any) -> bool:
    if not isinstance(own, Tensor) or isinstance(own, UninitializedTensorMixin):
        return True  # an extra state, or a parameter that takes any shape
    return getattr(value, "shape", None) == own.shape


def _some(state: Mapping[str, Any]) -> str:
    shown = [f"{name}{_shape(value)}" for name, value in islice(state.items(), 3)]
    return ", ".join([*shown, *(["..."] if len(state) > 3 else [])])


def _shape(value: Any) -> str:
    is_known = isinstance(value, Tensor) and not isinstance(value, UninitializedTensorMixin)
    return f" {tuple(value.shape)}" if is_known else ""


def _load_tree(
    module: nn.Module,
    state: OrderedDict[str, Any],
    prefix: str,
    missing: list[str],
    unexpected: list[str],
    unfitting: list[str],
) -> None:
    """Load a module and those in it, looking through wrappers.

    Each module loads its part itself, as in :meth:`torch.nn.Module.load_state_dict`, since it may
    know how to read the state of an older version of it.
    """
    module = unwrap(module)
    metadata = (getattr(state, "_metadata", None) or {}).get(prefix[:-1], {})
    module._load_from_state_dict(state, prefix, metadata, True, missing, unexpected, unfitting)
    for name, child in module._modules.items():
        if child is not None:
            part = OrderedDict((k, v) for k, v in state.items() if k.startswith(f"{prefix}{name}."))
            part._metadata = getattr(state, "_metadata", None)  # type: ignore[attr-defined]
            _load_tree(child, part, f"{prefix}{name}.", missing, unexpected, unfitting)
    for hook in module._load_state_dict_post_hooks.values():
        hook(module, _IncompatibleKeys(missing, unexpected))

"""Save and load state dicts of modules under parameter names without wrappers."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice

from torch import Tensor, nn
from torch.nn.modules.module import _IncompatibleKeys
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from eng.dl_utils import plain_name, unwrap
from eng.logging import print_log

from .errors import CheckpointError
from .report import fit_report
from .sharded import full_model_state, is_sharded, load_full_model_state, model_shards
from .shards import are_shards_kept
from .types import Checkpoint, Logger, ReviseKeys

__all__ = [
    "get_state_dict",
    "load_state_dict",
    "model_state",
    "weights_to_cpu",
]


def weights_to_cpu(state_dict: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Copy a state dict to the CPU.

    Args:
        state_dict: Tensors by name, on any device.

    Returns:
        The tensors on the CPU, with the metadata of modules.
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
    """Return the parameters and buffers of a module under their names without wrappers.

    Names skip distributed wrappers and compiled modules at every depth. The full state of a
    sharded module is gathered on the CPU of rank 0: all ranks must call this function, and the
    others get an empty dict. While a checkpoint is collected that is saved as a folder, each rank
    gets its shards.

    Args:
        module: The module.
        destination: A dict to fill. Defaults to None, a new one.
        prefix: Prefix of each name. Defaults to ''.
        keep_vars: Whether tensors keep their graph, see :meth:`torch.nn.Module.state_dict`.
            Defaults to False.

    Returns:
        Tensors by name.
    """
    module = _as_module(module)
    if is_sharded(module):
        state_of = model_shards if are_shards_kept() else full_model_state
        return _fill(state_of(module), destination, prefix)
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
    """Load matching tensors into a module and report missing, unexpected and mismatching keys.

    Args:
        module: The module, possibly wrapped; a sharded one takes its shard of each tensor.
        state_dict: Tensors by name, without the names of wrappers.
        strict: Whether missing, unexpected or mismatching keys are an error. Defaults to False.
        logger: Logger for missing and unexpected keys. Defaults to None: they are printed.

    Raises:
        CheckpointError: If no key of the state dict matches the module, or if ``strict`` and there
            are missing, unexpected or mismatching keys; the matching ones are loaded before.
    """
    missing: list[str] = []
    unexpected: list[str] = []
    unfitting: list[str] = []
    module = _as_module(module)
    if is_sharded(module):
        missing, unexpected, unfitting = load_full_model_state(module, state_dict)
    else:
        module = _choose_part(module, state_dict)
        _check_match(module, state_dict)
        state = OrderedDict(state_dict)
        state._metadata = getattr(state_dict, "_metadata", None)  # type: ignore[attr-defined]
        _load_tree(module, state, "", missing, unexpected, unfitting)
    # Used only with momentum=None; state dicts of older models do not have it.
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


def model_state(
    checkpoint: Checkpoint, filename: str, revise_keys: ReviseKeys = ()
) -> OrderedDict[str, Tensor]:
    """Return the state dict of the model in a checkpoint, with names revised.

    Args:
        checkpoint: The checkpoint: the weights themselves, or a dict with them as ``state_dict``.
        filename: Source of the checkpoint, for the error.
        revise_keys: Pairs of a regular expression and its replacement. Defaults to none.

    Returns:
        Tensors by name.

    Raises:
        CheckpointError: If it has no state dict.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"no state_dict found in checkpoint {filename!r}: expected a dict of tensors, or one "
            f"with the key 'state_dict', not {type(checkpoint).__name__}"
        )
    revised: OrderedDict[str, Tensor] = OrderedDict()
    for name, tensor in state.items():
        for pattern, replacement in revise_keys:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901
        revised[name] = tensor
    revised._metadata = getattr(state, "_metadata", OrderedDict())  # type: ignore[attr-defined]
    return revised


def _fill(
    state: Mapping[str, Tensor], destination: OrderedDict[str, Tensor] | None, prefix: str
) -> OrderedDict[str, Tensor]:
    filled: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
    filled.update((prefix + name, tensor) for name, tensor in state.items())
    return filled


def _as_module(module: nn.Module) -> nn.Module:
    """Unwrap a custom wrapper that is not an ``nn.Module`` itself."""
    return module if isinstance(module, nn.Module) else unwrap(module)


def _choose_part(module: nn.Module, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """Return the submodule ``module`` if the state dict matches it alone, or else the module.

    A model for test-time augmentation has the trained model as this submodule.
    """
    inner = unwrap(module)
    part = inner._modules.get("module")
    if part is None or set(inner.state_dict()) & set(state_dict):
        return module
    return part if set(part.state_dict()) & set(state_dict) else module


def _check_match(module: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Reject a state dict of another model, which would leave all weights random."""
    own = {plain_name(module, name): value for name, value in module.state_dict().items()}
    if own and state_dict and not any(_fits(own[n], v) for n, v in state_dict.items() if n in own):
        raise CheckpointError(
            f"no key of the state_dict matches {type(module).__name__} in name and shape: the "
            f"state_dict has {_abbreviate(state_dict)}, the model has {_abbreviate(own)}"
        )


def _fits(own: object, value: object) -> bool:
    if not isinstance(own, Tensor) or isinstance(own, UninitializedTensorMixin):
        return True  # an extra state, or a parameter that takes any shape
    return getattr(value, "shape", None) == own.shape


def _abbreviate(state: Mapping[str, object]) -> str:
    shown = [f"{name}{_format_shape(value)}" for name, value in islice(state.items(), 3)]
    return ", ".join([*shown, *(["..."] if len(state) > 3 else [])])


def _format_shape(value: object) -> str:
    if not isinstance(value, Tensor) or isinstance(value, UninitializedTensorMixin):
        return ""
    return f" {tuple(value.shape)}"


def _load_tree(
    module: nn.Module,
    state: OrderedDict[str, Tensor],
    prefix: str,
    missing: list[str],
    unexpected: list[str],
    unfitting: list[str],
) -> None:
    """Load a module and its submodules, skipping wrappers.

    Each module loads its own part, as in :meth:`torch.nn.Module.load_state_dict`, since it may
    convert the state of an older version of itself.
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

"""Checkpoint functions under the private names that OpenMMLab libraries import."""

from __future__ import annotations

import os
from collections import OrderedDict

from torch import Tensor, nn

from eng.utils import ArgumentValueError, StateDict

from .loader import CheckpointLoader
from .state_dict import load_state_dict, model_state
from .types import Checkpoint, Logger, MapLocation, ReviseKeys

__all__ = [
    "DEFAULT_CACHE_DIR",
    "ENV_MMENGINE_HOME",
    "ENV_XDG_CACHE_HOME",
    "_get_mmengine_home",
    "_load_checkpoint",
    "_load_checkpoint_to_model",
    "_load_checkpoint_with_prefix",
]

ENV_MMENGINE_HOME = "MMENGINE_HOME"
ENV_XDG_CACHE_HOME = "XDG_CACHE_HOME"
DEFAULT_CACHE_DIR = "~/.cache"


def _get_mmengine_home() -> str:
    """Return the directory of downloads and weight tables; create it if missing."""
    cache = os.environ.get(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR)
    home = os.environ.get(ENV_MMENGINE_HOME, os.path.join(cache, "mmengine"))  # noqa: PTH118
    home = os.path.expanduser(home)  # noqa: PTH111 - a str, as it is documented
    os.makedirs(home, exist_ok=True)  # noqa: PTH103
    return home


def _load_checkpoint(
    filename: str, map_location: MapLocation = None, logger: Logger = None
) -> Checkpoint:
    """Read a checkpoint, see :meth:`CheckpointLoader.load_checkpoint`.

    Args:
        filename: Path or URL of the checkpoint.
        map_location: As for :func:`torch.load`. Defaults to None.
        logger: Logger of the message. Defaults to None: it is printed.

    Returns:
        The checkpoint.
    """
    return CheckpointLoader.load_checkpoint(filename, map_location, logger)


def _load_checkpoint_with_prefix(
    prefix: str, filename: str, map_location: MapLocation = None
) -> OrderedDict[str, Tensor]:
    """Read the weights of a submodule.

    Args:
        prefix: Name of the submodule in the checkpoint, with or without a dot at its end.
        filename: Path or URL of the checkpoint.
        map_location: As for :func:`torch.load`. Defaults to None.

    Returns:
        Tensors by their names in the submodule.

    Raises:
        AssertionError: If no name has the prefix. It is a :class:`ValueError` as well.
    """
    state = model_state(_load_checkpoint(filename, map_location), str(filename))
    start = prefix if prefix.endswith(".") else f"{prefix}."
    part = OrderedDict(
        (name.removeprefix(start), tensor)
        for name, tensor in state.items()
        if name.startswith(start)
    )
    if not part:
        known = ", ".join(sorted({name.split(".")[0] for name in state})[:10])
        raise ArgumentValueError(
            f"{start} is not in the pretrained model {filename!r}, which has {known}"
        )
    versions = getattr(state, "_metadata", {})
    part._metadata = OrderedDict(  # type: ignore[attr-defined]
        (f"{name}.".removeprefix(start).removesuffix("."), version)
        for name, version in versions.items()
        if f"{name}.".startswith(start)
    )
    return part


def _load_checkpoint_to_model(
    model: nn.Module,
    checkpoint: StateDict,
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = [(r"^module\.", "")],  # noqa: B006 - documented, never changed
) -> StateDict:
    """Load the weights of a checkpoint that is already in memory into a model.

    Args:
        model: The model.
        checkpoint: The checkpoint, or its state dict alone. It is not changed.
        strict: Whether missing, unexpected or mismatching keys are an error. Defaults to False.
        logger: Logger for missing and unexpected keys. Defaults to None: they are printed.
        revise_keys: Pairs of a regular expression and its replacement, applied to all names.
            Defaults to dropping ``module.`` from their beginning.

    Returns:
        The checkpoint.
    """
    state = model_state(checkpoint, "the checkpoint", revise_keys)
    load_state_dict(model, state, strict, logger)
    return checkpoint

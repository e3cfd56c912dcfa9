"""Functions of checkpoints under the names by which code of the OpenMMLab family calls them."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from eng.utils import ArgumentValueError

from .loader import CheckpointLoader, Logger
from .state_dict import ReviseKeys, load_state_dict, model_state

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
    """The folder of downloads and tables of weights, which is made if missing."""
    cache = os.environ.get(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR)
    home = os.environ.get(ENV_MMENGINE_HOME, os.path.join(cache, "mmengine"))  # noqa: PTH118
    home = os.path.expanduser(home)  # noqa: PTH111 - a str, as it is documented
    os.makedirs(home, exist_ok=True)  # noqa: PTH103
    return home


def _load_checkpoint(filename: str, map_location: Any = None, logger: Logger = None) -> Any:
    """Read a checkpoint, see :meth:`CheckpointLoader.load_checkpoint`.

    Args:
        filename: Its path or address.
        map_location: As for :func:`torch.load`. Defaults to None.
        logger: Where the loading is noted. Defaults to None: it is printed.

    Returns:
        The checkpoint.
    """
    return CheckpointLoader.load_checkpoint(filename, map_location, logger)


def _load_checkpoint_with_prefix(
    prefix: str, filename: str, map_location: Any = None
) -> OrderedDict[str, Tensor]:
    """Read the weights of a part of a model.

    Args:
        prefix: Name of the part in the model of the checkpoint; a dot at its end is no matter.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`. Defaults to None.

    Returns:
        Tensors by their names in the part.

    Raises:
        AssertionError: If the checkpoint has none. It is a :class:`ValueError` as well.
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
    checkpoint: Mapping[str, Any],
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = [(r"^module\.", "")],  # noqa: B006 - documented, never changed
) -> Any:
    """Load the weights of a checkpoint that was read into a model.

    Args:
        model: The model.
        checkpoint: The checkpoint, or its weights alone. It is not changed.
        strict: Whether it is an error if something does not fit. Defaults to False.
        logger: Where what did not fit is noted. Defaults to None: it is printed.
        revise_keys: Pairs of a regular expression and its replacement, applied to all names.
            Defaults to dropping ``module.`` from their beginning.

    Returns:
        The checkpoint.
    """
    state = model_state(checkpoint, "the checkpoint", revise_keys)
    load_state_dict(model, state, strict, logger)
    return checkpoint

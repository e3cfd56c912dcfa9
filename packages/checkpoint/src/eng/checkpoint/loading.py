"""Load the weights of a checkpoint into a model."""

from __future__ import annotations

from torch import nn

from .loader import CheckpointLoader
from .state_dict import load_state_dict, model_state
from .trained_only import complete_weights
from .types import Checkpoint, Logger, MapLocation, ReviseKeys

__all__ = ["load_checkpoint"]


def load_checkpoint(
    model: nn.Module,
    filename: str,
    map_location: MapLocation = None,
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = [(r"^module\.", "")],  # noqa: B006 - documented, never changed
) -> Checkpoint:
    """Read a checkpoint and load its weights into a model.

    Args:
        model: The model.
        filename: Path or URL of the checkpoint, see :class:`CheckpointLoader`.
        map_location: As for :func:`torch.load`. Defaults to None.
        strict: Whether missing, unexpected or mismatching keys are an error. Defaults to False.
        logger: Logger for missing and unexpected keys. Defaults to None: they are printed.
        revise_keys: Pairs of a regular expression and its replacement, applied to all names.
            Defaults to dropping ``module.`` from their beginning.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If the file is not a checkpoint, or no key matches; if ``strict``, for
            missing, unexpected and mismatching keys as well.
    """
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location, logger)
    checkpoint = complete_weights(model, checkpoint, str(filename), logger)
    load_state_dict(model, model_state(checkpoint, str(filename), revise_keys), strict, logger)
    return checkpoint

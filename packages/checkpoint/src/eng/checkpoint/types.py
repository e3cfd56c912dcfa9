"""Types of checkpoints and of the arguments that read and write them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import torch
    from torch.types import Storage

__all__ = ["BackendArgs", "Checkpoint", "Loader", "Logger", "MapLocation", "Meta", "ReviseKeys"]

#: The content of a checkpoint file. One of a run is a dict of states by name; files of other
#: programs hold any object that :func:`torch.save` takes.
Checkpoint: TypeAlias = Any

#: The ``meta`` of a checkpoint: epoch, iteration, time and config of the run that saved it.
Meta: TypeAlias = Mapping[str, Any]

#: Arguments of a storage backend by name, see :func:`eng.fileio.get_file_backend`.
BackendArgs: TypeAlias = "dict[str, Any]"

#: Device mapping of :func:`torch.load`.
MapLocation: TypeAlias = (
    "Callable[[Storage, str], Storage] | torch.device | str | dict[str, str] | None"
)

#: A function that reads a checkpoint by name, called with ``map_location=...``.
Loader: TypeAlias = Callable[..., Checkpoint]

#: Destination of messages, see :func:`eng.logging.print_log`.
Logger: TypeAlias = logging.Logger | str | None

#: Pairs of a regular expression and its replacement, applied to the names of weights.
ReviseKeys: TypeAlias = Sequence[tuple[str, str]]

"""Load checkpoints as plain data, with the few classes that older engines save in them."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import torch
from torch.serialization import safe_globals

from eng.logging import HistoryBuffer

from .types import Checkpoint, MapLocation

__all__ = ["load_plain"]

_STATISTICS = ("current", "max", "mean", "min")
#: Classes in files of other engines that are dicts with attribute access.
_CONFIG_DICTS = (
    "mmengine.config.config.ConfigDict",
    "mmcv.utils.config.ConfigDict",
    "addict.addict.Dict",
    "eng.config.config_dict.ConfigDict",
)
#: Held while the list of allowed classes is extended, which torch has once per process.
_reading = threading.Lock()

#: An entry of :func:`torch.serialization.safe_globals`: a class or function, or one with its name.
SafeGlobal: TypeAlias = "Callable[..., object] | tuple[Callable[..., object], str]"


def load_plain(
    file: str | Path | IO[bytes], map_location: MapLocation = None, *, mmap: bool | None = None
) -> Checkpoint:
    """Load a file of :func:`torch.save` without executing code from it.

    Beside tensors and plain data, these are allowed: arrays and scalars of numpy, the history
    buffers in the message hub of MMEngine, and its config dicts, which become ordered dicts.

    Args:
        file: A path, or an open file that is seekable.
        map_location: As for :func:`torch.load`. Defaults to None.
        mmap: As for :func:`torch.load`. Defaults to None.

    Returns:
        The saved object.

    Raises:
        pickle.UnpicklingError: If it contains any other class or function.
    """
    try:
        return torch.load(file, map_location=map_location, mmap=mmap, weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise
    if not isinstance(file, (str, Path)):
        file.seek(0)
    with _reading, safe_globals(_list_safe_globals()):
        return torch.load(file, map_location=map_location, mmap=mmap, weights_only=True)


class _ConfigDict:
    """Replaces a config dict in a file by an ordered dict, which torch can fill."""

    def __new__(cls, *values: Mapping[str, object]) -> OrderedDict[str, object]:  # type: ignore[misc]
        return OrderedDict(*values)


def _list_safe_globals() -> list[SafeGlobal]:
    """List the classes in files of older engines, under the names in these files."""
    return [
        (HistoryBuffer, "mmengine.logging.history_buffer.HistoryBuffer"),
        HistoryBuffer,
        *((_ConfigDict, name) for name in _CONFIG_DICTS),
        *((_get_statistic, f"{module}.getattr") for module in ("builtins", "__builtin__")),
        *_list_numpy_globals(),
    ]


def _get_statistic(owner: object, name: str) -> Callable[..., object]:
    """Replaces ``getattr`` in a file: returns the statistics of a history buffer alone."""
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError(
            f"weights_only: getattr of {owner!r} and {name!r} is not allowed, only the statistics "
            f"of HistoryBuffer are: {', '.join(_STATISTICS)}"
        )
    found: Callable[..., object] = getattr(HistoryBuffer, name)
    return found


def _list_numpy_globals() -> list[SafeGlobal]:
    core = np._core if hasattr(np, "_core") else np.core  # its name before 2.0
    multiarray = core.multiarray
    kinds = {type(np.dtype(code)) for code in np.typecodes["All"]}
    return [
        np.ndarray,
        np.dtype,
        *kinds,
        *(
            (getattr(multiarray, name), f"numpy.{module}.multiarray.{name}")
            for module in ("core", "_core")
            for name in ("_reconstruct", "scalar")
        ),
    ]

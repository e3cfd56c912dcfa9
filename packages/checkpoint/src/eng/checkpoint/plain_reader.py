"""Read checkpoints as plain data, with the few classes that older engines put into them."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch.serialization import safe_globals

from eng.logging import HistoryBuffer

__all__ = ["load_plain"]

_STATISTICS = ("current", "max", "mean", "min")
#: Names in files of classes that are dictionaries with attributes.
_CONFIG_DICTS = (
    "mmengine.config.config.ConfigDict",
    "mmcv.utils.config.ConfigDict",
    "addict.addict.Dict",
    "eng.config.config_dict.ConfigDict",
)
#: torch keeps the list of what it may read once for the whole process.
_reading = threading.Lock()


def load_plain(
    file: str | Path | IO[bytes], map_location: Any = None, *, mmap: bool | None = None
) -> Any:
    """Load a file of :func:`torch.save` without running code that it names.

    Beside tensors and plain data, arrays and scalars of numpy are taken, the histories of scalars
    that MMEngine saves in its message hub, and its config dictionaries, which become ordered ones.

    Args:
        file: A path, or an open file that can be read from its beginning once more.
        map_location: As for :func:`torch.load`. Defaults to None.
        mmap: As for :func:`torch.load`. Defaults to None.

    Returns:
        What was saved.

    Raises:
        pickle.UnpicklingError: If there is anything else in it.
    """
    try:
        return torch.load(file, map_location=map_location, mmap=mmap, weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise
    if not isinstance(file, (str, Path)):
        file.seek(0)
    with _reading, safe_globals(_known_names()):
        return torch.load(file, map_location=map_location, mmap=mmap, weights_only=True)


class _ConfigDict:
    """Stands for a config dictionary in a file. It becomes an ordered one, which torch can fill."""

    def __new__(cls, *values: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict(*values)


def _known_names() -> list[Any]:
    """What older engines pickle, each under the names that it has in their files."""
    return [
        (HistoryBuffer, "mmengine.logging.history_buffer.HistoryBuffer"),
        HistoryBuffer,
        *((_ConfigDict, name) for name in _CONFIG_DICTS),
        *((_statistic, f"{module}.getattr") for module in ("builtins", "__builtin__")),
        *_numpy_names(),
    ]


def _statistic(owner: Any, name: Any) -> Callable[..., Any]:
    """Stands for ``getattr`` in a file: it gives the statistics of a history and nothing else."""
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError(
            f"weights_only: getattr of {owner!r} and {name!r} is refused, it is allowed for the "
            f"statistics of HistoryBuffer alone: {', '.join(_STATISTICS)}"
        )
    found: Callable[..., Any] = getattr(HistoryBuffer, name)
    return found


def _numpy_names() -> list[Any]:
    core: Any = np._core if hasattr(np, "_core") else np.core  # its name before 2.0
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

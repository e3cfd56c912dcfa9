"""Base class of backends that record to a run of an experiment tracker."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from eng.config import Config
from eng.utils import override

from ..backend import BaseVisBackend
from ..environment import force_init_env
from ..geometry import as_image
from ..optional import require
from ..plain import plain_value

if TYPE_CHECKING:
    from ..types import Scalar, Scalars

__all__ = ["TrackerBackend", "find_artifacts", "flatten_config", "plain_config"]


class TrackerBackend(BaseVisBackend):
    """Records to a run of a tracker, which the first record starts.

    The config alone does not start a run: it is recorded with the first other record, or by
    :meth:`close`. A record after :meth:`close` starts a run again. If the package of the tracker is
    not installed, the first method that records raises.

    Args:
        save_dir: Directory of the files of the run. None if the tracker has its own.
    """

    #: The package of the tracker, also the name of its extra.
    package: ClassVar[str]

    def __init__(self, save_dir: str | None = None) -> None:
        super().__init__(save_dir or "")
        self._run: Any = None
        self._config: Config | None = None
        self._is_config_due = False
        self._work_dir: str | None = None
        self._left_out: set[str] = set()

    @override
    def _init_env(self) -> None:
        require(self.package, type(self).__name__)

    @property
    @override
    def experiment(self) -> Any:
        """The run of the tracker, started if needed, for use beyond this interface."""
        return self._begin()

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        self._work_dir = work_dir
        return None

    @force_init_env
    @override
    def add_config(self, config: Config, **kwargs: object) -> None:
        self._config, self._is_config_due = config, True
        if self._run is not None:
            self._begin()

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        pixels = as_image(f"image {name!r}", image, strict=True)
        self._begin()
        self._write_image(name, pixels, step)

    @override
    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:
        """Record a scalar. Other values are skipped, with a warning the first time.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.
        """
        self._write({name: value}, step)

    @override
    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        step = plain_value(scalar_dict.get("step", step))
        self._write({name: v for name, v in scalar_dict.items() if name != "step"}, step)

    @override
    def close(self) -> None:
        """Finish the run, if one was started or a config is pending."""
        if self._is_config_due:
            self._begin()
        if self._run is not None:
            try:
                self._finish()
            finally:
                self._run = None

    @abstractmethod
    def _open(self) -> Any:
        """Start a run and return it."""

    @abstractmethod
    def _write_config(self, config: Config) -> None:
        """Record a config in the run."""

    @abstractmethod
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        """Record scalars in the run."""

    @abstractmethod
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        """Record an image, RGB of shape (height, width, 3), uint8, in the run."""

    @abstractmethod
    def _finish(self) -> None:
        """Finish the run."""

    @force_init_env
    def _begin(self) -> Any:
        """Return the run, after starting it and recording the config if needed."""
        if self._run is None:
            self._run = self._open()
        if self._is_config_due and self._config is not None:
            self._is_config_due = False
            self._write_config(self._config)
        return self._run

    def _write(self, scalars: Mapping[str, object], step: int) -> None:
        plain = {name: plain_value(value) for name, value in scalars.items()}
        numbers = {name: v for name, v in plain.items() if isinstance(v, (int, float))}
        for name in plain.keys() - numbers.keys() - self._left_out:
            self._left_out.add(name)
            warnings.warn(
                f"{type(self).__name__} skips {name!r}, which is not a number but "
                f"{plain[name]!r:.80}",
                stacklevel=3,
            )
        if numbers:
            self._begin()
            self._write_numbers(numbers, step)

    def _work_folder(self) -> str | None:
        """Return the work directory of the run, or else that of the config."""
        if self._work_dir is None and self._config is not None:
            given = self._config.get("work_dir")
            return given if isinstance(given, str) else None
        return self._work_dir


def flatten_config(
    config: Mapping[Any, object] | Sequence[object], prefix: str = ""
) -> dict[str, object]:
    """Flatten a config.

    Args:
        config: Dicts and lists in any nesting.
        prefix: Prefix of each key. Defaults to ``''``.

    Returns:
        Values by dotted keys, which have the indices in lists of dicts. Other lists are values.

    Examples:
        >>> flatten_config({'a': {'b': 1, 'c': [2, 3]}, 'd': [{'e': 4}]})
        {'a.b': 1, 'a.c': [2, 3], 'd.0.e': 4}
    """
    if isinstance(config, Mapping):
        items = [(str(key), value) for key, value in config.items()]
    else:
        items = [(str(index), value) for index, value in enumerate(config)]
    flat: dict[str, object] = {}
    for key, value in items:
        dotted = f"{prefix}{key}"
        if (isinstance(value, Mapping) and value) or (
            isinstance(value, (list, tuple)) and any(isinstance(each, Mapping) for each in value)
        ):
            flat |= flatten_config(value, f"{dotted}.")
        else:
            flat[dotted] = value
    return flat


def plain_config(value: object) -> Any:
    """Convert a config to values that any tracker accepts.

    Args:
        value: The config, or a value in it.

    Returns:
        Dicts with strings as keys, lists, strings and numbers; other objects as strings.

    Examples:
        >>> plain_config({'act': int, 1: (2, None)})
        {'act': "<class 'int'>", '1': [2, None]}
    """
    value = plain_value(value)
    if isinstance(value, Mapping):
        return {str(key): plain_config(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_config(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def find_artifacts(
    folder: str | None, suffixes: Sequence[str], without: Sequence[str] = ()
) -> Iterator[Path]:
    """Find files of a run by their suffixes.

    Args:
        folder: The directory to search. None yields nothing.
        suffixes: The suffixes.
        without: Directories to skip. Defaults to none.

    Yields:
        The files, sorted by name.
    """
    skipped = {Path(each).resolve() for each in without}
    for parent, folders, files in os.walk(folder or os.devnull):
        inner = sorted(folders)
        folders[:] = [each for each in inner if Path(parent, each).resolve() not in skipped]
        yield from (Path(parent, each) for each in sorted(files) if each.endswith(tuple(suffixes)))

# ruff: noqa: B027 - a backend overrides only what it can record
"""Base class of backends that record a run, and the backend that records to local files."""

from __future__ import annotations

import functools
import json
import math
import os
from abc import ABC, abstractmethod
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import ArgumentValueError, DataBatch, StateDict, check_inner_path, override

from .config_origins import collect_origins
from .geometry import as_image
from .plain import plain_value
from .run_record import Curves, count_lines, find_folders, mark_folder

if TYPE_CHECKING:
    from torch import nn

    from .types import Scalar, Scalars

__all__ = ["BaseVisBackend", "LocalVisBackend"]

_encode = json.JSONEncoder().encode
_PLAIN = frozenset({int, float})


class BaseVisBackend(ABC):
    """Records configs, scalars and images of a run. Methods do nothing unless overridden.

    Args:
        save_dir: Directory for files that the backend writes.
    """

    #: Whether :meth:`_init_env` was called, see :func:`eng.vis.force_init_env`.
    _env_initialized = False

    def __init__(self, save_dir: str) -> None:
        self._save_dir = save_dir

    @property
    @abstractmethod
    def experiment(self) -> Any:
        """The underlying object that records, for use beyond this interface."""

    def _init_env(self) -> None:
        """Initialize recording.

        Called before the first use of a method decorated with :func:`eng.vis.force_init_env`.
        """

    def add_config(self, config: Config, **kwargs: object) -> None:
        """Record a config.

        Args:
            config: The config.
            **kwargs: Settings of the backend.
        """

    def add_graph(self, model: nn.Module, data_batch: DataBatch, **kwargs: object) -> None:
        """Record the graph of a model.

        Args:
            model: The model.
            data_batch: A batch to run it on.
            **kwargs: Settings of the backend.
        """

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB, of shape (height, width, 3), uint8.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backend.
        """

    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:
        """Record a scalar.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backend.
        """

    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        """Record scalars.

        Args:
            scalar_dict: Scalars by name. A ``step`` in it takes precedence over the argument.
            step: Step of the run. Defaults to 0.
            file_path: Another file to write them to as well. Defaults to None.
            **kwargs: Settings of the backend.
        """

    def add_histogram(self, name: str, values: np.ndarray, step: int = 0, **kwargs: object) -> None:
        """Record how values are distributed. A backend without histograms records scalars.

        These are mean, standard deviation, least and greatest value, below the name.

        Args:
            name: Its name.
            values: The values, of any shape.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backend.
        """
        if values.size:
            scalars = {"mean": values.mean(), "std": values.std()}
            scalars |= {"min": values.min(), "max": values.max()}
            self.add_scalars({f"{name}/{key}": float(each) for key, each in scalars.items()}, step)

    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Start to record a run, or continue one that is resumed.

        Args:
            run_id: Identifier of the run, unchanged when it is resumed.
            step: Completed iterations: 0, or those of the checkpoint that it is resumed from.
                Records of later ones are superseded by those of the resumed run.
            work_dir: The work directory of the run.

        Returns:
            A line for the log, or None.
        """
        return None

    def close(self) -> None:
        """Finish recording."""


@VISBACKENDS.register_module()
class LocalVisBackend(BaseVisBackend):
    """Records to files: the config as Python, images as PNG, scalars as one JSON object a line.

    Args:
        save_dir: Directory of the files. It is created with the first record.
        img_save_dir: Folder in it for images. Defaults to ``'vis_image'``.
        config_save_file: Name of the file of the config. Defaults to ``'config.py'``.
        scalar_save_file: Name of the file of the scalars. Defaults to ``'scalars.json'``.

    Raises:
        ValueError: If a file name has an invalid suffix, or is outside of ``save_dir``.
    """

    def __init__(
        self,
        save_dir: str,
        img_save_dir: str = "vis_image",
        config_save_file: str = "config.py",
        scalar_save_file: str = "scalars.json",
    ) -> None:
        super().__init__(save_dir)
        if Path(config_save_file).suffix not in (".py", ".yaml", ".yml", ".json", ".toml"):
            raise ArgumentValueError(f"config_save_file must end in .py, not {config_save_file!r}")
        _check_json("scalar_save_file", scalar_save_file)
        names = {
            "img_save_dir": img_save_dir,
            "config_save_file": config_save_file,
            "scalar_save_file": scalar_save_file,
        }
        for argument, name in names.items():
            check_inner_path(name, argument)
        root = Path(save_dir)
        self._img_save_dir = str(root / img_save_dir)
        self._config_save_file = str(root / config_save_file)
        self._scalar_save_file = str(root / scalar_save_file)
        #: Further scalar files, by the ``file_path`` of :meth:`add_scalars`.
        self._other_files: dict[str, str] = {}
        #: Open scalar files, by their paths, each with its device and inode.
        self._files: dict[str, tuple[FileIO, tuple[int, int]]] = {}
        #: Files whose last line may be incomplete.
        self._torn: set[str] = set()
        #: Records of this run from before it was resumed.
        self._earlier: Curves | None = None

    @override
    def _init_env(self) -> None:
        for folder in (self._save_dir, self._img_save_dir):
            Path(folder).mkdir(parents=True, exist_ok=True)

    @property
    @override
    def experiment(self) -> LocalVisBackend:
        """The backend itself."""
        return self

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Move records of iterations after the one the run is resumed from out of the way.

        They are moved to files such as ``scalars.superseded.json`` in the same directory.

        Args:
            run_id: Identifier of the run.
            step: Completed iterations.
            work_dir: The work directory of the run.

        Returns:
            A line for the log, None if nothing was moved.
        """
        if step == 0:
            mark_folder(self._save_dir, run_id, lines=count_lines(Path(self._scalar_save_file)))
            return None
        folders = find_folders(self._save_dir, run_id, work_dir)
        mark_folder(self._save_dir, run_id)
        name = Path(self._scalar_save_file).relative_to(self._save_dir)
        self._earlier = Curves(folder / name for folder in folders)
        count = self._earlier.drop_after(step)
        if not count:
            return None
        return (
            f"{count} records of {name} after iteration {step}, where the run resumes, were moved "
            f"to {name.with_suffix(f'.superseded{name.suffix}')} in the same directory."
        )

    @override
    def add_config(self, config: Config, **kwargs: object) -> None:
        """Write the config as Python, and the origins of its values to ``config.origins``.

        Args:
            config: The config.
            **kwargs: Ignored.
        """
        Path(self._save_dir).mkdir(parents=True, exist_ok=True)
        Path(self._config_save_file).write_text(config.pretty_text, encoding="utf-8")
        origins = json.dumps(collect_origins(config), indent=1)
        Path(self._save_dir, "config.origins").write_text(origins, encoding="utf-8")

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        """Write an image to the file ``<name>_<step>.png`` in the image directory.

        Args:
            name: Its name. Slashes in it separate directories.
            image: RGB of shape (height, width, 3), or grey of shape (height, width), integers of
                0 to 255.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.

        Raises:
            TypeError: If the values are not integers.
            ValueError: If the shape is invalid, a value is outside of 0 to 255, or the name is
                outside of the image directory.
        """
        from PIL import Image

        pixels = as_image(f"image {name!r}", image, strict=True)
        path = Path(self._img_save_dir, f"{name}_{step}.png")
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ArgumentValueError(f"image {name!r} must have a name within {self._img_save_dir}")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)

    @override
    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:

        self._record({name: value, "step": step})

    @override
    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        """Append scalars as one line to the scalar file.

        Args:
            scalar_dict: Scalars by name. A ``step`` in it takes precedence over the argument.
            step: Step of the run. Defaults to 0.
            file_path: Another file in the same directory to append them to as well. Defaults to
                None.
            **kwargs: Ignored.

        Raises:
            ValueError: If ``file_path`` is not a ``.json`` file, is the scalar file itself, or is
                outside of the directory.
        """
        other = None
        if file_path is not None:
            other = self._other_files.get(file_path) or self._find_other_file(file_path)
        self._record({"step": step, **scalar_dict}, other)

    def _find_other_file(self, name: str) -> str:
        _check_json("file_path", name)
        check_inner_path(name, "file_path")
        path = str(Path(self._save_dir) / name)
        if path == self._scalar_save_file:
            raise ArgumentValueError(f"file_path {name!r} must differ from scalar_save_file")
        self._other_files[name] = path
        return path

    def _record(self, record: Scalars, other: str | None = None) -> None:
        plain = record
        if set(map(type, record.values())) <= _PLAIN:
            line = _encode_numbers(record)
        else:
            plain = {key: plain_value(value) for key, value in record.items()}
            line = _encode(plain)
        data = f"{line}\n".encode()
        if other is not None:
            self._append(data, other)
        if self._earlier is not None:
            self._earlier.replace(plain)
        self._append(data, self._scalar_save_file)

    def _append(self, line: bytes, path: str) -> None:
        file, own = self._files.get(path, (None, None))
        try:
            found = os.stat(path)  # noqa: PTH116 - a Path takes as long as the writing
            is_same = (found.st_dev, found.st_ino) == own
        except FileNotFoundError:
            is_same = False
        if file is None or not is_same:
            file = self._open(path)
        # A full disk may have cut off the last line: the next one must not be joined to it.
        rest = b"\n" + line if path in self._torn else line
        self._torn.add(path)
        while rest:
            rest = rest[file.write(rest) :]
        self._torn.discard(path)

    def _open(self, path: str) -> FileIO:
        """Open a file to append to, instead of one whose path was replaced or removed."""
        if path in self._files:
            self._files.pop(path)[0].close()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab", buffering=0)  # noqa: PTH123, SIM115
        current = os.fstat(file.fileno())
        self._files[path] = file, (current.st_dev, current.st_ino)
        return file

    def __getstate__(self) -> StateDict:
        return {**vars(self), "_files": {}}  # another process opens its own files

    @override
    def close(self) -> None:
        """Close the files. Later records open them again."""
        while self._files:
            self._files.popitem()[1][0].close()


def _encode_numbers(record: Scalars) -> str:
    """Encode plain numbers as the encoder does, in a third of its time."""
    values = tuple(record.values())
    try:
        is_finite = math.isfinite(sum(values))
    except OverflowError:  # of an integer beyond floats
        is_finite = False
    # JSON of Python calls the others NaN and Infinity.
    return _make_template(tuple(record)) % values if is_finite else _encode(record)


@functools.lru_cache
def _make_template(names: tuple[str, ...]) -> str:
    """Make the format of a JSON object of numbers by their names."""
    keys = (json.dumps({name: 0})[1:-2].replace("%", "%%") for name in names)
    return f"{{{', '.join(f'{key}%r' for key in keys)}}}"


def _check_json(argument: str, path: str) -> None:
    if Path(path).suffix != ".json":
        raise ArgumentValueError(f"{argument} must end in .json, not {path!r}")

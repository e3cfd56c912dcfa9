# ruff: noqa: B027 - a backend overrides only what it can record
"""Where configs and scalars of a run are recorded."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import ArgumentValueError, check_inner_path, override

from .geometry import as_image
from .plain import plain_value
from .run_record import Curves, count_lines, find_folders, mark_folder

__all__ = ["BaseVisBackend", "LocalVisBackend"]


class BaseVisBackend(ABC):
    """A place to record what happens in a run. Each method does nothing unless overridden.

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
        """The object that does the recording, for what this interface lacks."""

    def _init_env(self) -> None:
        """Begin to record. Called before the first use of a method that asks for it.

        A method asks by the decorator :func:`eng.vis.force_init_env`.
        """

    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record a config.

        Args:
            config: The config.
            **kwargs: Settings of the backend.
        """

    def add_graph(self, model: Any, data_batch: Any, **kwargs: Any) -> None:
        """Record the graph of a model.

        Args:
            model: The model, a :class:`torch.nn.Module`.
            data_batch: A batch to run it on.
            **kwargs: Settings of the backend.
        """

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB, of shape (height, width, 3), uint8.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backend.
        """

    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Record a number.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backend.
        """

    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Record numbers.

        Args:
            scalar_dict: Numbers by name. A ``step`` in it takes the place of the argument.
            step: Step of the run. Defaults to 0.
            file_path: Another file that also gets them. Defaults to None.
            **kwargs: Settings of the backend.
        """

    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Begin to record a training, or go on with one that is resumed.

        Args:
            run_id: Identifier of the run, the same whenever it is resumed.
            step: Iterations done: 0, or those of the checkpoint that it is resumed from. What was
                recorded after them is recorded again, and the newer records count.
            work_dir: The work directory of the run.

        Returns:
            A line for the log, None if there is nothing to say.
        """
        return None

    def close(self) -> None:
        """Finish recording."""


@VISBACKENDS.register_module()
class LocalVisBackend(BaseVisBackend):
    """Records to files: the config as Python, images as PNG, scalars as one JSON object a line.

    Args:
        save_dir: Directory of the files. It is made when something is recorded.
        img_save_dir: Folder in it for images. Defaults to ``'vis_image'``.
        config_save_file: Name of the file of the config. Defaults to ``'config.py'``.
        scalar_save_file: Name of the file of the scalars. Defaults to ``'scalars.json'``.

    Raises:
        ValueError: If a file name has another ending than its kind, or leads out of ``save_dir``.
    """

    def __init__(
        self,
        save_dir: str,
        img_save_dir: str = "vis_image",
        config_save_file: str = "config.py",
        scalar_save_file: str = "scalars.json",
    ) -> None:
        super().__init__(save_dir)
        if Path(config_save_file).suffix not in (".py", ".yaml", ".yml", ".json"):
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
        #: Further files of scalars, by the names that :meth:`add_scalars` was given.
        self._other_files: dict[str, str] = {}
        #: Files of scalars that are open, by their paths.
        self._files: dict[str, FileIO] = {}
        #: Files whose last line may not be whole.
        self._torn: set[str] = set()
        #: What this run has recorded before it was resumed.
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
        """Drop what earlier starts of a run have recorded after the iteration it is resumed from.

        It is moved to files such as ``scalars.superseded.json`` beside.

        Args:
            run_id: Identifier of the run.
            step: Iterations done.
            work_dir: The work directory of the run.

        Returns:
            A line for the log, None if nothing was dropped.
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
            f"{count} records of {name} are of iterations after {step}, which are done again: they "
            f"are now in {name.with_suffix(f'.superseded{name.suffix}')} beside it."
        )

    @override
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Write a config to its file.

        Args:
            config: The config.
            **kwargs: Ignored.
        """
        Path(self._save_dir).mkdir(parents=True, exist_ok=True)
        Path(self._config_save_file).write_text(config.pretty_text, encoding="utf-8")

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Write an image to the file ``<name>_<step>.png`` in the folder of images.

        Args:
            name: Its name. What stands before a slash in it is a folder.
            image: RGB of shape (height, width, 3), or grey of shape (height, width), of whole
                numbers of 0 to 255.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.

        Raises:
            TypeError: If the image holds anything but whole numbers.
            ValueError: If its shape is another, a number is not of 0 to 255, or the name leads out
                of the folder of images.
        """
        from PIL import Image

        pixels = as_image(f"image {name!r}", image, strict=True)
        path = Path(self._img_save_dir, f"{name}_{step}.png")
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ArgumentValueError(f"image {name!r} must have a name within {self._img_save_dir}")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)

    @override
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Append a number to the file of the scalars.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.
        """
        self._record({name: value, "step": step})

    @override
    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Append numbers, as one line, to the file of the scalars.

        Args:
            scalar_dict: Numbers by name. A ``step`` in it takes the place of the argument.
            step: Step of the run. Defaults to 0.
            file_path: Name of another file in the same directory that also gets them. Defaults to
                None.
            **kwargs: Ignored.

        Raises:
            ValueError: If ``file_path`` is no ``.json`` file, the file of the scalars, or leads out
                of the directory.
        """
        other = None if file_path is None else self._find_other_file(file_path)
        self._record({"step": step, **scalar_dict}, other)

    def _find_other_file(self, name: str) -> str:
        if name not in self._other_files:
            _check_json("file_path", name)
            check_inner_path(name, "file_path")
            path = str(Path(self._save_dir) / name)
            if path == self._scalar_save_file:
                raise ArgumentValueError(f"file_path {name!r} is the file of all scalars already")
            self._other_files[name] = path
        return self._other_files[name]

    def _record(self, record: dict[str, Any], other: str | None = None) -> None:
        plain = {key: plain_value(value) for key, value in record.items()}
        line = json.dumps(plain)
        if other is not None:
            self._append(line, other)
        if self._earlier is not None:
            self._earlier.replace(plain)
        self._append(line, self._scalar_save_file)

    def _append(self, line: str, path: str) -> None:
        # A line that a full disk has cut off must not take the next one with it.
        start = "\n" if path in self._torn else ""
        self._torn.add(path)
        rest = memoryview(f"{start}{line}\n".encode())
        file = self._open(path)
        while rest:
            rest = rest[file.write(rest) :]
        self._torn.discard(path)

    def _open(self, path: str) -> FileIO:
        """Return a file to append to, the one of the last time unless its path has another now."""
        file = self._files.get(path)
        try:
            there = os.stat(path)  # noqa: PTH116 - a Path takes as long as the writing
        except FileNotFoundError:
            there = None
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        if file is not None and (
            there is None or not os.path.samestat(there, os.fstat(file.fileno()))
        ):
            file.close()
            file = None
        if file is None:
            file = self._files[path] = open(path, "ab", buffering=0)  # noqa: PTH123, SIM115
        return file

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_files": {}}  # another process opens its own

    @override
    def close(self) -> None:
        """Close the files. What is recorded later opens them again."""
        while self._files:
            self._files.popitem()[1].close()


def _check_json(argument: str, path: str) -> None:
    if Path(path).suffix != ".json":
        raise ArgumentValueError(f"{argument} must end in .json, not {path!r}")

"""Recording to event files of TensorBoard."""

from __future__ import annotations

import textwrap
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from .backend import BaseVisBackend
from .environment import force_init_env
from .geometry import as_image
from .optional import require
from .plain import plain_value
from .run_record import find_folders, mark_folder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TensorboardVisBackend"]


@VISBACKENDS.register_module()
class TensorboardVisBackend(BaseVisBackend):
    """Records to event files of TensorBoard, which ``tensorboard --logdir <save_dir>`` shows.

    It needs ``pip install eng-vis[tensorboard]``. A file is begun when something is recorded, and
    another one when something is recorded after :meth:`close`.

    That tensorboard is not installed is an error of the first method that records.

    Args:
        save_dir: Directory of the files.
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self._writer: SummaryWriter | None = None
        self._left_out: set[str] = set()
        self._config: str | None = None
        #: Step from which on a resumed run takes the place of what is there.
        self._purge_step: int | None = None

    @override
    def _init_env(self) -> None:
        require("tensorboard", type(self).__name__)

    @property
    @force_init_env
    @override
    def experiment(self) -> SummaryWriter:
        """The :class:`torch.utils.tensorboard.SummaryWriter`; made, with its file, if need be."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(self._save_dir, purge_step=self._purge_step)
            self._purge_step = None
            if self._config is not None:
                self._writer.add_text("config", self._config)
                self._config = None
        return self._writer

    @property
    def _tensorboard(self) -> SummaryWriter:
        """The writer, by the name that subclasses know."""
        return self.experiment

    @_tensorboard.setter
    def _tensorboard(self, writer: SummaryWriter) -> None:
        self._writer = writer

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Go on in the directory of the first start of a run, as one run of TensorBoard.

        Args:
            run_id: Identifier of the run.
            step: Iterations done. TensorBoard shows what comes after them once.
            work_dir: The work directory of the run.

        Returns:
            A line for the log, None if the run is not resumed.
        """
        folders = find_folders(self._save_dir, run_id, work_dir) if step else []
        first = next((each for each in folders if any(each.glob("*tfevents*"))), None)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if first is None:
            mark_folder(self._save_dir, run_id)
            return None
        self._save_dir = str(first)
        self._purge_step = step + 1
        return f"TensorBoard goes on with the run in {first}, from iteration {step} on."

    @force_init_env
    @override
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record a config as the text ``config``, with what is recorded first or at the end.

        Args:
            config: The config.
            **kwargs: Ignored.
        """
        # The text is shown as Markdown, where indented lines stay as they are.
        self._config = textwrap.indent(config.pretty_text, "    ")
        if self._writer is not None:
            self._writer.add_text("config", self._config)
            self._config = None

    @override
    def add_graph(self, model: Any, data_batch: Any, **kwargs: Any) -> None:
        """Record the graph of a model, traced in evaluation mode.

        Args:
            model: The model, a :class:`torch.nn.Module`. Its modes stay as they were.
            data_batch: What the model is called with: a tensor or a tuple of them, on its device.
                Without a batch, None, there is nothing to trace, and nothing is recorded.
            **kwargs: Further arguments of :meth:`torch.utils.tensorboard.SummaryWriter.add_graph`.

        Raises:
            TypeError: If ``data_batch`` is something else.
        """
        if data_batch is None:
            return
        import torch

        parts = data_batch if isinstance(data_batch, (tuple, list)) else (data_batch,)
        if not all(isinstance(part, torch.Tensor) for part in parts):
            found = sorted({type(part).__name__ for part in parts})
            raise TypeError(
                "a graph is traced with what the model is called with, a tensor or a tuple of "
                f"tensors, not {type(data_batch).__name__} with {found}"
            )
        modes = [(module, module.training) for module in model.modules()]
        try:
            self.experiment.add_graph(model, tuple(parts), **kwargs)
        finally:  # tracing gives all modules the mode of the model, also the frozen ones in it
            for module, is_training in modes:
                module.training = is_training

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB of shape (height, width, 3), or grey of shape (height, width), of whole
                numbers from 0 to 255.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.

        Raises:
            TypeError: If the image holds anything but whole numbers.
            ValueError: If its shape is another, or a number is not of 0 to 255.
        """
        pixels = as_image(f"image {name!r}", image, strict=True)
        self.experiment.add_image(name, pixels, step, dataformats="HWC")

    @override
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Record a number. Anything else is left out, with a warning the first time.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Ignored.
        """
        number = plain_value(value)
        if isinstance(number, (int, float)):
            self.experiment.add_scalar(name, number, step)
        elif name not in self._left_out:
            self._left_out.add(name)
            warnings.warn(
                f"TensorBoard has no place for {name!r}, which is no number but {value!r:.80}; it "
                "is left out",
                stacklevel=2,
            )

    @override
    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Record numbers, each as a curve of its own.

        Args:
            scalar_dict: Numbers by name. A ``step`` in it takes the place of the argument.
            step: Step of the run. Defaults to 0.
            file_path: Ignored. Defaults to None.
            **kwargs: Ignored.
        """
        step = plain_value(scalar_dict.get("step", step))
        for name, value in scalar_dict.items():
            if name != "step":
                self.add_scalar(name, value, step)

    @override
    def close(self) -> None:
        """Write out what was recorded and close the file."""
        if self._config is not None:
            _ = self.experiment
        if self._writer is not None:
            self._writer.close()
            self._writer = None

"""Record to event files of TensorBoard."""

from __future__ import annotations

import textwrap
import warnings
from typing import TYPE_CHECKING

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import DataBatch, override

from .backend import BaseVisBackend
from .environment import force_init_env
from .geometry import as_image
from .optional import require
from .plain import plain_value
from .run_record import find_folders, mark_folder

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.tensorboard import SummaryWriter

    from .types import Scalar, Scalars

__all__ = ["TensorboardVisBackend"]


@VISBACKENDS.register_module()
class TensorboardVisBackend(BaseVisBackend):
    """Records to event files of TensorBoard, which ``tensorboard --logdir <save_dir>`` shows.

    It needs ``pip install eng-vis[tensorboard]``. The first record creates a file; a record after
    :meth:`close` creates another one.

    If tensorboard is not installed, the first method that records raises.

    Args:
        save_dir: Directory of the files.
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self._writer: SummaryWriter | None = None
        self._left_out: set[str] = set()
        self._config: str | None = None
        #: Step from which on a resumed run supersedes earlier records.
        self._purge_step: int | None = None

    @override
    def _init_env(self) -> None:
        require("tensorboard", type(self).__name__)

    @property
    @force_init_env
    @override
    def experiment(self) -> SummaryWriter:
        """The :class:`torch.utils.tensorboard.SummaryWriter`, created with its file if needed."""
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
        """Continue a resumed run in the directory of its first start, as one run of TensorBoard.

        Args:
            run_id: Identifier of the run.
            step: Completed iterations. TensorBoard purges records of later ones.
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
        return f"TensorBoard resumes the run in {first} from iteration {step}."

    @force_init_env
    @override
    def add_config(self, config: Config, **kwargs: object) -> None:
        """Record a config as the text ``config``, with the first record or by :meth:`close`.

        Args:
            config: The config.
            **kwargs: Ignored.
        """
        # The text is shown as Markdown, where indented lines are verbatim.
        self._config = textwrap.indent(config.pretty_text, "    ")
        if self._writer is not None:
            self._writer.add_text("config", self._config)
            self._config = None

    @override
    def add_graph(self, model: nn.Module, data_batch: DataBatch, **kwargs: object) -> None:
        """Record the graph of a model, traced in evaluation mode.

        Args:
            model: The model. Its training modes are restored.
            data_batch: Inputs of the model: a tensor or a tuple of them, on its device. None
                records nothing.
            **kwargs: Further arguments of :meth:`torch.utils.tensorboard.SummaryWriter.add_graph`.

        Raises:
            TypeError: If ``data_batch`` has another type.
        """
        if data_batch is None:
            return
        import torch

        parts = data_batch if isinstance(data_batch, (tuple, list)) else (data_batch,)
        if not all(isinstance(part, torch.Tensor) for part in parts):
            found = sorted({type(part).__name__ for part in parts})
            raise TypeError(
                "data_batch must be the inputs to trace the model with, a tensor or a tuple of "
                f"tensors, not {type(data_batch).__name__} with {found}"
            )
        modes = [(module, module.training) for module in model.modules()]
        try:
            self.experiment.add_graph(model, tuple(parts), **kwargs)
        finally:  # tracing sets all modules, frozen ones too, to the mode of the model
            for module, is_training in modes:
                module.training = is_training

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        pixels = as_image(f"image {name!r}", image, strict=True)
        self.experiment.add_image(name, pixels, step, dataformats="HWC")

    @override
    def add_histogram(self, name: str, values: np.ndarray, step: int = 0, **kwargs: object) -> None:
        finite = values[np.isfinite(values)]  # others have no place in a histogram
        if finite.size:
            self.experiment.add_histogram(name, finite, step)

    @override
    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:
        """Record a scalar. Other values are skipped, with a warning the first time.

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
                f"{type(self).__name__} skips {name!r}, which is not a number but {value!r:.80}",
                stacklevel=2,
            )

    @override
    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        step = plain_value(scalar_dict.get("step", step))
        for name, value in scalar_dict.items():
            if name != "step":
                self.add_scalar(name, value, step)

    @override
    def close(self) -> None:
        """Flush all records and close the file."""
        if self._config is not None:
            _ = self.experiment
        if self._writer is not None:
            self._writer.close()
            self._writer = None

"""Recording to Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import ArgumentValueError, override

from .backend import BaseVisBackend
from .environment import force_init_env
from .geometry import as_image
from .optional import require
from .plain import plain_value

__all__ = ["WandbVisBackend"]


@VISBACKENDS.register_module()
class WandbVisBackend(BaseVisBackend):
    """Records to a run of Weights & Biases.

    It needs ``pip install eng-vis[wandb]``. The run is begun when something is recorded, the config
    apart, and another one when something is recorded after :meth:`close`. A training that is
    resumed goes on with its run, unless ``init_kwargs`` have an ``id`` or ``resume``.

    Args:
        save_dir: Directory of the files of the run, unless ``init_kwargs`` have a ``dir``.
        init_kwargs: Arguments of ``wandb.init``, such as ``project`` or ``mode``. Defaults to None.
        define_metric_cfg: What the summary keeps of a metric, by its name, such as
            ``{'coco/bbox_mAP': 'max'}``; or a list of arguments of ``wandb.define_metric``, a dict
            each. Defaults to None.
        commit: Whether each record is a step of the run. If False, what is recorded is kept until
            something is logged through :attr:`experiment` with ``commit=True``, or the run ends.
            Defaults to True.
        log_code_name: Name of the code of the current folder, which is recorded with the config.
            Defaults to None, the name that wandb gives.
        watch_kwargs: Arguments of ``wandb.watch``, for :meth:`add_graph`. Defaults to None.

    Raises:
        ValueError: If ``define_metric_cfg`` is neither a dict nor a list of dicts.
    """

    def __init__(
        self,
        save_dir: str,
        init_kwargs: dict[str, Any] | None = None,
        define_metric_cfg: dict[str, str] | list[dict[str, Any]] | None = None,
        commit: bool | None = True,
        log_code_name: str | None = None,
        watch_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(save_dir)
        self._init_kwargs = {"dir": save_dir, **(init_kwargs or {})}
        self._define_metric_cfg = _as_metric_arguments(define_metric_cfg)
        self._commit = commit
        self._log_code_name = log_code_name
        self._watch_kwargs = dict(watch_kwargs or {})
        self._run: Any = None
        self._config: dict[str, Any] | None = None

    @override
    def _init_env(self) -> None:
        require("wandb", type(self).__name__)

    @property
    @force_init_env
    @override
    def experiment(self) -> Any:
        """The module ``wandb``, for what this interface lacks, with a run begun."""
        import wandb

        self._begin()
        return wandb

    @property
    def _wandb(self) -> Any:
        """The module ``wandb``, by the name that subclasses know."""
        return self.experiment

    @_wandb.setter
    def _wandb(self, module: Any) -> None:
        self._run = getattr(module, "run", None) or module

    @force_init_env
    @override
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record a config as the config of the run.

        Args:
            config: The config.
            **kwargs: Ignored.
        """
        self._config = config.without_secrets()
        if self._run is not None:
            self._record_config()

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Give the run the identifier of the training, so that it goes on when that is resumed.

        Args:
            run_id: Identifier of the training.
            step: Iterations done.
            work_dir: Ignored.

        Returns:
            A line for the log, None if the training is not resumed.
        """
        if self._run is not None or {"id", "resume", "resume_from"} & set(self._init_kwargs):
            return None
        self._init_kwargs |= {"id": run_id, "resume": "allow"}
        return f"Weights & Biases goes on with the run {run_id}." if step else None

    @override
    def add_graph(self, model: Any, data_batch: Any = None, **kwargs: Any) -> None:
        """Record gradients and parameters of a model while it is trained, by ``wandb.watch``.

        Args:
            model: The model, a :class:`torch.nn.Module`.
            data_batch: Ignored. Defaults to None.
            **kwargs: Ignored.
        """
        self._begin().watch(model, **self._watch_kwargs)

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB of shape (height, width, 3), or grey of shape (height, width), of whole
                numbers from 0 to 255.
            step: Ignored: the run counts its steps itself. Defaults to 0.
            **kwargs: Ignored.

        Raises:
            TypeError: If the image holds anything but whole numbers.
            ValueError: If its shape is another, or a number is not of 0 to 255.
        """
        pixels = as_image(f"image {name!r}", image, strict=True)
        self._log({name: self.experiment.Image(pixels)})

    @override
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Record a number.

        Args:
            name: Its name.
            value: A number, or a tensor or array.
            step: Ignored: the run counts its steps itself. Defaults to 0.
            **kwargs: Ignored.
        """
        self._log({name: plain_value(value)})

    @override
    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Record numbers, as one step of the run.

        Args:
            scalar_dict: Numbers by name. A ``step`` in it is recorded as the others are.
            step: Ignored: the run counts its steps itself. Defaults to 0.
            file_path: Ignored. Defaults to None.
            **kwargs: Ignored.
        """
        self._log({name: plain_value(value) for name, value in scalar_dict.items()})

    @override
    def close(self) -> None:
        """Finish the run, if one was begun or has a config."""
        if self._config is not None:
            self._begin()
        if self._run is not None:
            self._run.finish()
            self._run = None

    def _log(self, record: dict[str, Any]) -> None:
        self._begin().log(record, commit=self._commit)

    @force_init_env
    def _begin(self) -> Any:
        """The run, begun if need be."""
        if self._run is None:
            import wandb

            # Without the directory wandb would write to one for temporary files.
            Path(self._init_kwargs["dir"]).mkdir(parents=True, exist_ok=True)
            self._run = wandb.init(**self._init_kwargs)
            for arguments in self._define_metric_cfg:
                self._run.define_metric(**arguments)
            self._record_config()
        return self._run

    def _record_config(self) -> None:
        if self._config is not None:
            config, self._config = self._config, None
            self._run.config.update(config, allow_val_change=True)
            if self._log_code_name is not None:
                self._run.log_code(name=self._log_code_name)


def _as_metric_arguments(
    given: dict[str, str] | list[dict[str, Any]] | None,
) -> list[dict[str, Any]]:
    """Arguments of each call of ``define_metric``."""
    if isinstance(given, Mapping):
        return [{"name": name, "summary": summary} for name, summary in given.items()]
    if given is None:
        return []
    if isinstance(given, list) and all(isinstance(each, Mapping) for each in given):
        return [dict(each) for each in given]
    raise ArgumentValueError(
        "define_metric_cfg must be a dict of summaries by metric, such as {'loss': 'min'}, or a "
        f"list of dicts of arguments of wandb.define_metric, not {given!r}"
    )

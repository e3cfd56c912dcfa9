"""Record to Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import ArgumentValueError, DataBatch, StateDict, override

from .backend import BaseVisBackend
from .environment import force_init_env
from .geometry import as_image
from .optional import require
from .plain import plain_value

if TYPE_CHECKING:
    from torch import nn

    from .types import Arguments, Scalar, Scalars

__all__ = ["WandbVisBackend"]


@VISBACKENDS.register_module()
class WandbVisBackend(BaseVisBackend):
    """Records to a run of Weights & Biases.

    It needs ``pip install eng-vis[wandb]``. The first record other than the config starts the run;
    a record after :meth:`close` starts another one. A resumed training continues its run, unless
    ``init_kwargs`` have an ``id`` or ``resume``.

    Args:
        save_dir: Directory of the files of the run, unless ``init_kwargs`` have a ``dir``.
        init_kwargs: Arguments of ``wandb.init``, such as ``project`` or ``mode``. Defaults to None.
        define_metric_cfg: Summaries by metric, such as ``{'coco/bbox_mAP': 'max'}``; or a list of
            dicts of arguments of ``wandb.define_metric``. Defaults to None.
        commit: Whether each record is a step of the run. If False, records are kept until
            something is logged through :attr:`experiment` with ``commit=True``, or the run ends.
            Defaults to True.
        log_code_name: Name of the code in the current directory, which is recorded with the config.
            Defaults to None, no code is recorded.
        watch_kwargs: Arguments of ``wandb.watch``, for :meth:`add_graph`. Defaults to None.

    Raises:
        ValueError: If ``define_metric_cfg`` is neither a dict nor a list of dicts.
    """

    def __init__(
        self,
        save_dir: str,
        init_kwargs: Arguments | None = None,
        define_metric_cfg: dict[str, str] | list[Arguments] | None = None,
        commit: bool | None = True,
        log_code_name: str | None = None,
        watch_kwargs: Arguments | None = None,
    ) -> None:
        super().__init__(save_dir)
        self._init_kwargs = {"dir": save_dir, **(init_kwargs or {})}
        self._define_metric_cfg = _list_metric_arguments(define_metric_cfg)
        self._commit = commit
        self._log_code_name = log_code_name
        self._watch_kwargs = dict(watch_kwargs or {})
        self._run: Any = None
        self._config: StateDict | None = None

    @override
    def _init_env(self) -> None:
        require("wandb", type(self).__name__)

    @property
    @force_init_env
    @override
    def experiment(self) -> Any:
        """The module ``wandb`` with a run started, for use beyond this interface."""
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
    def add_config(self, config: Config, **kwargs: object) -> None:
        self._config = config.without_secrets()
        if self._run is not None:
            self._record_config()

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Set the identifier of the run to that of the training, by which it is resumed.

        Args:
            run_id: Identifier of the training.
            step: Completed iterations.
            work_dir: Ignored.

        Returns:
            A line for the log, None if the training is not resumed.
        """
        if self._run is not None or {"id", "resume", "resume_from"} & set(self._init_kwargs):
            return None
        self._init_kwargs |= {"id": run_id, "resume": "allow"}
        return f"Weights & Biases resumes the run {run_id}." if step else None

    @override
    def add_graph(self, model: nn.Module, data_batch: DataBatch = None, **kwargs: object) -> None:
        """Record gradients and parameters of a model during training, by ``wandb.watch``.

        Args:
            model: The model.
            data_batch: Ignored. Defaults to None.
            **kwargs: Ignored.
        """
        self._begin().watch(model, **self._watch_kwargs)

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        pixels = as_image(f"image {name!r}", image, strict=True)
        self._log({name: self.experiment.Image(pixels)})

    @override
    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:
        self._log({name: plain_value(value)})

    @override
    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        self._log({name: plain_value(value) for name, value in scalar_dict.items()})

    @override
    def close(self) -> None:
        """Finish the run, if one was started or a config is pending."""
        if self._config is not None:
            self._begin()
        if self._run is not None:
            self._run.finish()
            self._run = None

    def _log(self, record: Arguments) -> None:
        self._begin().log(record, commit=self._commit)

    @force_init_env
    def _begin(self) -> Any:
        """Return the run, after starting it if needed."""
        if self._run is None:
            import wandb

            # If the directory is missing, wandb falls back to one for temporary files.
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


def _list_metric_arguments(given: dict[str, str] | list[Arguments] | None) -> list[Arguments]:
    """List the arguments of each call of ``define_metric``."""
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

"""A runner whose model, optimizer and checkpoints are those of a strategy."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from eng.checkpoint import MapLocation
from eng.dataset import length_of
from eng.dist import get_data_world_size, infer_launcher
from eng.fileio import merged_backend_args
from eng.hooks import CheckpointWriter
from eng.logging import MMLogger
from eng.registry import RUNNERS, STRATEGIES, DefaultScope, PartConfig, PartOrConfig
from eng.utils import StateDict, override
from eng.vis import Visualizer

from . import arguments, types
from .base_loop import BaseLoop
from .checkpointing import left_out
from .dataloader_info import samples_per_step
from .errors import RunnerAssertionError, RunnerConfigError, RunnerTypeError
from .log_processor import LogProcessor
from .parallel import join_mesh
from .random_state import RandomState
from .runner import Runner
from .strategies.base import BaseStrategy
from .strategies.run_checkpoints import load_by_strategy, resume_by_strategy, save_by_strategy
from .strategies.state import StrategyState

__all__ = ["FlexibleRunner"]

#: Where a run is unless the user says so, by which it may be the strategy that says so.
_WORK_DIR = "work_dirs"
#: Arguments that the runner of the same arguments takes.
_OF_RUNNER = {name for name in Runner.__init__.__annotations__ if name != "return"}


@RUNNERS.register_module()
class FlexibleRunner(Runner):
    """A :class:`Runner` whose model, optimizer and schedulers are prepared by a strategy.

    The strategy is asked when ``train()``, ``val()`` or ``test()`` needs them; before, ``model``
    is what was given. Checkpoints go through it as well; those of strategies that do not
    write files of their own are those of :class:`Runner`.

    Args:
        model: The model.
        work_dir: Directory for checkpoints and logs. Defaults to ``'work_dirs'``, or that of a
            strategy that is given as an object.
        experiment_name: Name of the experiment, to which the time is added. Defaults to None.
        train_dataloader: Data of training. Defaults to None.
        optim_wrapper: The optimizer wrapper. Defaults to None.
        param_scheduler: Schedules of learning rate and such. Defaults to None.
        train_cfg: The training loop. Defaults to None.
        val_dataloader: Data of validation. Defaults to None.
        val_evaluator: Metrics of validation. Defaults to None.
        val_cfg: The validation loop. Defaults to None.
        test_dataloader: Data of testing. Defaults to None.
        test_evaluator: Metrics of testing. Defaults to None.
        test_cfg: The test loop. Defaults to None.
        strategy: The strategy, or its config with ``type``. Defaults to None:
            ``SingleDeviceStrategy``, or ``DDPStrategy`` with a launcher.
        auto_scale_lr: ``enable`` and ``base_batch_size``. Defaults to None.
        default_hooks: Changes of the default hooks by name. Defaults to None.
        custom_hooks: More hooks. Defaults to None.
        data_preprocessor: Config of what prepares batches. Defaults to None.
        load_from: Checkpoint to start from. Defaults to None.
        resume: As for :class:`Runner`, or the path of the checkpoint to resume from. Defaults to
            False.
        launcher: The launcher of several processes. Defaults to None, told by the environment
            variables of torchrun, Slurm or MPI.
        env_cfg: Settings of processes and libraries.
        log_processor: The log processor. Defaults to None.
        log_level: Level of the log. Defaults to ``'INFO'``.
        visualizer: Where curves go. Defaults to None: files in the work directory.
        default_scope: Scope in which names are looked up first. Defaults to ``'mmengine'``, which
            means ``'eng'``, as does None.
        randomness: ``seed``, ``deterministic`` and ``diff_rank_seed``. Defaults to a seed drawn.
        compile: Whether the model is compiled, or arguments of :func:`torch.compile` with
            ``target``, see :meth:`BaseStrategy.compile_model`. Defaults to False.
        cfg: The config that all this comes from. Defaults to None.

    Attributes:
        strategy: The strategy.

    Raises:
        RunnerConfigError: As of :class:`Runner`; if ``strategy`` or ``compile`` is of another type,
            or both ``load_from`` and a path to resume from are given.
    """

    def __init__(
        self,
        model: PartOrConfig[nn.Module],
        *,
        work_dir: str = _WORK_DIR,
        experiment_name: str | None = None,
        train_dataloader: types.LoaderOrConfig | None = None,
        optim_wrapper: types.OptimizerOrConfig | None = None,
        param_scheduler: types.SchedulersOrConfigs | None = None,
        train_cfg: PartOrConfig[BaseLoop] | None = None,
        val_dataloader: types.LoaderOrConfig | None = None,
        val_evaluator: types.EvaluatorOrConfig | None = None,
        val_cfg: PartOrConfig[BaseLoop] | None = None,
        test_dataloader: types.LoaderOrConfig | None = None,
        test_evaluator: types.EvaluatorOrConfig | None = None,
        test_cfg: PartOrConfig[BaseLoop] | None = None,
        strategy: PartOrConfig[BaseStrategy] | None = None,
        auto_scale_lr: types.Settings | None = None,
        default_hooks: types.HooksByName | None = None,
        custom_hooks: types.Hooks | None = None,
        data_preprocessor: PartOrConfig[nn.Module] | None = None,
        load_from: str | None = None,
        resume: bool | str = False,
        launcher: str | None = None,
        env_cfg: types.Settings = {"dist_cfg": {"backend": "nccl"}},  # noqa: B006 - never changed
        log_processor: PartOrConfig[LogProcessor] | None = None,
        log_level: int | str = "INFO",
        visualizer: PartOrConfig[Visualizer] | None = None,
        default_scope: str | None = "mmengine",
        randomness: types.Settings | None = {"seed": None},  # noqa: B006 - never changed
        compile: bool | types.Settings = False,
        cfg: types.RunConfig | None = None,
    ) -> None:
        passed_on: Any = {name: value for name, value in locals().items() if name in _OF_RUNNER}
        _check_strategy(strategy)
        _check_compile(compile)
        arguments.check_resume(load_from, resume)
        self._compile, self._trains, self._has_model = compile, False, False
        self._resume_path = resume if isinstance(resume, str) and resume != "auto" else None
        self._given = (strategy, default_scope, log_level)
        passed_on["resume"] = False if self._resume_path else resume
        passed_on["launcher"] = infer_launcher() if launcher is None else launcher
        super().__init__(**passed_on)

    @classmethod
    @override
    def from_cfg(cls, cfg: types.RunConfig) -> FlexibleRunner:
        """Make a runner out of a config whose keys are arguments of the class.

        Args:
            cfg: The config. Other keys are allowed as well, as variables of its own.

        Returns:
            The runner.

        Raises:
            RunnerConfigError: If ``model`` is missing. Warns of a key that looks like a misspelt
                argument.
        """
        cfg = copy.deepcopy(cfg)
        return cls(**arguments.given_arguments(cfg, _ARGUMENTS, required=("model",)), cfg=cfg)

    def build_strategy(
        self,
        strategy: PartOrConfig[BaseStrategy] | None = None,
        launcher: str = "none",
        randomness: types.Settings | None = None,
        env_cfg: types.Settings = {"dist_cfg": {"backend": "nccl"}},  # noqa: B006 - never changed
        experiment_name: str | None = None,
        log_level: int | str | None = None,
        *,
        work_dir: str | None = None,
    ) -> BaseStrategy:
        """Build a strategy.

        Args:
            strategy: The strategy, which is returned as it is, or its config. Defaults to None:
                ``SingleDeviceStrategy`` without a launcher, else ``DDPStrategy``.
            launcher: The launcher of the processes. Defaults to ``'none'``.
            randomness: Settings of the seeds. Defaults to None, a seed drawn.
            env_cfg: Settings of processes and libraries.
            experiment_name: Name of the experiment. Defaults to None.
            log_level: Level of the log. Defaults to None, ``'INFO'``.
            work_dir: Directory for checkpoints and logs. Defaults to None, that of the runner.

        Returns:
            The strategy.

        Raises:
            RunnerConfigError: If it is neither.
        """
        _check_strategy(strategy)
        if isinstance(strategy, BaseStrategy):
            return strategy
        if strategy is None:
            strategy = {"type": "SingleDeviceStrategy" if launcher == "none" else "DDPStrategy"}
        cfg = dict(strategy)
        environment = {"launcher": launcher, "randomness": randomness or {"seed": None}, **env_cfg}
        cfg["env_kwargs"] = {**environment, **(cfg.get("env_kwargs") or {})}
        defaults = {
            "work_dir": work_dir or self.work_dir,
            "experiment_name": experiment_name,
            "log_kwargs": {"log_level": log_level or "INFO"},
            "auto_scale_lr": self.auto_scale_lr,
        }
        return STRATEGIES.build(cfg, default_args=defaults)

    # ------------------------------------------------------------------ the strategy's part

    @override
    def _set_up_environment(self, work_dir: str, name: str | None, env_cfg: types.Settings) -> None:
        """Let the strategy join the other processes, seed, and name the run."""
        if self.cfg.get("parallel") is not None:
            raise RunnerConfigError(
                "parallel and the strategy of FlexibleRunner both say how the model is spread over "
                "processes: remove parallel, or use runner_type='Runner'"
            )
        self._random_state = RandomState()
        strategy, scope, log_level = self._given
        if name is None and self.cfg.filename:
            name = Path(self.cfg.filename).stem
        with DefaultScope.overwrite_default_scope(scope):
            self.strategy = self.build_strategy(
                strategy,
                self.launcher,
                self._environment.randomness,
                env_cfg,
                name,
                log_level,
                work_dir=work_dir,
            )
        if self.strategy is strategy:
            self._check_is_new(strategy)
            if work_dir != _WORK_DIR:
                strategy.move_to(work_dir)
        self.strategy.follow(self.cfg)
        join_mesh(self.cfg)  # that of another runner is none of this one
        self._environment, self._identity = self.strategy.environment, self.strategy.identity

    def _check_is_new(self, strategy: BaseStrategy) -> None:
        if strategy.is_driven or strategy.model is not None:
            raise RunnerConfigError(
                f"this {type(strategy).__name__} has prepared a model or serves another runner "
                "already: make one for each run, or give its config"
            )

    @override
    def _set_up_services(self, *args: Any, **kwargs: Any) -> None:
        super()._set_up_services(*args, **kwargs)
        del self.meta["mmengine_version"]
        self.meta["mmengine"] = self.strategy.version

    @override
    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        self.strategy.set_randomness(seed, diff_rank_seed, deterministic)
        self._environment = self.strategy.environment

    @override
    def build_logger(
        self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        return self.strategy.build_logger(log_level, log_file, **kwargs)

    @override
    def build_model(self, model: PartOrConfig[nn.Module]) -> nn.Module:
        """Keep a model, or its config, until the strategy is to prepare it."""
        return model  # type: ignore[return-value]

    @override
    def wrap_model(self, model_wrapper_cfg: PartConfig | None, model: nn.Module) -> nn.Module:
        """Keep a model: it is the strategy that wraps it."""
        return model

    @property
    @override
    def model_name(self) -> str:
        """Name of the class of the model, also before it is built."""
        given: object = self.model
        if isinstance(given, Mapping):
            kind = given.get("type")
            return kind if isinstance(kind, str) else getattr(kind, "__name__", "")
        return super().model_name

    @override
    def train(self) -> nn.Module:
        self._trains = True
        return super().train()

    @override
    def _ready(self) -> nn.Module:
        """Let the strategy prepare the model, and for training all parts."""
        if self._trains and self._loops.train:
            self._prepare_training()
        elif not self._has_model:
            self._prepare()
        return self.model

    @override
    def _prepare_training(self) -> None:
        if self._is_prepared:
            return
        self.strategy.check_hooks(self.hooks)
        given: dict[str, Any] = {"dispatch_kwargs": _RunSizes(self)}
        given["optim_wrapper"] = self.optim_wrapper
        if self.param_schedulers is not None:
            given["param_scheduler"] = self.param_schedulers
        self._prepare(**given)
        self._is_prepared = True

    def _prepare(self, **given: Any) -> None:
        """Let the strategy prepare the model and further parts, in the order of :class:`Runner`.

        The order decides what draws which random numbers: the model, then the data; in several
        processes, initial values before the data.
        """
        if not self._has_model:
            self.model = self.strategy.build_model(self.model)
        if given and not self.strategy.needs_processes:
            _ = self.train_loop
        model, *parts = self.strategy.prepare(self.model, compile=self._compile, **given)
        if not self._has_model:
            self.model, self._has_model = model, True
        if given:
            self.optim_wrapper = parts[0]
            self.optim_wrapper.message_hub = self.message_hub
            if "param_scheduler" in given:
                self.param_schedulers = parts[1]
            _ = self.train_loop

    # ------------------------------------------------------------------ checkpoints

    @property
    def checkpoint_format(self) -> str | None:
        """``'file'`` or ``'folder'``, if the strategy has only one of them."""
        return self.strategy.checkpoint_format

    @override
    def load_or_resume(self) -> None:
        if self._resume_path is not None and not self._loaded:
            self.resume(self._resume_path)
        super().load_or_resume()

    @override
    def load_checkpoint(
        self,
        filename: str,
        map_location: MapLocation = "cpu",
        strict: bool = False,
        revise_keys: list[tuple[str, str]] = [("^module.", "")],  # noqa: B006 - never changed
    ) -> StateDict:
        self._ready()
        if not self._is_overridden("load_checkpoint"):
            return super().load_checkpoint(filename, map_location, strict, revise_keys)
        self._loaded = True
        return load_by_strategy(self, self.strategy, filename, map_location, strict, revise_keys)

    @override
    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: MapLocation = "default",
    ) -> None:
        if not self._loops.train:
            self._ready()
        if not (self._is_overridden("resume") or self._is_overridden("load_checkpoint")):
            super().resume(filename, resume_optimizer, resume_param_scheduler, map_location)
            return
        if self._loops.train:
            self._prepare_training()
        self.is_resuming = self._loaded = True
        skipped = left_out(resume_optimizer, resume_param_scheduler)
        resume_by_strategy(self, self.strategy, filename, map_location, skipped)

    @override
    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: types.StorageSettings | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: StateDict | None = None,
        by_epoch: bool = True,
        backend_args: types.StorageSettings | None = None,
        *,
        writer: CheckpointWriter | None = None,
    ) -> None:
        storage = merged_backend_args("save_checkpoint", file_client_args, backend_args)
        if not self._is_overridden("save_checkpoint"):
            super().save_checkpoint(
                out_dir,
                filename,
                save_optimizer=save_optimizer,
                save_param_scheduler=save_param_scheduler,
                meta=meta,
                by_epoch=by_epoch,
                backend_args=storage,
                writer=writer,
            )
            return
        skipped = left_out(save_optimizer, save_param_scheduler)
        place = (out_dir, filename)
        with self.strategy.writing(storage, writer):
            save_by_strategy(self, self.strategy, place, meta or {}, by_epoch, skipped)

    def _is_overridden(self, name: str) -> bool:
        """Whether the strategy handles files in a way of its own."""
        strategy = self.strategy
        return getattr(strategy, name) != getattr(StrategyState, name).__get__(strategy)


class _RunSizes(Mapping[str, Any]):
    """``dispatch_kwargs`` of a run, whose training loop is built when one is first read."""

    _NAMES = (
        "epoch_length",
        "max_epochs",
        "max_iters",
        "train_micro_batch_size_per_gpu",
        "dataloader",
    )

    def __init__(self, runner: FlexibleRunner) -> None:
        self._runner = runner

    @override
    def __getitem__(self, name: str) -> Any:
        if name not in self._NAMES:
            raise KeyError(name)
        if name in ("max_epochs", "max_iters"):
            return getattr(self._runner.train_loop, name)
        loader = self._runner.train_dataloader
        if name == "dataloader":
            return loader
        if name == "epoch_length":
            return length_of(loader)
        return samples_per_step(loader) // get_data_world_size()

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMES)

    @override
    def __len__(self) -> int:
        return len(self._NAMES)


def _check_strategy(strategy: object) -> None:
    if strategy is not None and not isinstance(strategy, (Mapping, BaseStrategy)):
        raise RunnerAssertionError(
            "strategy must be a dict such as dict(type='DDPStrategy'), or a strategy, not "
            f"{strategy!r}"
        )
    if isinstance(strategy, Mapping) and "type" not in strategy:
        raise RunnerAssertionError(f"strategy needs a 'type'; it has {sorted(strategy)}")


def _check_compile(compile: object) -> None:
    if not isinstance(compile, (bool, Mapping)):
        raise RunnerTypeError(
            "compile must be True, False or a dict of arguments of torch.compile, perhaps with "
            f"'target', not {compile!r}"
        )


_ARGUMENTS = [
    name for name in FlexibleRunner.__init__.__annotations__ if name not in ("return", "cfg")
]

"""Interface of all strategies, with the environment and the parts that they share."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from torch import nn

from eng.dist import is_distributed
from eng.dl_utils import collect_env
from eng.hooks import Hook
from eng.logging import MMLogger
from eng.optim import BaseOptimWrapper, OptimWrapper, OptimWrapperDict
from eng.registry import PartOrConfig
from eng.utils import override

from .. import builders, services
from ..environment import Environment, seed_run, setup_environment
from ..errors import RunnerConfigError, RunnerTypeError
from ..identity import RunIdentity
from ..model_features import compile_target
from ..types import OptimizerOrConfig, Schedulers, SchedulersOrConfigs, Settings
from .sizes import TrainingSizes
from .state import StrategyState

__all__ = ["BaseStrategy", "Prepared"]

#: Prepared parts: the model, and as far as they were given, optimizer wrapper and schedulers.
Prepared: TypeAlias = "list[Any]"


class BaseStrategy(StrategyState):
    """Prepares model, optimizer and schedulers for the devices of a run, and keeps their state.

    :class:`eng.runner.FlexibleRunner` uses one; without a runner, it serves a loop of one's own.

    Args:
        work_dir: Directory for checkpoints and logs. Defaults to ``'work_dirs'``.
        experiment_name: Name of the experiment, to which the time is added. Defaults to None.
        env_kwargs: ``launcher``, ``randomness`` (arguments of
            :meth:`eng.runner.Runner.set_randomness`), ``cudnn_benchmark``, ``mp_cfg``, ``dist_cfg``
            and ``resource_limit``. Defaults to None: one process, and a seed drawn.
        log_kwargs: Arguments of :meth:`build_logger`. Defaults to None.
        auto_scale_lr: ``enable`` and ``base_batch_size``: whether learning rates, meant for this
            batch size, are scaled to the real one. Defaults to None.
    """

    #: Whether the strategy needs the processes of a launcher.
    needs_processes = False

    def __init__(
        self,
        *,
        work_dir: str = "work_dirs",
        experiment_name: str | None = None,
        env_kwargs: Settings | None = None,
        log_kwargs: Settings | None = None,
        auto_scale_lr: Settings | None = None,
    ) -> None:
        super().__init__()
        self.auto_scale_lr = auto_scale_lr
        self._env_kwargs = copy.deepcopy(dict(env_kwargs or {}))
        self._log_kwargs = dict(log_kwargs or {})
        self._logger: MMLogger | None = None
        self._sizes = TrainingSizes()
        self._join_processes(work_dir, experiment_name)

    def _join_processes(self, work_dir: str, experiment_name: str | None) -> None:
        settings = dict(self._env_kwargs)
        launcher = self._choose_launcher(settings.pop("launcher", None) or "none")
        randomness = {"seed": None, **(settings.pop("randomness", None) or {})}
        settings["dist_cfg"] = {"backend": None, **(settings.get("dist_cfg") or {})}
        setup_environment(settings, launcher)
        self._environment = Environment(launcher=launcher, randomness=randomness).present()
        self._identity = RunIdentity.create(work_dir, experiment_name, None).shared()
        self.set_randomness(**randomness)

    def _choose_launcher(self, launcher: str) -> str:
        """Return the launcher of the processes; without one, a group that exists will do."""
        if launcher != "none" or not self.needs_processes:
            return launcher
        if not is_distributed():
            raise RunnerConfigError(
                f"{type(self).__name__} needs the processes of a launcher: start the script by "
                "torchrun --nproc_per_node=N, with launcher='pytorch'"
            )
        return "pytorch"

    def set_randomness(
        self, seed: int | None = None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all random number generators.

        Args:
            seed: The seed. Defaults to None: one is drawn.
            diff_rank_seed: Whether each process adds its rank. Defaults to False.
            deterministic: Whether only deterministic algorithms are used. Defaults to False.
        """
        seed = seed_run(seed, deterministic, diff_rank_seed)
        self._environment = self._environment.with_seed(seed, deterministic, diff_rank_seed)

    def check_hooks(self, hooks: Sequence[Hook]) -> None:
        """Refuse hooks of a run that do not go with the strategy, before training.

        Args:
            hooks: The hooks.

        Raises:
            RunnerConfigError: If there are such hooks.
        """

    def move_to(self, work_dir: str) -> None:
        """Choose another work directory, before anything is written.

        Args:
            work_dir: Directory for checkpoints and logs.
        """
        folder = str(Path(work_dir).expanduser().absolute())
        self._identity = replace(self._identity, work_dir=folder)

    @abstractmethod
    def prepare(
        self,
        model: PartOrConfig[nn.Module],
        *,
        optim_wrapper: OptimizerOrConfig | None = None,
        param_scheduler: SchedulersOrConfigs | None = None,
        compile: bool | Settings = False,
        dispatch_kwargs: Settings | None = None,
    ) -> Prepared:
        """Build the parts of training, and make them ready for the devices of the run.

        Args:
            model: The model, or its config.
            optim_wrapper: The optimizer wrapper, or its config. Defaults to None.
            param_scheduler: Schedulers, or their configs. Defaults to None.
            compile: Whether the model is compiled, see :meth:`compile_model`. Defaults to False.
            dispatch_kwargs: ``epoch_length``, ``max_epochs``, ``max_iters`` and
                ``train_micro_batch_size_per_gpu``. Defaults to None.

        Returns:
            The prepared parts, in this order. A second call returns the same.

        Raises:
            RunnerConfigError: If gradients are accumulated, but ``max_iters`` is missing. It is a
                :class:`ValueError`.
        """

    def _init_weights(self, model: nn.Module) -> None:
        initialize = getattr(model, "init_weights", None)
        if initialize is not None:
            initialize()

    def _finish_preparing(self, param_scheduler: SchedulersOrConfigs | None) -> Prepared:
        """Build schedulers for the optimizer, and list all parts that are prepared."""
        if param_scheduler is not None and self.param_schedulers is None:
            if self.optim_wrapper is None:
                raise RunnerConfigError("param_scheduler needs an optim_wrapper that it schedules")
            schedulers = self.build_param_scheduler(param_scheduler, self.optim_wrapper)
            self.param_schedulers = schedulers
        parts = [self.model, self.optim_wrapper, self.param_schedulers]
        return [part for part in parts if part is not None]

    # ------------------------------------------------------------------ building

    def build_model(self, model: PartOrConfig[nn.Module]) -> nn.Module:
        """Build a model.

        Args:
            model: The model, which is returned as it is, or its config.

        Returns:
            The model.
        """
        return builders.build_model(model)

    def compile_model(
        self,
        model: nn.Module,
        compile: bool | Settings = True,
    ) -> nn.Module:
        """Compile a part of a model.

        Args:
            model: The model.
            compile: Whether to, or a dict of arguments of :func:`torch.compile`, perhaps with
                ``target``: ``'forward'`` (the default), another method such as ``'train_step'``,
                or dotted names of blocks.

        Returns:
            The same model.

        Raises:
            RunnerTypeError: If it is neither.
        """
        if not isinstance(compile, (bool, dict)):
            raise RunnerTypeError(
                "compile must be True, False or a dict of arguments of torch.compile, perhaps with "
                f"'target', not {compile!r}"
            )
        if compile is not False:
            settings = {} if compile is True else compile
            compile_target(model, {"target": "forward", **settings})
        return model

    def build_optim_wrapper(
        self, optim_wrapper: OptimizerOrConfig, model: nn.Module | None = None
    ) -> BaseOptimWrapper:
        """Build an optimizer wrapper.

        Args:
            optim_wrapper: As for :meth:`eng.runner.Runner.build_optim_wrapper`.
            model: The model whose parameters are updated. Defaults to None, the prepared one.

        Returns:
            The wrapper.
        """
        return builders.build_optim_wrapper(self.model if model is None else model, optim_wrapper)

    def build_param_scheduler(
        self,
        scheduler: SchedulersOrConfigs,
        optim_wrapper: OptimWrapper,
        default_args: Settings | None = None,
    ) -> Schedulers:
        """Build parameter schedulers.

        Args:
            scheduler: As for :meth:`eng.runner.Runner.build_param_scheduler`.
            optim_wrapper: The wrapper whose settings are scheduled.
            default_args: ``epoch_length``, ``max_epochs`` and ``max_iters``. Defaults to None,
                those of :meth:`prepare`.

        Returns:
            The schedulers; with several optimizers, by name.
        """
        sizes = self._sizes if default_args is None else TrainingSizes(default_args)
        return builders.build_param_scheduler(scheduler, optim_wrapper, sizes)

    def build_logger(
        self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger of a run.

        Args:
            log_level: Its level. Defaults to ``'INFO'``.
            log_file: Its file. Defaults to None, named by the time in :attr:`log_dir`.
            **kwargs: Further arguments of :class:`eng.logging.MMLogger`.

        Returns:
            The logger.
        """
        self._identity.make_folders()
        self._logger = services.build_logger(self._identity, log_level, log_file, **kwargs)
        return self._logger

    def collect_env(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Collect what a log says of the environment.

        Returns:
            Machine and libraries, and the settings of the run.
        """
        settings = {
            **{key: self._env_kwargs[key] for key in self._env_kwargs if key != "randomness"},
            **self.randomness,
            "seed": self.seed,
            "launcher": self.launcher,
            "distributed": self.distributed,
            "world_size": self.world_size,
        }
        return collect_env(), settings

    # ------------------------------------------------------------------ for prepare()

    def _scale_learning_rate(self, optim_wrapper: Any) -> None:
        if not (self.auto_scale_lr and self.auto_scale_lr.get("enable", False)):
            return
        loader = self._sizes.dataloader
        builders.scale_learning_rate(optim_wrapper, self.auto_scale_lr, loader)

    def _count_iterations(self, optim_wrapper: BaseOptimWrapper, model: nn.Module) -> None:
        """Prepare the accumulation of gradients, whose last cycle ends with the training."""
        wrappers: list[Any] = [optim_wrapper]
        if isinstance(optim_wrapper, OptimWrapperDict):
            wrappers = list(optim_wrapper.values())
        for each in wrappers:
            if getattr(each, "_accumulative_counts", 1) == 1:
                continue
            if not self._sizes.has_end:
                raise RunnerConfigError(
                    f"gradients are accumulated over {each._accumulative_counts} iterations: set "
                    "'max_iters' in dispatch_kwargs, so that the last cycle ends with the training"
                )
            if not self.is_driven:  # the loop of a runner does
                each.initialize_count_status(model, 0, self._sizes.max_iters)

    # ------------------------------------------------------------------ properties

    @property
    @override
    def logger(self) -> MMLogger:
        """The logger, built when it is first used."""
        return self._logger or self.build_logger(**self._log_kwargs)

    @property
    @override
    def work_dir(self) -> str:
        """Directory for checkpoints and logs."""
        return self._identity.work_dir

    @property
    def log_dir(self) -> str:
        """Folder of the work directory for the logs of this start."""
        return self._identity.log_dir

    @property
    def experiment_name(self) -> str:
        """Name of the experiment, with the time."""
        return self._identity.experiment_name

    @property
    def timestamp(self) -> str:
        """Time at which the strategy was created, as text."""
        return self._identity.timestamp

    @property
    def launcher(self) -> str:
        """The launcher of the processes, ``'none'`` for a single one."""
        return self._environment.launcher

    @property
    def distributed(self) -> bool:
        """Whether there are several processes."""
        return self._environment.distributed

    @property
    def rank(self) -> int:
        """Rank of this process."""
        return self._environment.rank

    @property
    def world_size(self) -> int:
        """Number of processes."""
        return self._environment.world_size

    @property
    @override
    def seed(self) -> int:
        """The seed of all random number generators, without the rank."""
        return self._environment.seed

    @property
    def randomness(self) -> Settings:
        """``seed``, ``diff_rank_seed`` and ``deterministic``."""
        return self._environment.randomness

    @property
    def environment(self) -> Environment:
        """Processes and seeds."""
        return self._environment

    @property
    def identity(self) -> RunIdentity:
        """Names and folders."""
        return self._identity

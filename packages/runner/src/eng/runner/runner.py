"""The runner: it builds the parts of a run, connects them and lets them go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from eng.checkpoint import find_latest_checkpoint
from eng.config import Config, ConfigError
from eng.device import get_device
from eng.dist import (
    explain_failures,
    get_dist_info,
    master_only,
)
from eng.dl_utils import collect_env
from eng.evaluator import Evaluator
from eng.fileio import merged_backend_args
from eng.hooks import Hook, Priority
from eng.logging import MessageHub, MMLogger
from eng.model import is_model_wrapper
from eng.optim import OptimWrapper
from eng.registry import (
    HOOKS,
    LOG_PROCESSORS,
    RUNNERS,
    VISUALIZERS,
    DefaultScope,
)
from eng.vis import Visualizer

from . import run_names
from .arguments import check_keys, check_loops, check_together, with_preprocessor
from .base_loop import BaseLoop
from .checkpointing import load_weights, resume_run, save_run
from .data_position import samples_per_step
from .dataloader_builder import build_dataloader
from .environment import set_random_seed, setup_environment
from .errors import RunnerConfigError
from .hook_list import HookList
from .log_processor import LogProcessor
from .loop_builder import build_eval_loop, build_evaluator, build_train_loop
from .model_builder import build_model, wrap_for_processes
from .optim_builder import build_schedulers, build_wrapper, scale_learning_rate
from .run_properties import RunProperties

__all__ = ["Runner"]

ConfigLike = dict[str, Any] | Config
DEFAULT_HOOKS: dict[str, dict[str, Any]] = {
    "runtime_info": {"type": "RuntimeInfoHook"},
    "timer": {"type": "IterTimerHook"},
    "sampler_seed": {"type": "DistSamplerSeedHook"},
    "logger": {"type": "LoggerHook"},
    "param_scheduler": {"type": "ParamSchedulerHook"},
    "checkpoint": {"type": "CheckpointHook", "interval": 1},
}


@RUNNERS.register_module()
class Runner(RunProperties):
    """Trains, validates and tests a model as configs say.

    Every part is given as a config or as the object itself. The model is built at once, everything
    else when :meth:`train`, :meth:`val` or :meth:`test` needs it.

    Args:
        model: The model.
        work_dir: Directory for checkpoints; each start logs into a folder of its own in it.
        train_dataloader: Data of training. Defaults to None: the runner cannot train.
        val_dataloader: Data of validation. Defaults to None.
        test_dataloader: Data of testing. Defaults to None.
        train_cfg: The training loop: ``by_epoch`` with ``max_epochs`` or ``max_iters`` and
            ``val_interval``, or a ``type``. Defaults to None.
        val_cfg: The validation loop, ``dict()`` for :class:`ValLoop`. Defaults to None.
        test_cfg: The test loop, ``dict()`` for :class:`TestLoop`. Defaults to None.
        auto_scale_lr: ``enable`` and ``base_batch_size``: whether learning rates, meant for this
            batch size, are scaled to the real one. Defaults to None.
        optim_wrapper: What updates the parameters. Defaults to None.
        param_scheduler: Schedules of learning rate and such, one or a list. Defaults to None.
        val_evaluator: Metrics of validation. Defaults to None.
        test_evaluator: Metrics of testing. Defaults to None.
        default_hooks: Changes of the default hooks by name; None drops one. Defaults to None.
        custom_hooks: More hooks. Defaults to None.
        data_preprocessor: Config of what prepares batches, for a model config without one.
            Defaults to None.
        load_from: Checkpoint to begin with, or, with ``resume``, to go on from. Defaults to None.
        resume: Whether to go on with the latest checkpoint in the work directory, or with
            ``load_from``. Without any the run begins anew. Defaults to False.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``: what started several
            processes. Defaults to ``'none'``.
        env_cfg: Settings of processes and libraries. Defaults to the backend ``nccl``, which on a
            machine without GPUs gives way to that of its device.
        log_processor: What makes lines of the log. Defaults to None.
        log_level: Level of the log. Defaults to ``'INFO'``.
        visualizer: Where curves go. Defaults to None: files in the work directory.
        default_scope: Scope in which names are looked up first. Defaults to ``'mmengine'``, which
            means ``'eng'``.
        randomness: ``seed``, ``deterministic`` and ``diff_rank_seed``. Defaults to a seed drawn.
        experiment_name: Name of the experiment. Defaults to None: the config's name and the time.
        cfg: The config that all this comes from. Defaults to None.

    Raises:
        RunnerConfigError: If settings that belong together are not there together, or one is of a
            kind that it cannot be.

    Examples:
        >>> import torch
        >>> from eng.model import BaseModel
        >>> from eng.registry import DATASETS, MODELS
        >>> @MODELS.register_module()
        ... class Line(BaseModel):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.net = nn.Linear(1, 1)
        ...
        ...     def forward(self, inputs, data_samples=None, mode='tensor'):
        ...         return {'loss': (self.net(inputs) - data_samples).square()}
        >>> @DATASETS.register_module()
        ... def doubled():
        ...     return [dict(inputs=torch.tensor([x]), data_samples=2 * x) for x in (1.0, 2.0)]
        >>> runner = Runner.from_cfg(Config(dict(
        ...     model=dict(type='Line'),
        ...     work_dir='runs/line',
        ...     train_dataloader=dict(
        ...         batch_size=2,
        ...         dataset=dict(type='doubled'),
        ...         sampler=dict(type='DefaultSampler'),
        ...         collate_fn=dict(type='default_collate')),
        ...     train_cfg=dict(by_epoch=True, max_epochs=3),
        ...     optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)))))
        >>> model = runner.train()
        >>> runner.epoch, runner.iter
        (3, 3)
    """

    def __init__(
        self,
        model: nn.Module | dict[str, Any],
        work_dir: str,
        train_dataloader: DataLoader | dict[str, Any] | None = None,
        val_dataloader: DataLoader | dict[str, Any] | None = None,
        test_dataloader: DataLoader | dict[str, Any] | None = None,
        train_cfg: dict[str, Any] | None = None,
        val_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        auto_scale_lr: dict[str, Any] | None = None,
        optim_wrapper: OptimWrapper | dict[str, Any] | None = None,
        param_scheduler: Any = None,
        val_evaluator: Any = None,
        test_evaluator: Any = None,
        default_hooks: dict[str, Hook | dict[str, Any]] | None = None,
        custom_hooks: list[Hook | dict[str, Any]] | None = None,
        data_preprocessor: nn.Module | dict[str, Any] | None = None,
        load_from: str | None = None,
        resume: bool = False,
        launcher: str = "none",
        env_cfg: dict[str, Any] = {"dist_cfg": {"backend": "nccl"}},  # noqa: B006 - never changed
        log_processor: LogProcessor | dict[str, Any] | None = None,
        log_level: int | str = "INFO",
        visualizer: Visualizer | dict[str, Any] | None = None,
        default_scope: str = "mmengine",
        randomness: dict[str, Any] = {"seed": None},  # noqa: B006 - never changed
        experiment_name: str | None = None,
        cfg: ConfigLike | None = None,
    ) -> None:
        self._work_dir = str(Path(work_dir).expanduser().absolute())
        Path(self._work_dir).mkdir(parents=True, exist_ok=True)
        self.cfg = (
            Config(copy.deepcopy(cfg) if isinstance(cfg, dict) else {})
            if not isinstance(cfg, Config)
            else copy.deepcopy(cfg)
        )
        check_together(
            "train",
            train_dataloader=train_dataloader,
            train_cfg=train_cfg,
            optim_wrapper=optim_wrapper,
        )
        check_together(
            "val", val_dataloader=val_dataloader, val_cfg=val_cfg, val_evaluator=val_evaluator
        )
        check_together(
            "test",
            test_dataloader=test_dataloader,
            test_cfg=test_cfg,
            test_evaluator=test_evaluator,
        )
        check_loops(train_cfg=train_cfg, val_cfg=val_cfg, test_cfg=test_cfg)
        if param_scheduler is not None and optim_wrapper is None:
            raise RunnerConfigError(
                "param_scheduler needs an optim_wrapper whose settings it schedules"
            )
        self._train_dataloader = train_dataloader
        self._train_loop: Any = train_cfg
        self._val_dataloader = val_dataloader
        self._val_loop: Any = val_cfg
        self._test_dataloader = test_dataloader
        self._test_loop: Any = test_cfg
        self._val_evaluator, self._test_evaluator = val_evaluator, test_evaluator
        self.auto_scale_lr = auto_scale_lr
        self.optim_wrapper: Any = optim_wrapper
        self.param_schedulers: Any = param_scheduler

        self._launcher = launcher
        self._distributed = setup_environment(env_cfg, launcher)
        self._rank, self._world_size = get_dist_info()
        self._randomness_cfg = dict(randomness)
        self.set_randomness(**self._randomness_cfg)
        self._timestamp = run_names.shared_timestamp(self._work_dir)
        self._experiment_name = experiment_name or run_names.experiment_name(
            self.cfg.filename, self._timestamp
        )
        self._instance_name = run_names.unused_instance_name(self._experiment_name)
        self._log_dir = str(Path(self._work_dir) / self._timestamp)
        Path(self._log_dir).mkdir(parents=True, exist_ok=True)

        self.default_scope = DefaultScope.get_instance(
            self._instance_name, scope_name=default_scope
        )
        self.logger = self.build_logger(log_level=log_level)
        self.log_processor = self.build_log_processor(log_processor or {})
        self._log_environment(env_cfg)
        self.message_hub = self.build_message_hub()
        self.visualizer = self.build_visualizer(visualizer)
        self.visualizer.add_config(self.cfg)
        self._load_from, self._resume = load_from, bool(resume)
        self._loaded = False
        self._weights_are_initialized = False
        self.is_resuming = False
        self.model = self.wrap_model(
            self.cfg.get("model_wrapper_cfg"),
            self.build_model(with_preprocessor(model, data_preprocessor)),
        )
        self.meta = {
            "cfg": self.cfg.pretty_text,
            "seed": self._seed,
            "experiment_name": self._experiment_name,
        }
        self._hooks = HookList()
        self.register_hooks(default_hooks, custom_hooks)
        self.logger.info(f"Hooks are run in this order:\n{self._hooks.describe()}")
        self.dump_config()

    @classmethod
    def from_cfg(cls, cfg: ConfigLike) -> Runner:
        """Make a runner out of a config whose keys are arguments of the class.

        Args:
            cfg: The config. Other keys may stand in it as well, as variables of its own.

        Returns:
            The runner.

        Raises:
            RunnerConfigError: If ``model`` or ``work_dir`` is missing, or a key looks like one of
                the arguments misspelt.
        """
        cfg = copy.deepcopy(cfg)
        check_keys(cfg, _ARGUMENTS)
        known = {name: cfg[name] for name in _ARGUMENTS if name in cfg}
        if known.get("env_cfg") is None:
            known.pop("env_cfg", None)
        return cls(**known, cfg=cfg)

    # ------------------------------------------------------------------ running

    def train(self) -> nn.Module:
        """Train, from the beginning or from where a checkpoint was saved.

        Returns:
            The model.

        Raises:
            RunnerConfigError: If the runner has no training loop, or the model cannot be trained.
        """
        if self._train_loop is None:
            raise RunnerConfigError("to train, give train_dataloader, train_cfg and optim_wrapper")
        self._need_step("train_step")
        if self._val_loop is not None:
            self._need_step("val_step")
        loop = self.train_loop
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        self.scale_lr(self.optim_wrapper, self.auto_scale_lr)
        if self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        _ = self.val_loop  # built now, so that what is wrong with it shows before training
        self._init_weights(self._bare_model)
        self.call_hook("before_run")
        self.load_or_resume()
        if not self._has_several_optimizers:
            self.optim_wrapper.initialize_count_status(self.model, loop.iter, loop.max_iters)
        with explain_failures("training"):
            model = loop.run()
        self.call_hook("after_run")
        return model

    def val(self) -> dict[str, Any]:
        """Validate.

        Returns:
            Metrics by name.

        Raises:
            RunnerConfigError: If the runner has no validation loop, or the model no such step.
        """
        if self._val_loop is None:
            raise RunnerConfigError("to validate, give val_dataloader, val_cfg and val_evaluator")
        return self._evaluate("val_step", lambda: self.val_loop)

    def test(self) -> dict[str, Any]:
        """Test.

        Returns:
            Metrics by name.

        Raises:
            RunnerConfigError: If the runner has no test loop, or the model cannot be tested.
        """
        if self._test_loop is None:
            raise RunnerConfigError("to test, give test_dataloader, test_cfg and test_evaluator")
        return self._evaluate("test_step", lambda: self.test_loop)

    def _evaluate(self, step: str, loop: Callable[[], BaseLoop]) -> dict[str, Any]:
        self._need_step(step)
        built = loop()
        self.call_hook("before_run")
        self.load_or_resume()
        with explain_failures(step):
            metrics = built.run()
        self.call_hook("after_run")
        return metrics

    def _need_step(self, step: str) -> None:
        if not hasattr(self._bare_model, step):
            raise RunnerConfigError(
                f"{type(self._bare_model).__name__} has no {step}(): derive it from "
                "eng.model.BaseModel, or give it one"
            )

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Run all hooks of a stage, in order of their priority.

        Args:
            fn_name: Name of the stage.
            **kwargs: What it passes to hooks.
        """
        for method in self._hooks.at(fn_name):
            method(self, **kwargs)

    # ------------------------------------------------------------------ building

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """Build the model.

        Args:
            model: The model, which is returned as it is, or its config.

        Returns:
            The model.

        Raises:
            RunnerConfigError: If it is neither, or the config builds something else.
        """
        return build_model(model)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Move a model to its device and, with several processes, wrap it.

        Args:
            model_wrapper_cfg: Config of the wrapper, whose ``type`` defaults to
                ``MMDistributedDataParallel``. Defaults to None.
            model: The model; a wrapper is returned as it is.

        Returns:
            The model, or its wrapper.
        """
        if is_model_wrapper(model):
            return model
        model = model.to(get_device())
        if not self.distributed:
            return model
        if self._train_loop is not None:
            # Now, since wrappers give all processes the values of the first, or shard them.
            self._init_weights(model)
        unused = self.cfg.get("find_unused_parameters", False)
        return wrap_for_processes(model, model_wrapper_cfg or {}, unused)

    def _init_weights(self, model: Any) -> None:
        if hasattr(model, "init_weights") and not self._weights_are_initialized:
            model.init_weights()
            self._weights_are_initialized = True

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict[str, Any],
        seed: int | None = None,
        diff_rank_seed: bool = False,
    ) -> DataLoader:
        """Build a data loader, see :func:`eng.runner.dataloader_builder.build_dataloader`.

        Args:
            dataloader: The data loader, which is returned as it is, or its config.
            seed: Seed of sampler and workers. Defaults to None.
            diff_rank_seed: Whether processes have different seeds. Defaults to False.

        Returns:
            The data loader.
        """
        return build_dataloader(dataloader, seed, diff_rank_seed)

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper:
        """Build the optimizer wrapper, see :func:`eng.runner.optim_builder.build_wrapper`.

        Args:
            optim_wrapper: The wrapper or its config.

        Returns:
            The wrapper, which records in the message hub of this runner.
        """
        built = build_wrapper(self.model, optim_wrapper)
        built.message_hub = self.message_hub
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the parameter schedulers, see :func:`eng.runner.optim_builder.build_schedulers`.

        Args:
            scheduler: A scheduler or its config, or several.

        Returns:
            A list of schedulers; with several optimizers, one for each by its name.
        """
        return build_schedulers(scheduler, self.optim_wrapper, self.train_loop)

    def scale_lr(
        self, optim_wrapper: OptimWrapper, auto_scale_lr: dict[str, Any] | None = None
    ) -> None:
        """Scale learning rates to the real batch size, if asked for.

        Args:
            optim_wrapper: The wrapper, before its schedulers are built.
            auto_scale_lr: ``enable`` and ``base_batch_size``. Defaults to None.
        """
        if auto_scale_lr and auto_scale_lr.get("enable", False):
            size = samples_per_step(self.train_dataloader)
            scale_learning_rate(optim_wrapper, auto_scale_lr, size)

    def build_evaluator(self, evaluator: Any) -> Evaluator:
        """Build an evaluator.

        Args:
            evaluator: An evaluator, which is returned as it is; a metric, its config, or a list of
                these; or a dict with ``metrics``.

        Returns:
            The evaluator.
        """
        return build_evaluator(evaluator)

    def build_train_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the training loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.

        Raises:
            RunnerConfigError: If the config has neither ``type`` nor ``by_epoch``, or both.
        """
        return build_train_loop(self, loop, self._train_dataloader)

    def build_val_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the validation loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.
        """
        return build_eval_loop(self, loop, "ValLoop", self._val_dataloader, self._val_evaluator)

    def build_test_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the test loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.
        """
        return build_eval_loop(self, loop, "TestLoop", self._test_dataloader, self._test_evaluator)

    def build_log_processor(self, log_processor: LogProcessor | dict[str, Any]) -> LogProcessor:
        """Build what makes lines of the log.

        Args:
            log_processor: The log processor, which is returned as it is, or its config.

        Returns:
            The log processor.
        """
        if not isinstance(log_processor, Mapping):
            return log_processor
        by_epoch = (
            self._train_loop.get("by_epoch", True)
            if isinstance(self._train_loop, Mapping)
            else True
        )
        return LOG_PROCESSORS.build({"type": "LogProcessor", "by_epoch": by_epoch, **log_processor})

    def build_logger(
        self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger of the run.

        Args:
            log_level: Its level. Defaults to ``'INFO'``.
            log_file: Its file. Defaults to None: named by the time, in the folder of this start.
            **kwargs: Further arguments of :class:`eng.logging.MMLogger`.

        Returns:
            The logger.
        """
        log_file = log_file or str(Path(self._log_dir) / f"{self._timestamp}.log")
        settings = {"file_mode": "a", "logger_name": "eng", **kwargs}
        return MMLogger.get_instance(
            self._instance_name, log_file=log_file, log_level=log_level, **settings
        )

    def build_message_hub(self, message_hub: dict[str, Any] | None = None) -> MessageHub:
        """Build the message hub of the run.

        Args:
            message_hub: Its arguments. Defaults to None.

        Returns:
            The message hub.
        """
        return MessageHub.get_instance(**{"name": self._instance_name, **(message_hub or {})})

    def build_visualizer(self, visualizer: Visualizer | dict[str, Any] | None = None) -> Visualizer:
        """Build the visualizer of the run.

        Args:
            visualizer: The visualizer, which is returned as it is, or its config. Defaults to
                None: one that writes files.

        Returns:
            The visualizer.
        """
        if visualizer is not None and not isinstance(visualizer, Mapping):
            return visualizer
        cfg = {
            "type": "Visualizer",
            "vis_backends": [{"type": "LocalVisBackend"}],
            **(visualizer or {}),
        }
        # A name in the config is meant for one run: another runner in this process gets its own.
        name = cfg.get("name", "")
        cfg["name"] = f"{self._instance_name}_{name}" if name else self._instance_name
        cfg.setdefault("save_dir", self._log_dir)
        return VISUALIZERS.build(cfg)

    # ------------------------------------------------------------------ hooks

    def register_hook(
        self, hook: Hook | dict[str, Any], priority: int | str | Priority | None = None
    ) -> None:
        """Add a hook.

        Args:
            hook: The hook, or its config, in which ``priority`` may stand as well.
            priority: Its priority. Defaults to None, that of the config or the hook.

        Raises:
            RunnerConfigError: If it is neither.
        """
        if isinstance(hook, Mapping):
            cfg = dict(hook)
            given = cfg.pop("priority", None)
            priority = given if priority is None else priority
            hook = HOOKS.build(cfg)
        if not hasattr(hook, "priority"):
            raise RunnerConfigError(f"a hook must be a Hook or a config, not {type(hook).__name__}")
        self._hooks.add(hook, priority)  # type: ignore[arg-type]

    def register_default_hooks(self, hooks: Mapping[str, Any] | None = None) -> None:
        """Add the default hooks.

        They are, by name: ``runtime_info``, ``timer``, ``sampler_seed``, ``logger``,
        ``param_scheduler`` and ``checkpoint``.

        Args:
            hooks: What takes the place of one of these or stands beside them, by name. None drops
                one. Defaults to None.
        """
        merged: dict[str, Any] = copy.deepcopy(DEFAULT_HOOKS)
        merged.update(hooks or {})
        for hook in merged.values():
            if hook is not None:
                self.register_hook(hook)

    def register_custom_hooks(self, hooks: Sequence[Hook | dict[str, Any]]) -> None:
        """Add hooks.

        Args:
            hooks: Hooks or their configs.
        """
        for hook in hooks:
            self.register_hook(hook)

    def register_hooks(
        self,
        default_hooks: Mapping[str, Any] | None = None,
        custom_hooks: Sequence[Hook | dict[str, Any]] | None = None,
    ) -> None:
        """Add the default hooks and more.

        Args:
            default_hooks: See :meth:`register_default_hooks`. Defaults to None.
            custom_hooks: Hooks or their configs. Defaults to None.
        """
        self.register_default_hooks(default_hooks)
        self.register_custom_hooks(custom_hooks or [])

    # ------------------------------------------------------------------ checkpoints

    def load_or_resume(self) -> None:
        """Load the checkpoint that the runner was made with, once."""
        if self._loaded:
            return
        self._loaded = True
        if self._resume:
            filename = self._load_from or find_latest_checkpoint(self._work_dir)
            if filename is None:
                self.logger.warning(f"No checkpoint in {self._work_dir}: the run begins anew.")
                return
            self.resume(filename)
        elif self._load_from is not None:
            self.load_checkpoint(self._load_from)

    def load_checkpoint(
        self,
        filename: str,
        map_location: Any = "cpu",
        strict: bool = False,
        revise_keys: list[tuple[str, str]] = [("^module.", "")],  # noqa: B006 - never changed
    ) -> dict[str, Any]:
        """Load the weights of a checkpoint into the model.

        Args:
            filename: Path or address of the checkpoint.
            map_location: As for :func:`torch.load`. Defaults to ``'cpu'``.
            strict: Whether it is an error if something does not fit. Defaults to False.
            revise_keys: Pairs of a regular expression and its replacement for the names.

        Returns:
            The checkpoint.
        """
        return load_weights(self, filename, map_location, strict, revise_keys)

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: Any = "default",
    ) -> None:
        """Go on from where a checkpoint was saved.

        Args:
            filename: Path or address of the checkpoint.
            resume_optimizer: Whether with the state of the optimizer. Defaults to True.
            resume_param_scheduler: Whether with that of the schedulers. Defaults to True.
            map_location: As for :func:`torch.load`. Defaults to ``'default'``, the CPU, from where
                every part goes to its own device.
        """
        self.is_resuming = True
        resume_run(
            self,
            filename,
            optimizer=resume_optimizer,
            param_scheduler=resume_param_scheduler,
            map_location="cpu" if map_location == "default" else map_location,
        )

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict[str, Any] | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict[str, Any] | None = None,
        by_epoch: bool = True,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        """Save the state of the run. To be called in all processes.

        Args:
            out_dir: Where.
            filename: Under which name.
            file_client_args: Settings of the storage under their older name. Defaults to None.
            save_optimizer: Whether with the state of the optimizer. Defaults to True.
            save_param_scheduler: Whether with that of the schedulers. Defaults to True.
            meta: What the checkpoint says of itself. Defaults to None. ``epoch`` and ``iter``
                are added if missing.
            by_epoch: Whether it is saved at the end of an epoch, which counts as done then, or
                of an iteration. Defaults to True.
            backend_args: Settings of the storage. Defaults to None.

        Raises:
            ValueError: If both kinds of settings are given.
        """
        backend_args = merged_backend_args("save_checkpoint", file_client_args, backend_args)
        save_run(
            self,
            out_dir,
            filename,
            save_optimizer=save_optimizer,
            save_param_scheduler=save_param_scheduler,
            meta={
                "epoch": self.epoch + 1 if by_epoch else self.epoch,
                "iter": self.iter if by_epoch else self.iter + 1,
                **(meta or {}),
            },
            backend_args=backend_args,
        )

    # ------------------------------------------------------------------ environment

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Set up processes and libraries.

        Args:
            env_cfg: See :func:`eng.runner.environment.setup_environment`.
        """
        setup_environment(env_cfg, self._launcher)

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all random number generators.

        Args:
            seed: The seed; None draws one.
            diff_rank_seed: Whether each process adds its rank. Defaults to False.
            deterministic: Whether only deterministic algorithms are used. Defaults to False.
        """
        self._deterministic = deterministic
        self._seed = set_random_seed(seed, deterministic, diff_rank_seed)

    @master_only
    def dump_config(self) -> None:
        """Write the config to the work directory, under the name of the file it came from.

        What that format cannot hold does not stop the run: the config is then written as Python.
        """
        name = Path(self.cfg.filename).name if self.cfg.filename else f"{self._timestamp}.py"
        path = Path(self._work_dir) / name
        try:
            self.cfg.dump(path)
        except ConfigError as error:
            path = path.with_suffix(".py")
            self.logger.warning(f"{error}. The config is in {path}, to be read by people")
            path.write_text(self.cfg.pretty_text, encoding="utf-8")

    def _log_environment(self, env_cfg: dict[str, Any]) -> None:
        environment = {
            **collect_env(),
            **env_cfg,
            "seed": self._seed,
            "processes": self._world_size,
        }
        environment.pop("PyTorch compiling details", None)  # a page that hides all the rest
        lines = "\n".join(f"    {name}: {value}" for name, value in environment.items())
        self.logger.info(f"Environment:\n{lines}")
        self.logger.info(f"Config:\n{self.cfg.pretty_text}")


_ARGUMENTS = [name for name in Runner.__init__.__annotations__ if name not in ("return", "cfg")]

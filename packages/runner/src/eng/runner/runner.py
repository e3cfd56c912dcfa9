"""Build the parts of a run, and train, validate and test with them."""

from __future__ import annotations

import copy
from functools import partial
from operator import attrgetter
from typing import Any, cast

from torch import nn
from torch.utils.data import DataLoader

from eng.checkpoint import MapLocation
from eng.dl_utils import is_model_wrapper, unwrap
from eng.evaluator import Evaluator
from eng.fileio import merged_backend_args
from eng.hooks import CheckpointWriter, Hook, Priority
from eng.logging import MessageHub, MMLogger
from eng.optim import OptimWrapper
from eng.registry import RUNNERS, DefaultScope, PartConfig, PartOrConfig
from eng.utils import DataBatch, StateDict
from eng.vis import Visualizer

from . import arguments, builders, check, services, types
from .base_loop import BaseLoop
from .checkpoint_meta import MMENGINE_VERSION
from .checkpointing import left_out, load_or_resume, load_weights, resume_run, save_run
from .environment import Environment, seed_run, setup_environment
from .eval_loops import TestLoop, ValLoop
from .hook_list import HookList, list_hooks, with_default_hooks
from .identity import RunIdentity, folders_of
from .interruption import Interruption
from .log_processor import LogProcessor
from .loops import EvalSlot, LoopAttribute, Loops
from .model_build import ModelBuild
from .nan_loss import NanLossPolicy
from .parallel import join_mesh, keep_wrapper
from .progress import Progress
from .random_state import RandomState
from .run_files import closes_files, forget_when_gone
from .run_parts import build_run_state
from .run_state import RunState
from .run_summary import RunSummary, Stopwatch, summarize
from .terminal import add_terminal_hook, open_view
from .train_loops import TrainLoop
from .training import begin_training, guarded, run_training

__all__ = ["Runner"]


@RUNNERS.register_module()
class Runner:
    """Trains, validates and tests a model as configs say.

    Every part is given as a config or as the object itself. The model is built at once, everything
    else when :meth:`train`, :meth:`val` or :meth:`test` needs it.

    Args:
        model: The model.
        work_dir: Directory for checkpoints; each start logs into its own folder in it.
        train_dataloader: Data of training. Defaults to None: the runner cannot train.
        val_dataloader: Data of validation, or of several sets by name, whose metrics get the name
            as prefix. Defaults to None.
        test_dataloader: Data of testing, or of several sets by name. Defaults to None.
        train_cfg: The training loop: ``by_epoch`` with ``max_epochs`` or ``max_iters`` and
            ``val_interval``, or a ``type``. Defaults to None.
        val_cfg: The validation loop, ``dict()`` for :class:`ValLoop`. Defaults to None.
        test_cfg: The test loop, ``dict()`` for :class:`TestLoop`. Defaults to None.
        auto_scale_lr: ``enable`` and ``base_batch_size``: whether learning rates, meant for this
            batch size, are scaled to the real one. Defaults to None.
        optim_wrapper: The optimizer wrapper, its config, or an optimizer of torch. Defaults to
            None.
        param_scheduler: Schedules of learning rate and such, one or a list. Defaults to None.
        val_evaluator: Metrics of validation, or of each set by its name. Defaults to None.
        test_evaluator: Metrics of testing, or of each set by its name. Defaults to None.
        default_hooks: Changes of the default hooks by name; None drops one. Defaults to None.
        custom_hooks: More hooks. Defaults to None.
        data_preprocessor: Config of what prepares batches, for a model config without one.
            Defaults to None.
        load_from: Checkpoint to start from, or, with ``resume``, to resume from. Defaults to None.
        resume: Whether to resume from the newest whole checkpoint in the work directory. With
            ``load_from``, from the newest of the run that started from that file, or from the file
            itself until the run has one; a path is short for both. ``'auto'`` has no effect until
            the work directory has a checkpoint. Without any the run starts from scratch. Defaults
            to False.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``: the launcher of several
            processes. Defaults to ``'none'``.
        env_cfg: Settings of processes and libraries. Defaults to the backend ``nccl``, replaced by
            that of the device on a machine without GPUs.
        log_processor: The log processor, which formats lines of the log. Defaults to None.
        log_level: Level of the log. Defaults to ``'INFO'``.
        visualizer: Where curves go. Defaults to None: files in the work directory.
        default_scope: Scope in which names are looked up first. Defaults to ``'mmengine'``, which
            means ``'eng'``, as does None.
        randomness: ``seed``, ``deterministic`` and ``diff_rank_seed``. Defaults to a seed drawn.
        experiment_name: Name of the experiment, to which the time is added. Defaults to None: the
            config's name.
        cfg: The config that all this comes from. Defaults to None.

    Raises:
        RunnerConfigError: If only some of the settings of a loop are given, or one has an invalid
            type.

    Examples:
        >>> import torch
        >>> from eng.config import Config
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
        model: PartOrConfig[nn.Module],
        work_dir: str,
        train_dataloader: types.LoaderOrConfig | None = None,
        val_dataloader: types.LoaderOrConfig | None = None,
        test_dataloader: types.LoaderOrConfig | None = None,
        train_cfg: PartOrConfig[BaseLoop] | None = None,
        val_cfg: PartOrConfig[BaseLoop] | None = None,
        test_cfg: PartOrConfig[BaseLoop] | None = None,
        auto_scale_lr: types.Settings | None = None,
        optim_wrapper: types.OptimizerOrConfig | None = None,
        param_scheduler: types.SchedulersOrConfigs | None = None,
        val_evaluator: types.EvaluatorOrConfig | None = None,
        test_evaluator: types.EvaluatorOrConfig | None = None,
        default_hooks: types.HooksByName | None = None,
        custom_hooks: types.Hooks | None = None,
        data_preprocessor: PartOrConfig[nn.Module] | None = None,
        load_from: str | None = None,
        resume: bool | str = False,
        launcher: str = "none",
        env_cfg: types.Settings = {"dist_cfg": {"backend": "nccl"}},  # noqa: B006 - never changed
        log_processor: PartOrConfig[LogProcessor] | None = None,
        log_level: int | str = "INFO",
        visualizer: PartOrConfig[Visualizer] | None = None,
        default_scope: str | None = "mmengine",
        randomness: types.Settings | None = {"seed": None},  # noqa: B006 - never changed
        experiment_name: str | None = None,
        cfg: types.RunConfig | None = None,
    ) -> None:
        self.cfg = arguments.as_config(cfg)
        self._loops = Loops(
            train=(train_dataloader, train_cfg, optim_wrapper),
            val=(val_dataloader, val_cfg, val_evaluator),
            test=(test_dataloader, test_cfg, test_evaluator),
            builders=(self.build_train_loop, self.build_val_loop, self.build_test_loop),
        )
        arguments.check_run(self.cfg, param_scheduler, optim_wrapper)
        self.optim_wrapper = cast(OptimWrapper, optim_wrapper)  # a config until training begins
        self.param_schedulers = cast("types.Schedulers | None", param_scheduler)  # as well
        self.interruption = Interruption(self.cfg.get("interruption"))
        self._nan_loss = NanLossPolicy(self.cfg.get("nan_loss"))
        self.auto_scale_lr, self._load_from, self._resume = auto_scale_lr, load_from, resume
        self._environment = Environment(launcher, randomness={"seed": None, **(randomness or {})})
        self._set_up_environment(work_dir, experiment_name, env_cfg)
        with folders_of(self._identity):
            self._set_up_services(env_cfg, default_scope, log_level, log_processor, visualizer)
            self._set_up_model(arguments.with_preprocessor(model, data_preprocessor))
            self._set_up_hooks(default_hooks, custom_hooks)

    def _set_up_environment(self, work_dir: str, name: str | None, env_cfg: types.Settings) -> None:
        """Join the other processes, seed, and agree on the names of the run."""
        self._random_state = RandomState()
        # As of this process alone, until setup_env has joined the others.
        self._identity = RunIdentity.create(work_dir, name, self.cfg.filename)
        self.setup_env(env_cfg)
        self._environment = self._environment.present(join_mesh(self.cfg))
        self._identity = self._identity.shared()
        self.set_randomness(**self._environment.randomness)

    def _set_up_services(
        self,
        env_cfg: types.Settings,
        scope: str | None,
        log_level: int | str,
        log_processor: PartOrConfig[LogProcessor] | None,
        visualizer: PartOrConfig[Visualizer] | None,
    ) -> None:
        """Make the outputs of the run: folders, logger, message hub and visualizer."""
        name = self._identity.instance_name
        self.default_scope = DefaultScope.get_instance(name, scope_name=scope or "mmengine")
        self.logger = self.build_logger(log_level=log_level)
        self.terminal_view = open_view(self.logger, self.rank, self.cfg)
        self.log_processor = self.build_log_processor(log_processor or {})
        #: The run's entries of the ``meta`` of checkpoints; the config is formatted once, here.
        self.meta: StateDict = {
            "cfg": self.cfg.pretty_text,
            "seed": self.seed,
            "experiment_name": self.experiment_name,
            "mmengine_version": MMENGINE_VERSION,
        }
        services.log_environment(self, env_cfg)
        self.message_hub = self.build_message_hub()
        self.visualizer = self.build_visualizer(visualizer)
        forget_when_gone(self, name)
        self.visualizer.add_config(self.cfg)

    def _set_up_model(self, model: PartOrConfig[nn.Module]) -> None:
        """Build the model, and the table of the parts of its checkpoints."""
        self._loaded = self._is_prepared = self._weights_are_initialized = self.is_resuming = False
        self._stopwatch = Stopwatch()
        self._model_build = ModelBuild(self.cfg, model)
        built = self._model_build.build(partial(self.build_model, model))
        self.model = self.wrap_model(self.cfg.get("model_wrapper_cfg"), built)
        self._run_state = build_run_state(self, self._nan_loss)

    def _set_up_hooks(self, default: types.HooksByName | None, custom: types.Hooks | None) -> None:
        """Register the hooks."""
        self._hooks = HookList(self.save_checkpoint)
        self.register_hooks(default, custom)
        services.log_details(self.logger, f"Hooks are run in this order:\n{self.get_hooks_info()}")
        add_terminal_hook(self)
        self.dump_config()

    @classmethod
    def from_cfg(cls, cfg: types.RunConfig) -> Runner:
        """Make a runner out of a config whose keys are arguments of the class.

        Args:
            cfg: The config. Other keys are allowed as well, as variables of its own.

        Returns:
            The runner.

        Raises:
            RunnerConfigError: If ``model`` or ``work_dir`` is missing. Warns of a key that
                looks like a misspelt argument.
        """
        cfg = copy.deepcopy(cfg)
        return cls(**arguments.given_arguments(cfg, _ARGUMENTS), cfg=cfg)

    # ------------------------------------------------------------------ running

    @closes_files
    @guarded
    def train(self) -> nn.Module:
        """Train, from the beginning or from where a checkpoint was saved.

        Returns:
            The model.

        Raises:
            RunnerConfigError: If the runner has no training loop, the model cannot be trained, or
                another job trains in the work directory.
            TrainingInterrupted: If a signal or the time limit ended it; all is saved then.
        """
        check.check_start(self, "train", "to train")
        arguments.check_steps(self._ready(), "train_step", *["val_step"] * bool(self._loops.val))
        self._prepare_training()
        loop = self._loops.train.require("to train")
        begin_training(self)
        self.load_or_resume()
        with self._stopwatch:
            return run_training(self, loop, self._nan_loss)

    def val(self) -> dict[str, float]:
        """Validate.

        Returns:
            Metrics by name.

        Raises:
            RunnerConfigError: If the runner has no validation loop, or the model no such step.
        """
        return self._evaluate("val_step", self._loops.val, "to validate")

    def test(self) -> dict[str, float]:
        """Test.

        Returns:
            Metrics by name.

        Raises:
            RunnerConfigError: If the runner has no test loop, or the model cannot be tested.
        """
        return self._evaluate("test_step", self._loops.test, "to test")

    def _ready(self) -> nn.Module:
        return self.model  # built with the runner

    def _prepare_training(self) -> None:
        """Build the parts of training and initialise the weights, once."""
        if self._is_prepared:
            return
        _ = self.train_loop
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        self.scale_lr(self.optim_wrapper, self.auto_scale_lr)
        if self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        self._init_weights(unwrap(self.model))
        self._is_prepared = True

    @closes_files
    def _evaluate(self, step: str, slot: EvalSlot, purpose: str) -> dict[str, float]:
        check.check_start(self, step.partition("_")[0], purpose)
        arguments.check_steps(self._ready(), step)
        loop = slot.require(purpose)
        self.call_hook("before_run")
        self.load_or_resume()
        with services.reported(self, step):
            metrics = loop.run()
        self.call_hook("after_run")
        return metrics

    # ------------------------------------------------------------------ building

    def build_model(self, model: PartOrConfig[nn.Module]) -> nn.Module:
        """Build a model.

        Args:
            model: The model, which is returned as it is, or its config.

        Returns:
            The model.

        Raises:
            RunnerConfigError: If it is neither.
        """
        return builders.build_model(model)

    def wrap_model(self, model_wrapper_cfg: PartConfig | None, model: nn.Module) -> nn.Module:
        """Move a model to its device and, with several processes, wrap it.

        With several processes and ``parallel`` in the config, it is spread over them as that says.
        With several processes and ``sync_bn`` in the config (``'torch'`` or ``'mmcv'``), batch
        normalisation is converted to a synchronised one; in a single process it is reverted.

        Args:
            model_wrapper_cfg: Config of the wrapper, whose ``type`` defaults to
                ``MMDistributedDataParallel``. Defaults to None.
            model: The model; a wrapper is returned as it is.

        Returns:
            The model, or its wrapper.
        """
        if is_model_wrapper(model):
            return keep_wrapper(model, self.cfg)
        initialize = self._init_weights if self._loops.train else None
        return self._model_build.wrap(model, model_wrapper_cfg, self.distributed, initialize)

    def _init_weights(self, model: nn.Module) -> None:
        initialize = getattr(model, "init_weights", None)
        if initialize is not None and not self._weights_are_initialized:
            initialize()
            self._weights_are_initialized = True

    @staticmethod
    def build_dataloader(
        dataloader: types.LoaderOrConfig,
        seed: int | None = None,
        diff_rank_seed: bool = False,
    ) -> DataLoader[DataBatch]:
        """Build a data loader: its dataset, its sampler, how samples become batches, and itself.

        Args:
            dataloader: A config with ``dataset``, ``sampler`` or ``batch_sampler``, perhaps
                ``collate_fn`` and ``worker_init_fn``, which are functions or dicts of a ``type`` (a
                function or its name) and arguments, and arguments of
                :class:`torch.utils.data.DataLoader`. ``num_batch_per_epoch`` cuts the dataset to
                that number of batches, to try a config quickly; ``disable_subprocess_warning``
                silences warnings in all workers but the first; ``prefetch_to_device`` copies
                batches to the device of the model ahead of their use, from pinned memory unless
                ``pin_memory`` is False. A data loader is returned as it is, as is anything else
                that is not a config.
            seed: Seed of the sampler and the workers. Defaults to None.
            diff_rank_seed: Whether processes have different seeds, so that the sampler must find a
                common one. Defaults to False.

        Returns:
            The data loader.

        Raises:
            RunnerConfigError: If ``dataset`` is missing, a setting is of a wrong type, or a
                function is not registered.
        """
        return builders.build_dataloader(dataloader, seed, diff_rank_seed)

    def build_optim_wrapper(self, optim_wrapper: types.OptimizerOrConfig) -> OptimWrapper:
        """Build an optimizer wrapper.

        Args:
            optim_wrapper: A wrapper, which is returned as it is; an optimizer of torch; a config
                with ``optimizer``; a config with ``constructor`` for several optimizers; or a dict
                of wrappers.

        Returns:
            The wrapper.

        Raises:
            RunnerConfigError: If it is none of these.
        """
        built = builders.build_optim_wrapper(self.model, optim_wrapper)
        built.message_hub = self.message_hub
        return built

    def build_param_scheduler(self, scheduler: types.SchedulersOrConfigs) -> types.Schedulers:
        """Build parameter schedulers.

        Args:
            scheduler: A scheduler or its config, a list of these, or, with several optimizers, a
                dict of them by the name of the optimizer.

        Returns:
            The schedulers; with several optimizers, by name.

        Raises:
            RunnerConfigError: If a name is not that of an optimizer, or there is a config but the
                run does not train.
        """
        return builders.build_param_scheduler(scheduler, self.optim_wrapper, self.train_loop)

    def scale_lr(
        self, optim_wrapper: OptimWrapper, auto_scale_lr: types.Settings | None = None
    ) -> None:
        """Scale learning rates to the real batch size, if asked for.

        Args:
            optim_wrapper: The wrapper, before its schedulers are built.
            auto_scale_lr: ``enable`` and ``base_batch_size``. Defaults to None.
        """
        if auto_scale_lr and auto_scale_lr.get("enable", False):
            builders.scale_learning_rate(optim_wrapper, auto_scale_lr, self.train_dataloader)

    def build_evaluator(self, evaluator: types.EvaluatorOrConfig) -> Evaluator:
        """Build an evaluator.

        Args:
            evaluator: An evaluator, which is returned as it is; a metric, its config, or a list of
                these; or a dict with ``metrics``.

        Returns:
            The evaluator.
        """
        return builders.build_evaluator(evaluator)

    def build_train_loop(self, loop: PartOrConfig[BaseLoop]) -> BaseLoop:
        """Build a training loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.

        Raises:
            RunnerConfigError: If the config has neither ``type`` nor ``by_epoch``, or both, or it
                is neither a loop nor a config.
        """
        return builders.build_train_loop(self, loop, self._loops.train.dataloader)

    def build_val_loop(self, loop: PartOrConfig[BaseLoop]) -> BaseLoop:
        """Build the validation loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.
        """
        return builders.build_eval_loop(self, loop, "ValLoop", self._loops.val)

    def build_test_loop(self, loop: PartOrConfig[BaseLoop]) -> BaseLoop:
        """Build the test loop.

        Args:
            loop: The loop, which is returned as it is, or its config.

        Returns:
            The loop.
        """
        return builders.build_eval_loop(self, loop, "TestLoop", self._loops.test)

    def build_log_processor(self, log_processor: PartOrConfig[LogProcessor]) -> LogProcessor:
        """Build the log processor.

        Args:
            log_processor: The log processor, which is returned as it is, or its config.

        Returns:
            The log processor.
        """
        return services.build_log_processor(log_processor, self._loops.train.given)

    def build_logger(
        self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger of a run.

        Args:
            log_level: Its level.
            log_file: Its file; None names it by the time, in the folder of this start.
            **kwargs: Further arguments of :class:`eng.logging.MMLogger`.

        Returns:
            The logger.
        """
        return services.build_logger(self._identity, log_level, log_file, **kwargs)

    def build_message_hub(self, message_hub: types.Settings | None = None) -> MessageHub:
        """Build the message hub of a run.

        Args:
            message_hub: Its arguments. Defaults to None.

        Returns:
            The message hub.
        """
        return services.build_message_hub(self._identity, message_hub)

    def build_visualizer(self, visualizer: PartOrConfig[Visualizer] | None = None) -> Visualizer:
        """Build the visualizer of a run.

        Args:
            visualizer: The visualizer, which is returned as it is, or its config; None makes one
                that writes files.

        Returns:
            The visualizer.
        """
        return services.build_visualizer(self._identity, visualizer)

    # ------------------------------------------------------------------ hooks

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Run all hooks of a stage, in order of their priority.

        Args:
            fn_name: Name of the stage.
            **kwargs: Its arguments.
        """
        if fn_name == "before_train_iter":
            if not self.interruption.was_fetched:
                self.interruption.check()
            self.interruption.was_fetched = False
        for method in self._hooks.at[fn_name]:
            method(self, **kwargs)

    def get_hooks_info(self) -> str:
        """All stages with their hooks, for the log."""
        return self._hooks.describe()

    def register_hook(
        self, hook: PartOrConfig[Hook], priority: int | str | Priority | None = None
    ) -> None:
        """Add a hook, built first where it is a config.

        Args:
            hook: The hook, or its config, which may have a ``priority`` as well.
            priority: Its priority. Defaults to None, that of the config or the hook.

        Raises:
            RunnerConfigError: If it is neither, or an argument is not one of the hook's.
        """
        self._hooks.register(hook, priority)

    def register_default_hooks(self, hooks: types.HooksByName | None = None) -> None:
        """Add the default hooks.

        They are, by name: ``runtime_info``, ``timer``, ``sampler_seed``, ``logger``,
        ``param_scheduler`` and ``checkpoint``.

        Args:
            hooks: Hooks that replace one of these or are added, by name. None drops one.
                Defaults to None.
        """
        self.register_custom_hooks(with_default_hooks(hooks or {}, self._loops.train_iterations))

    def register_custom_hooks(self, hooks: types.Hooks) -> None:
        """Add hooks.

        Args:
            hooks: Hooks or their configs.
        """
        for hook in list_hooks(hooks):
            self.register_hook(hook)

    def register_hooks(
        self,
        default_hooks: types.HooksByName | None = None,
        custom_hooks: types.Hooks | None = None,
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
        if not self._loaded:
            self._loaded = True
            load_or_resume(self, self._load_from, self._resume)

    def load_checkpoint(
        self,
        filename: str,
        map_location: MapLocation = "cpu",
        strict: bool = False,
        revise_keys: list[tuple[str, str]] = [("^module.", "")],  # noqa: B006 - never changed
    ) -> StateDict:
        """Load the weights of a checkpoint into the model.

        Args:
            filename: Path or address of the checkpoint.
            map_location: As for :func:`torch.load`.
            strict: Whether missing and unexpected keys and size mismatches are an error.
            revise_keys: Pairs of a regular expression and its replacement for the names.

        Returns:
            The checkpoint.
        """
        self._loaded = True
        return load_weights(self, filename, map_location, strict, revise_keys)

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: MapLocation = "default",
    ) -> None:
        """Resume from a checkpoint.

        Args:
            filename: Path or address of the checkpoint.
            resume_optimizer: Whether with the state of the optimizer. Defaults to True.
            resume_param_scheduler: Whether with that of the schedulers. Defaults to True.
            map_location: As for :func:`torch.load`. Defaults to ``'default'``, the CPU, from where
                every part goes to its own device.
        """
        if self._loops.train:  # before train(), as well
            self._prepare_training()
        self.is_resuming = self._loaded = True
        location = "cpu" if map_location == "default" else map_location
        skipped = left_out(resume_optimizer, resume_param_scheduler)
        resume_run(self, filename, map_location=location, leave_out=skipped)

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
        """Save the state of the run. To be called in all processes.

        Args:
            out_dir: Where.
            filename: Under which name.
            file_client_args: Settings of the storage under their older name. Defaults to None.
            save_optimizer: Whether with the state of the optimizer. Defaults to True.
            save_param_scheduler: Whether with that of the schedulers. Defaults to True.
            meta: Entries of the ``meta`` of the checkpoint. Defaults to None. ``epoch`` and
                ``iter`` are added if missing.
            by_epoch: Whether it is saved at the end of an epoch, which counts as done then, or
                of an iteration. Defaults to True.
            backend_args: Settings of the storage. Defaults to None.
            writer: Writes the checkpoint in the first process. Defaults to None,
                :func:`eng.checkpoint.save_checkpoint`.

        Raises:
            ValueError: If both kinds of settings are given, or ``filename`` leads out of
                ``out_dir``.
        """
        storage = merged_backend_args("save_checkpoint", file_client_args, backend_args)
        skipped = left_out(save_optimizer, save_param_scheduler)
        place = (out_dir, filename)
        save_run(self, place, meta or {}, by_epoch, skipped, backend_args=storage, writer=writer)

    # ------------------------------------------------------------------ environment

    def setup_env(self, env_cfg: types.Settings) -> None:
        """Set up libraries and, where there is a launcher, join the other processes.

        Args:
            env_cfg: May hold ``cudnn_benchmark``, ``mp_cfg``, ``dist_cfg`` and ``resource_limit``.
        """
        setup_environment(env_cfg, self.launcher)
        self._environment = self._environment.present()
        self._identity = self._identity.shared()

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all random number generators.

        Args:
            seed: The seed; None draws one.
            diff_rank_seed: Whether each process adds its rank. Defaults to False.
            deterministic: Whether only deterministic algorithms are used. Defaults to False.
        """
        seed = seed_run(seed, deterministic, diff_rank_seed)
        self._environment = self._environment.with_seed(seed, deterministic, diff_rank_seed)

    def dump_config(self) -> None:
        """Write the config to the work directory, under the name of the file it came from.

        It is written to the folder of this start as well, by which the next start knows the one in
        the work directory for a dump: any other file there is the user's and is kept. A config that
        the format cannot hold does not stop the run: it is then written as Python.
        """
        services.dump_config(self.cfg, self.meta["cfg"], self._identity, self.logger)

    # ------------------------------------------------------------------ properties

    @property
    def experiment_name(self) -> str:
        """Name of the experiment."""
        return self._identity.experiment_name

    @property
    def work_dir(self) -> str:
        """Directory for checkpoints and logs."""
        return self._identity.work_dir

    @property
    def log_dir(self) -> str:
        """Folder of the work directory that this start of the run logs into."""
        return self._identity.log_dir

    # Names that code of others reads.
    _log_dir, _randomness_cfg = log_dir, property(attrgetter("_environment.randomness"))
    _train_loop, _val_loop, _test_loop = map(LoopAttribute, ("train", "val", "test"))

    @property
    def timestamp(self) -> str:
        """Time at which the runner was created, as text."""
        return self._identity.timestamp

    @property
    def model_name(self) -> str:
        """Name of the class of the model."""
        return type(unwrap(self.model)).__name__

    @property
    def environment(self) -> Environment:
        """Processes and seeds."""
        return self._environment

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
    def seed(self) -> int:
        """The seed of all random number generators."""
        return self._environment.seed

    @property
    def deterministic(self) -> bool:
        """Whether only deterministic algorithms are used."""
        return self._environment.deterministic

    @property
    def random_state(self) -> RandomState:
        """The random number generators of this process."""
        return self._random_state

    @property
    def run_state(self) -> RunState:
        """The parts of a checkpoint, to which hooks and users may add their own."""
        return self._run_state

    @property
    def hooks(self) -> list[Hook]:
        """All hooks in the order in which they run."""
        return self._hooks

    @property
    def progress(self) -> Progress:
        """The progress of training."""
        progress: Progress | None = getattr(self._loops.train.built, "progress", None)
        return Progress(epoch=self.epoch, iter=self.iter) if progress is None else progress

    @property
    def summary(self) -> RunSummary:
        """Scores, curves and places of the training. To be asked in all processes together."""
        return summarize(self, self._stopwatch.seconds)

    # Properties that Python reads without a call: hooks ask for them in each iteration.
    epoch: int = property(attrgetter("_loops.train.counts.epoch"))  # type: ignore[assignment]
    """Epochs of training done."""

    iter: int = property(attrgetter("_loops.train.counts.iter"))  # type: ignore[assignment]
    """Iterations of training done."""

    @property
    def max_epochs(self) -> int | None:
        """Epochs of the whole training, None without one."""
        return self._loops.train.setting("max_epochs")

    @property
    def max_iters(self) -> int | None:
        """Iterations of the whole training, None without one."""
        return self._loops.train.setting("max_iters")

    @property
    def val_interval(self) -> int | None:
        """Epochs or iterations between two validations."""
        return self._loops.train.setting("val_interval")

    @property
    def val_begin(self) -> int | None:
        """First epoch or iteration that may be validated."""
        return self._loops.train.setting("val_begin")

    @property
    def train_loop(self) -> TrainLoop | None:
        """The training loop, built when first asked for; None without one."""
        return self._loops.train.get()

    @property
    def val_loop(self) -> ValLoop | None:
        """The validation loop, built when first asked for; None without one."""
        return self._loops.val.get()

    @property
    def test_loop(self) -> TestLoop | None:
        """The test loop, built when first asked for; None without one."""
        return self._loops.test.get()

    @property
    def train_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of training."""
        return self._loops.train.require("for train_dataloader").dataloader

    @property
    def val_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of validation."""
        return self._loops.val.require("for val_dataloader").dataloader

    @property
    def test_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of testing."""
        return self._loops.test.require("for test_dataloader").dataloader

    @property
    def val_evaluator(self) -> Evaluator:
        """The evaluator of validation."""
        return self._loops.val.require("for val_evaluator").evaluator

    @property
    def test_evaluator(self) -> Evaluator:
        """The evaluator of testing."""
        return self._loops.test.require("for test_evaluator").evaluator


_ARGUMENTS = [name for name in Runner.__init__.__annotations__ if name not in ("return", "cfg")]

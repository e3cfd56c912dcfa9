"""Strategy that trains by the engine of DeepSpeed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from eng.checkpoint import MapLocation, is_checkpoint_folder, progress_of, save_foreign_folder
from eng.device import get_device
from eng.dist import broadcast_object_list
from eng.fileio import load
from eng.hooks import EMAHook, Hook, TrainedOnlyHook
from eng.model import share_initial_values
from eng.registry import STRATEGIES, PartOrConfig
from eng.utils import StateDict, override

from ..errors import RunnerConfigError, RunnerTypeError
from ..types import OptimizerOrConfig, SchedulersOrConfigs, Settings
from .base import BaseStrategy, Prepared
from .deepspeed_parts import (
    DeepSpeedOptimWrapper,
    MMDeepSpeedEngineWrapper,
    register_deepspeed_optimizers,
)
from .deepspeed_state import gather_optimizer, gather_weights, put_optimizer, put_weights
from .sizes import TrainingSizes
from .state import Callback, ReviseKeys, find_checkpoint

__all__ = ["DeepSpeedStrategy"]


@STRATEGIES.register_module()
class DeepSpeedStrategy(BaseStrategy):
    """Trains by the engine of `DeepSpeed <https://www.deepspeed.ai>`_, which shards by stages.

    It needs ``pip install deepspeed``, and an ``optim_wrapper`` of type ``DeepSpeedOptimWrapper``.
    Checkpoints are folders in DeepSpeed's own format. With ``CheckpointHook(format='file')`` they
    are files with the whole weights and states, which every runner loads; it loads those of others.

    Args:
        config: Config of DeepSpeed, or the path of its JSON file. Defaults to None.
        zero_optimization: What is sharded, with ``stage``. Defaults to None. This and all further
            arguments replace the entry of this name in ``config``.
        gradient_clipping: Norm to which gradients are clipped. Defaults to None.
        fp16: Settings of float16. Defaults to None.
        inputs_to_half: Keys, or positions, of inputs that are cast to the precision of the
            parameters. Defaults to None, none.
        bf16: Settings of bfloat16. Defaults to None.
        amp: Settings of Apex. Defaults to None.
        activation_checkpointing: Settings of DeepSpeed's activation checkpointing. Defaults to
            None.
        aio: Settings of offloading to disks. Defaults to None.
        train_micro_batch_size_per_gpu: Samples that a process takes in an iteration. Defaults to
            None, those of the data loader.
        gradient_accumulation_steps: Iterations of an update. Defaults to None, 1.
        steps_per_print: Steps between two lines of DeepSpeed's log. Defaults to never.
        exclude_frozen_parameters: Whether checkpoints leave out frozen parameters. Defaults to
            None, no.
        **kwargs: Arguments of :class:`BaseStrategy`.

    Raises:
        ImportError: If DeepSpeed is not installed.
        RunnerConfigError: If there is neither a launcher nor a process group.
    """

    needs_processes = True

    def __init__(
        self,
        *,
        config: str | Settings | None = None,
        zero_optimization: Settings | None = None,
        gradient_clipping: float | None = None,
        fp16: Settings | None = None,
        inputs_to_half: list[int | str] | None = None,
        bf16: Settings | None = None,
        amp: Settings | None = None,
        activation_checkpointing: Settings | None = None,
        aio: Settings | None = None,
        train_micro_batch_size_per_gpu: int | None = None,
        gradient_accumulation_steps: int | None = None,
        steps_per_print: int = 10000000000000,
        exclude_frozen_parameters: bool | None = None,
        **kwargs: Any,
    ) -> None:
        _import_deepspeed()
        given = {
            "zero_optimization": zero_optimization,
            "gradient_clipping": gradient_clipping,
            "fp16": fp16,
            "bf16": bf16,
            "amp": amp,
            "activation_checkpointing": activation_checkpointing,
            "aio": aio,
            "train_micro_batch_size_per_gpu": train_micro_batch_size_per_gpu,
            "gradient_accumulation_steps": gradient_accumulation_steps,
            "steps_per_print": steps_per_print,
        }
        #: The config that DeepSpeed gets.
        self.config = _read_config(config)
        self.config.update({k: copy.deepcopy(v) for k, v in given.items() if v is not None})
        self.inputs_to_half = inputs_to_half
        self.exclude_frozen_parameters = bool(exclude_frozen_parameters)
        super().__init__(**kwargs)
        self.checkpoint_format = "folder"
        #: Names of the parameters in each group of the optimizer, of which DeepSpeed makes one.
        self._groups: list[list[str]] = []
        register_deepspeed_optimizers()

    # ------------------------------------------------------------------ preparing

    @override
    def check_hooks(self, hooks: Sequence[Hook]) -> None:
        for hook in hooks:
            if isinstance(hook, (EMAHook, TrainedOnlyHook)):
                raise RunnerConfigError(
                    f"{type(hook).__name__} needs whole weights in checkpoints, which those of "
                    "DeepSpeed do not have: remove it, or use FSDPStrategy or DDPStrategy"
                )

    @override
    def prepare(
        self,
        model: PartOrConfig[nn.Module],
        *,
        optim_wrapper: OptimizerOrConfig | None = None,
        param_scheduler: SchedulersOrConfigs | None = None,
        compile: bool | Settings = False,
        dispatch_kwargs: Settings | None = None,
    ) -> Prepared:
        if dispatch_kwargs is not None:
            self._sizes = TrainingSizes(dispatch_kwargs)
        if self.model is None:
            self._prepare_engine(self.build_model(model), optim_wrapper)
            self.compile_model(self._require_model(), compile)
        elif optim_wrapper is not None and self.optim_wrapper is None:
            raise RunnerConfigError(
                "the engine of DeepSpeed was made without an optimizer, to evaluate: train before "
                "that, or with another runner"
            )
        return self._finish_preparing(param_scheduler)

    def _prepare_engine(self, model: nn.Module, optim_wrapper: OptimizerOrConfig | None) -> None:
        model = model.to(get_device())
        self._init_weights(model)
        share_initial_values(model)  # every process would shard its own
        wrapper = None
        if optim_wrapper is not None:
            wrapper = self._build_deepspeed_wrapper(optim_wrapper, model)
            self._scale_learning_rate(wrapper)
        engine = self._initialize(model, wrapper)
        self.model = MMDeepSpeedEngineWrapper(model=engine, inputs_to_half=self.inputs_to_half)
        if wrapper is not None:
            wrapper.model = engine
        self.optim_wrapper = wrapper

    def _build_deepspeed_wrapper(
        self, optim_wrapper: OptimizerOrConfig, model: nn.Module
    ) -> DeepSpeedOptimWrapper:
        wrapper = self.build_optim_wrapper(optim_wrapper, model)
        if not isinstance(wrapper, DeepSpeedOptimWrapper):
            raise RunnerTypeError(
                "DeepSpeedStrategy needs optim_wrapper=dict(type='DeepSpeedOptimWrapper', "
                f"optimizer=...), not {type(wrapper).__name__}: its config accumulates "
                "(gradient_accumulation_steps) and clips gradients (gradient_clipping)"
            )
        names = {each: name for name, each in model.named_parameters()}
        groups = wrapper.optimizer.param_groups
        self._groups = [[names[each] for each in group["params"]] for group in groups]
        return wrapper

    def _initialize(self, model: nn.Module, wrapper: DeepSpeedOptimWrapper | None) -> Any:
        config = {"zero_allow_untested_optimizer": True, **copy.deepcopy(self.config)}
        if config.get("train_micro_batch_size_per_gpu") in (None, "auto"):
            config["train_micro_batch_size_per_gpu"] = self._sizes.micro_batch_size or 1
        if wrapper is None and _stage_of(config) in (1, 2):
            config.pop("zero_optimization")  # which shards states of the optimizer, that is missing
        trained = [each for each in model.parameters() if each.requires_grad]
        engine, *_ = _import_deepspeed().initialize(
            model=model,
            optimizer=None if wrapper is None else wrapper.optimizer,
            model_parameters=trained,
            config=config,
        )
        return engine

    # ------------------------------------------------------------------ states

    @override
    def model_state_dict(self) -> StateDict:
        """Gather the weights of the model in full precision, by their names without wrappers."""
        return gather_weights(self.model.model)

    @override
    def optim_state_dict(self) -> StateDict | None:
        """Gather the state of the optimizer, as without DeepSpeed; None without an optimizer."""
        if self.optim_wrapper is None:
            return None
        state = gather_optimizer(self.model.model, self.optim_wrapper.optimizer, self._groups)
        base = self.optim_wrapper.base_param_settings
        return state if base is None else {**state, "base_param_settings": dict(base)}

    @override
    def load_optim_state_dict(self, state_dict: StateDict) -> None:
        """Load a state of the optimizer, as without DeepSpeed.

        Args:
            state_dict: Result of :meth:`optim_state_dict`, or of another strategy's.
        """
        optimizer = self.optim_wrapper.optimizer
        put_optimizer(self.model.model, optimizer, self._groups, state_dict)
        self._put_base_settings(state_dict.get("base_param_settings"))

    @override
    def _put_weights(self, state: Mapping[str, Tensor], strict: bool) -> None:
        put_weights(self.model.model, state, strict, self.logger)

    def _put_base_settings(self, saved: Settings | None) -> None:
        if saved is not None and self.optim_wrapper.base_param_settings is not None:
            self.optim_wrapper.base_param_settings.update(saved)

    # ------------------------------------------------------------------ checkpoints

    @override
    def save_checkpoint(
        self,
        filename: str,
        *,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        extra_ckpt: StateDict | None = None,
        callback: Callback | None = None,
    ) -> None:
        if self.checkpoint_format == "file":
            super().save_checkpoint(
                filename,
                save_optimizer=save_optimizer,
                save_param_scheduler=save_param_scheduler,
                extra_ckpt=extra_ckpt,
                callback=callback,
            )
            return
        state = self._describe(extra_ckpt)
        if save_param_scheduler and self.param_schedulers:
            state["param_schedulers"] = self.scheduler_state_dict()
        if self.optim_wrapper is not None and self.optim_wrapper.base_param_settings is not None:
            state["base_param_settings"] = dict(self.optim_wrapper.base_param_settings)
        if callback is not None:
            callback(state)

        def write(folder: str) -> None:
            self.model.model.save_checkpoint(
                folder,
                tag="deepspeed",
                client_state=state,
                exclude_frozen_parameters=self.exclude_frozen_parameters,
            )

        folder = filename.removesuffix(".pth")
        save_foreign_folder(folder, write, {"meta": state["meta"]}, "DeepSpeedStrategy")

    @override
    def load_checkpoint(
        self,
        filename: str,
        *,
        map_location: MapLocation = "cpu",
        strict: bool = False,
        revise_keys: ReviseKeys = [("^module.", "")],  # noqa: B006 - never changed
        callback: Callback | None = None,
    ) -> StateDict:
        filename = find_checkpoint(filename)
        if not _is_own(filename):
            return super().load_checkpoint(
                filename,
                map_location=map_location,
                strict=strict,
                revise_keys=revise_keys,
                callback=callback,
            )
        return self._load_own(filename, strict, callback, with_optimizer=False)

    @override
    def resume(
        self,
        filename: str,
        *,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: MapLocation = "default",
        callback: Callback | None = None,
    ) -> StateDict:
        filename = find_checkpoint(filename)
        if not _is_own(filename):
            return super().resume(
                filename,
                resume_optimizer=resume_optimizer,
                resume_param_scheduler=resume_param_scheduler,
                map_location=map_location,
                callback=callback,
            )
        has_optimizer = resume_optimizer and self.optim_wrapper is not None
        state = self._load_own(filename, True, callback, with_optimizer=has_optimizer)
        base = state.pop("base_param_settings", None)
        if has_optimizer:
            self._put_base_settings(base)
        # A runner restores the schedules after its progress, as they may have changed.
        if resume_param_scheduler and not self.is_driven and "param_schedulers" in state:
            self.load_scheduler_state_dict(state.pop("param_schedulers"))
        return state

    def _load_own(
        self, path: str, strict: bool, callback: Callback | None, *, with_optimizer: bool
    ) -> StateDict:
        """Load a folder in the format of DeepSpeed, and return its further entries."""
        self._require_model()
        place, tag = _place_and_tag(path)
        if not with_optimizer and _stage_of(self.config) == 3:
            return self._load_weights_alone(path, strict, callback)
        _, state = self.model.model.load_checkpoint(
            place,
            tag=tag,
            load_module_strict=strict,
            load_optimizer_states=with_optimizer,
            load_lr_scheduler_states=False,
            load_module_only=not with_optimizer,
        )
        # Processes other than the first have saved less.
        boxes = [{key: each for key, each in (state or {}).items() if key not in _OF_DEEPSPEED}]
        broadcast_object_list(boxes)
        if callback is not None:
            callback(boxes[0])
        return boxes[0]

    def _load_weights_alone(self, path: str, strict: bool, callback: Callback | None) -> StateDict:
        """Load a folder of stage 3 into an engine that may have no optimizer."""
        tool = import_module("deepspeed.utils.zero_to_fp32")
        weights = tool.get_fp32_state_dict_from_zero_checkpoint(*_place_and_tag(path))
        checkpoint = {"meta": progress_of(path) or {}} if is_checkpoint_folder(path) else {}
        if callback is not None:
            callback(checkpoint)
        self._put_weights(weights, strict)
        return checkpoint


#: Entries that DeepSpeed adds to the client's.
_OF_DEEPSPEED = {"buffer_names", "param_shapes", "frozen_param_shapes", "shared_params"}


def _import_deepspeed() -> ModuleType:
    try:
        import deepspeed  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError as error:
        raise ImportError(
            f"DeepSpeedStrategy needs DeepSpeed: pip install deepspeed ({error})"
        ) from error
    found: ModuleType = deepspeed
    return found


def _read_config(config: str | Settings | None) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, (str, Path)):
        config = load(str(config))
    if not isinstance(config, Mapping):
        raise RunnerTypeError(
            f"config must be a dict or the path of a JSON file, not {type(config).__name__}"
        )
    return copy.deepcopy(dict(config))


def _stage_of(config: Settings) -> int:
    return int((config.get("zero_optimization") or {}).get("stage", 0))


def _place_and_tag(path: str) -> tuple[str, str | None]:
    """Return the folder that DeepSpeed looks in, and the tag if none is noted there."""
    folder = Path(path)
    if (folder / "latest").is_file():
        return path, None
    return str(folder.parent), folder.name  # as others have saved it


def _is_own(path: str) -> bool:
    """Whether a checkpoint is a folder in the format of DeepSpeed."""
    folder = Path(path)
    if not folder.is_dir():
        return False
    return (folder / "latest").is_file() or any(folder.glob("*model_states.pt"))

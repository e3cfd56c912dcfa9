"""Names of `eng.all` as a user meets them: called, constructed, overridden, their results used.

Checked by mypy strict and pyright basic (scripts/typecheck_users.py), which refuse a revealed type
with a part that is not known. Never run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from typing_extensions import override, reveal_type

from eng.all import (
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    AmpOptimWrapper,
    BackgroundWriter,
    BaseDataElement,
    BaseDataPreprocessor,
    BaseDataset,
    BaseInit,
    BaseLoop,
    BaseMetric,
    BaseModel,
    BaseModule,
    BaseStorageBackend,
    CheckpointFolder,
    CheckpointHook,
    Compose,
    ConcatDataset,
    Config,
    CosineAnnealingLR,
    DefaultSampler,
    DefaultScope,
    EMAHook,
    EpochBasedTrainLoop,
    Evaluator,
    ExponentialMovingAverage,
    FlopAnalyzer,
    HistoryBuffer,
    Hook,
    HookRunner,
    ImgDataPreprocessor,
    InfiniteSampler,
    InstanceData,
    LinearLR,
    LocalBackend,
    LocalVisBackend,
    LogProcessor,
    MessageHub,
    MMLogger,
    MultiStepLR,
    OptimWrapper,
    OptimWrapperDict,
    Priority,
    Progress,
    ProgressBar,
    Registry,
    RepeatDataset,
    Runner,
    RunState,
    Timer,
    TrainingInterrupted,
    UserError,
    ValLoop,
    Visualizer,
    all_reduce_dict,
    autocast,
    bias_init_with_prob,
    build_optim_wrapper,
    calc_dynamic_intervals,
    check_inner_path,
    collect_env,
    diff,
    digit_version,
    exists,
    find_latest_checkpoint,
    find_newest_checkpoint,
    get_device,
    get_dist_info,
    get_file_backend,
    get_local_path,
    get_priority,
    get_rank,
    get_text,
    get_world_size,
    has_batch_norm,
    initialize,
    is_list_of,
    is_main_process,
    is_model_wrapper,
    join_path,
    length_of,
    list_from_file,
    load_state_dict,
    parameter_count,
    print_log,
    put_text,
    register_backend,
    scandir,
    set_random_seed,
    stack_batch,
    track_progress,
    unwrap,
)
from eng.all import override as eng_override


def use_utilities() -> None:
    """Utilities, registries and storage."""
    reveal_type(digit_version("1.2.3"))
    reveal_type(is_list_of([1], int))
    reveal_type(track_progress(len, ["a", "b"]))
    reveal_type(list(scandir(".", suffix=".py")))
    reveal_type(check_inner_path("a/b", "filename"))
    reveal_type(Timer().since_start())
    reveal_type(ProgressBar(3).completed)
    reveal_type(UserError("text"))
    reveal_type(exists("a.txt"))
    reveal_type(get_text("a.txt"))
    reveal_type(list_from_file("a.txt"))
    reveal_type(join_path("a", "b"))
    reveal_type(put_text("text", "a.txt"))
    reveal_type(get_file_backend("a.txt"))
    reveal_type(LocalBackend().get("a.txt"))
    with get_local_path("a.txt") as path:
        reveal_type(path)
    reveal_type(register_backend("vault", LocalBackend, prefixes="vault://"))
    reveal_type(Registry("parts").scope)
    reveal_type(MODELS.name)
    reveal_type(DefaultScope.get_current_instance())
    reveal_type(Config(dict(lr=0.1)))
    reveal_type(Config.fromfile("config.py").pretty_text)
    reveal_type(len(diff(Config(), Config())))
    reveal_type(print_log("text", "current"))
    reveal_type(MMLogger.get_instance("run"))
    reveal_type(MessageHub.get_instance("run").get_scalar("loss"))
    reveal_type(len(HistoryBuffer()))
    reveal_type(sorted(collect_env()))


def use_torch_parts() -> None:
    """Devices, processes, data, optimizers."""
    model = nn.Linear(2, 1)
    reveal_type(get_device())
    with autocast("cpu"):
        reveal_type(get_rank() + get_world_size())
    reveal_type(get_dist_info())
    reveal_type(is_main_process())
    reveal_type(all_reduce_dict({"loss": torch.ones(1)}))
    reveal_type(unwrap(model))
    reveal_type(is_model_wrapper(model))
    reveal_type(has_batch_norm(model))
    reveal_type(length_of([1, 2]))
    reveal_type(load_state_dict(model, {}))
    reveal_type(find_latest_checkpoint("runs"))
    reveal_type(find_newest_checkpoint("runs"))
    reveal_type(CheckpointFolder("runs").path)
    reveal_type(BackgroundWriter())
    reveal_type(initialize(model, {"type": "Normal"}))
    reveal_type(bias_init_with_prob(0.1))
    reveal_type(stack_batch([torch.ones(3, 2, 2)]))
    reveal_type(parameter_count(model))
    reveal_type(FlopAnalyzer(model, torch.ones(1, 2)).total())
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    reveal_type(wrapper)
    reveal_type(wrapper.get_lr())
    reveal_type(wrapper.update_params(torch.ones(())))
    reveal_type(AmpOptimWrapper(optimizer=wrapper.optimizer).loss_scaler)
    reveal_type(OptimWrapperDict(a=wrapper)["a"])
    reveal_type(build_optim_wrapper(model, {"optimizer": {"type": "SGD", "lr": 0.1}}))
    reveal_type(LinearLR(wrapper, 0.1))
    reveal_type(MultiStepLR(wrapper, [3]).get_last_value())
    reveal_type(CosineAnnealingLR(wrapper, T_max=3).step())
    reveal_type(ExponentialMovingAverage(model))
    reveal_type(BaseDataElement())
    reveal_type(len(InstanceData(scores=torch.ones(2))))


def use_runner(runner: Runner) -> None:
    """A run and its parts."""
    reveal_type(runner.train())
    reveal_type(runner.val())
    reveal_type(runner.epoch + runner.iter)
    reveal_type(runner.max_epochs)
    reveal_type(runner.train_loop)
    reveal_type(runner.val_loop)
    reveal_type(runner.logger)
    reveal_type(runner.model)
    reveal_type(runner.optim_wrapper)
    reveal_type(len(runner.train_dataloader))
    reveal_type(runner.val_evaluator)
    reveal_type(runner.message_hub)
    reveal_type(runner.visualizer)
    reveal_type(runner.log_processor)
    reveal_type(runner.cfg)
    reveal_type(runner.hooks)
    reveal_type(runner.run_state)
    reveal_type(runner.progress)
    reveal_type(runner.seed)
    reveal_type(runner.work_dir)
    reveal_type(Runner.from_cfg(Config()))
    reveal_type(Progress(epoch=1).epoch)
    reveal_type(RunState())
    reveal_type(TrainingInterrupted("text", 0, "SIGTERM", None).status)
    reveal_type(EpochBasedTrainLoop(runner, {}, max_epochs=3).max_epochs)
    reveal_type(ValLoop(runner, {}, {}).run())
    reveal_type(LogProcessor(window_size=3).window_size)
    reveal_type(CheckpointHook(interval=1).best_ckpt_path)
    reveal_type(EMAHook())
    reveal_type(get_priority("LOW") + Priority.HIGH.value)
    reveal_type(set_random_seed(3))
    reveal_type(calc_dynamic_intervals(1, [(2, 3)]))
    reveal_type(Visualizer(vis_backends=[LocalVisBackend("runs")]).get_backend("a"))


@DATASETS.register_module()
class Points(Dataset[Tensor]):
    """A dataset of torch."""

    @eng_override
    def __getitem__(self, index: int) -> Tensor:
        return torch.ones(2)

    def __len__(self) -> int:
        return 3


@DATASETS.register_module()
class Listed(BaseDataset):
    """A dataset with a list of samples."""

    @eng_override
    def load_data_list(self) -> list[dict[str, str]]:
        return [{"path": "a"}]


@MODELS.register_module()
class Net(BaseModel):
    """A model whose forward pass takes tensors."""

    def __init__(self, channels: int) -> None:
        super().__init__(data_preprocessor=ImgDataPreprocessor(mean=[0.0], std=[1.0]))
        self.channels = channels

    @override
    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> dict[str, Tensor]:
        return {"loss": inputs.sum()}


@MODELS.register_module(name="part")
class Block(BaseModule):
    """A part of a model."""

    @eng_override
    def forward(self, x: Tensor) -> Tensor:
        return x


@METRICS.register_module()
class Share(BaseMetric):
    """A metric."""

    @override
    def process(self, data_batch: Mapping[str, Tensor], data_samples: Sequence[Tensor]) -> None:
        self.results.extend(data_samples)

    @override
    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        return {"share": float(len(results))}


@HOOKS.register_module(force=True)
class Stop(Hook):
    """A hook that annotates the runner and what it is given as it likes."""

    @override
    def before_run(self, runner: Runner) -> None:
        runner.logger.info("begins")

    @override
    def before_train(self, runner: HookRunner) -> None:
        runner.logger.info(str(runner.iter))

    @override
    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Mapping[str, Tensor] | None = None,
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        reveal_type(self.every_n_train_iters(runner, 3))


class Loop(BaseLoop):
    """A loop."""

    @override
    def run(self) -> dict[str, float]:
        return {}


class Vault(BaseStorageBackend):
    """A storage."""

    @override
    def get(self, filepath: str | PathLike[str]) -> bytes:
        return b""

    @override
    def get_text(self, filepath: str | PathLike[str], encoding: str = "utf-8") -> str:
        return ""


class Ones(BaseInit):
    """An initialisation."""

    @override
    def __call__(self, module: nn.Module) -> None:
        nn.init.ones_(next(module.parameters()))


class Halve(BaseDataPreprocessor):
    """A preprocessor."""

    @override
    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        return data


def use_classes(runner: Runner) -> None:
    """Classes that decorators registered are still themselves."""
    reveal_type(Net(3))
    reveal_type(Net(3).channels)
    reveal_type(Points()[0])
    reveal_type(Listed())
    reveal_type(Block())
    reveal_type(Share().compute_metrics([]))
    reveal_type(Stop().priority)
    reveal_type(Compose([]))
    reveal_type(ConcatDataset([Listed()]))
    reveal_type(RepeatDataset(Listed(), times=2).times)
    reveal_type(DefaultSampler(Points()))
    reveal_type(list(InfiniteSampler(Points())))
    reveal_type(len(Evaluator([Share()]).metrics))
    reveal_type(Vault().get("a"))
    reveal_type(runner.register_hook(Stop()))

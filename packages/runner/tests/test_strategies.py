"""FlexibleRunner on one device, strategies without a runner, and what is refused."""

import pytest
import torch
from torch import nn

from eng.config import Config
from eng.hooks import Hook
from eng.model import BaseModel
from eng.optim import MultiStepLR, OptimWrapper
from eng.registry import DATASETS, MODELS, OPTIM_WRAPPERS, RUNNERS, STRATEGIES
from eng.runner import (
    BaseStrategy,
    FlexibleRunner,
    FSDPStrategy,
    Runner,
    RunnerConfigError,
    SingleDeviceStrategy,
)
from eng.runner.check import check_config


class Losses(Hook):
    priority = "LOWEST"

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs["loss"].item())


def train(job, runner_type=FlexibleRunner, **changes):
    hook = Losses()
    runner = runner_type.from_cfg({**job, **changes})
    runner.register_hook(hook)
    runner.train()
    return hook.losses, runner


@pytest.fixture
def drawn(job):
    """A job whose dataset and initial values draw from the generators of the process."""
    kind = job["train_dataloader"]["dataset"]["type"]

    @DATASETS.register_module(name="DrawnLines", force=True)
    class DrawnLines(DATASETS.get(kind)):
        def __init__(self):
            super().__init__(12)
            self.x = torch.randn(12, 3)

    for mode in ("train", "val", "test"):
        job[f"{mode}_dataloader"]["dataset"] = {"type": "DrawnLines"}
    return job


def test_losses_are_those_of_runner_and_each_resumes_from_the_other(drawn, tmp_path):
    whole, runner = train(drawn, Runner, work_dir=str(tmp_path / "runner"))
    flexible, _ = train(drawn, work_dir=str(tmp_path / "flexible"))
    assert len(whole) == 9
    assert flexible == whole
    for runner_type, source in [(Runner, "flexible"), (FlexibleRunner, "runner")]:
        path = str(tmp_path / source / "epoch_2.pth")
        place = str(tmp_path / f"from_{source}")
        resumed, _ = train(drawn, runner_type, work_dir=place, load_from=path, resume=True)
        assert resumed == whole[6:]
    by_path, runner = train(drawn, work_dir=str(tmp_path / "path"), resume=path)
    assert by_path == whole[6:]
    assert (runner.epoch, runner.iter) == (3, 9)


def test_the_model_is_a_config_until_it_is_needed(job):
    runner = FlexibleRunner.from_cfg(job)
    assert runner.model == job["model"]
    assert runner.model_name == "LineModel"
    assert isinstance(runner.strategy, SingleDeviceStrategy)
    assert set(runner.val()) == {"line/loss"}
    model = runner.model
    assert isinstance(model, BaseModel)
    runner.train()
    assert runner.model is model
    assert isinstance(runner.optim_wrapper, OptimWrapper)
    assert set(runner.test()) == {"line/loss"}


def test_checkpoints_have_the_keys_of_the_family(job):
    job.pop("param_scheduler")
    _, runner = train(job)
    saved = torch.load(f"{runner.work_dir}/epoch_3.pth", weights_only=True)
    assert {"message_hub", "meta", "optimizer", "state_dict"} <= set(saved)
    assert saved["meta"]["mmengine"].startswith("0.10.7+")
    assert "mmengine_version" not in saved["meta"]
    assert saved["meta"]["epoch"] == 3


def test_only_the_model_is_required_in_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = FlexibleRunner.from_cfg(Config({"model": {"type": "LineModel"}}))
    assert runner.work_dir == str(tmp_path / "work_dirs")
    with pytest.raises(RuntimeError, match="train_dataloader"):
        runner.train()
    with pytest.raises(RuntimeError, match="val_dataloader"):
        runner.val()


def test_a_runner_type_in_a_config_is_found_by_name(job):
    assert isinstance(RUNNERS.build({"runner_type": "FlexibleRunner", **job}), FlexibleRunner)
    names = ["SingleDeviceStrategy", "DDPStrategy", "FSDPStrategy", "DeepSpeedStrategy"]
    for name in [*names, "ColossalAIStrategy"]:
        assert issubclass(STRATEGIES.require(name), BaseStrategy)
    assert OPTIM_WRAPPERS.get("DeepSpeedOptimWrapper").__name__ == "DeepSpeedOptimWrapper"


def test_a_strategy_object_brings_its_folder_unless_the_runner_has_one(job, tmp_path):
    first = SingleDeviceStrategy(work_dir=str(tmp_path / "of_strategy"))
    assert FlexibleRunner(job["model"], strategy=first).work_dir == first.work_dir
    second = SingleDeviceStrategy()
    place = str(tmp_path / "of_runner")
    runner = FlexibleRunner(job["model"], strategy=second, work_dir=place)
    assert runner.work_dir == second.work_dir == place
    assert runner.seed == second.seed


def test_a_strategy_object_is_for_one_run(job):
    strategy = SingleDeviceStrategy()
    FlexibleRunner(job["model"], work_dir=job["work_dir"], strategy=strategy)
    with pytest.raises(RunnerConfigError, match="make one for each run"):
        FlexibleRunner(job["model"], work_dir=job["work_dir"], strategy=strategy)


def test_arguments_of_a_strategy_are_checked_before_anything_is_built(job):
    strategy = {"type": "SingleDeviceStrategy", "sync": 1}
    job |= {"runner_type": "FlexibleRunner", "strategy": strategy}
    ((text, is_error),) = check_config(Config(job))
    assert text.startswith("strategy: SingleDeviceStrategy has no argument 'sync'")
    assert is_error


def test_parallel_and_a_strategy_are_refused(job):
    with pytest.raises(RunnerConfigError, match="remove parallel"):
        FlexibleRunner.from_cfg({**job, "parallel": {"shard": 1}})


def test_a_strategy_of_a_user_handles_the_files(job):
    calls = []

    @STRATEGIES.register_module(name="CountingStrategy", force=True)
    class CountingStrategy(SingleDeviceStrategy):
        def save_checkpoint(self, filename, **kwargs):
            calls.append("save")
            super().save_checkpoint(filename, **kwargs)

        def load_checkpoint(self, filename, **kwargs):
            calls.append("load")
            return super().load_checkpoint(filename, **kwargs)

        def resume(self, filename, **kwargs):
            calls.append("resume")
            return super().resume(filename, **kwargs)

    plain, _ = train(job, work_dir=f"{job['work_dir']}_plain")
    job["strategy"] = {"type": "CountingStrategy"}
    whole, runner = train(job)
    assert calls == ["save"] * 3
    assert whole == plain
    calls.clear()
    place = f"{job['work_dir']}_resumed"
    path = f"{runner.work_dir}/epoch_2.pth"
    resumed, runner = train(job, work_dir=place, resume=path)
    assert calls == ["resume", "load", "save"]
    assert resumed == whole[10:]
    calls.clear()
    runner.load_checkpoint(path)
    assert calls == ["load"]


def test_a_strategy_serves_a_loop_of_ones_own(tmp_path):
    strategy = SingleDeviceStrategy(
        work_dir=str(tmp_path),
        experiment_name="own",
        env_kwargs={"randomness": {"seed": 7}},
        auto_scale_lr={"enable": True, "base_batch_size": 4},
    )
    sizes = {
        "epoch_length": 2,
        "max_epochs": 3,
        "max_iters": 6,
        "train_micro_batch_size_per_gpu": 8,
    }
    optim_wrapper = {"optimizer": {"type": "SGD", "lr": 0.1}, "accumulative_counts": 4}
    scheduler = {"type": "LinearLR", "start_factor": 0.5, "by_epoch": False}
    given = {"optim_wrapper": optim_wrapper, "param_scheduler": scheduler}
    parts = strategy.prepare({"type": "LineModel"}, **given, dispatch_kwargs=sizes)
    model, wrapper, (schedule,) = parts
    assert strategy.prepare(model, **given) == parts
    assert (strategy.seed, strategy.rank, strategy.world_size) == (7, 0, 1)
    assert strategy.launcher == "none"
    assert strategy.experiment_name == f"own_{strategy.timestamp}"
    assert schedule.end == 6
    assert wrapper.get_lr() == {"lr": [pytest.approx(0.1)]}  # scaled by two, half at the start
    data = {"inputs": torch.ones(8, 3), "data_samples": torch.ones(8, 1)}
    for _ in range(6):
        model.train_step(data, wrapper)
        schedule.step()
    assert not any(p.grad is not None and p.grad.any() for p in model.parameters())
    strategy.save_checkpoint(f"{tmp_path}/last.pth", extra_ckpt={"meta": {"epoch": 3, "iter": 6}})

    other = SingleDeviceStrategy(work_dir=str(tmp_path))
    again, again_wrapper, (again_schedule,) = other.prepare(
        {"type": "LineModel"}, **given, dispatch_kwargs=sizes
    )
    rest = other.load_or_resume(resume=True)
    assert rest["meta"]["seed"] == 7
    assert "state_dict" not in rest
    assert again_schedule.last_step == schedule.last_step
    assert again_wrapper.get_lr() == wrapper.get_lr()
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_parts_that_are_built_already_are_kept(tmp_path):
    strategy = SingleDeviceStrategy(work_dir=str(tmp_path))
    model = nn.Linear(1, 1)
    built = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    first = MultiStepLR(built, milestones=[1])
    second = {"type": "ConstantLR", "factor": 0.5, "end": 3}
    prepared = strategy.prepare(model, optim_wrapper=built, param_scheduler=[first, second])
    assert prepared[:2] == [model, built]
    assert prepared[2][0] is first
    assert [type(each).__name__ for each in prepared[2]] == ["MultiStepLR", "ConstantLR"]


def test_accumulation_needs_the_end_of_training(tmp_path):
    strategy = SingleDeviceStrategy(work_dir=str(tmp_path))
    wrapper = {"optimizer": {"type": "SGD", "lr": 0.1}, "accumulative_counts": 2}
    with pytest.raises(ValueError, match="'max_iters' in dispatch_kwargs"):
        strategy.prepare(nn.Linear(1, 1), optim_wrapper=wrapper)


def test_synchronised_norms_are_reverted(tmp_path):
    strategy = SingleDeviceStrategy(work_dir=str(tmp_path))
    (model,) = strategy.prepare(nn.Sequential(nn.Conv2d(1, 1, 1), nn.SyncBatchNorm(1)))
    assert not isinstance(model[1], nn.SyncBatchNorm)


@pytest.mark.parametrize("target", [None, "forward", "train_step", "net"])
def test_compile_has_a_target(job, target, monkeypatch):
    compiled = []

    def compile_function(function=None, **kwargs):
        compiled.append((getattr(function, "__name__", ""), kwargs))
        return function

    monkeypatch.setattr(torch, "compile", compile_function)
    settings = {"backend": "eager"} if target is None else {"backend": "eager", "target": target}
    losses, _ = train(job, compile=settings)
    plain, _ = train(job, work_dir=f"{job['work_dir']}_plain")
    assert losses == plain
    name = "train_step" if target == "train_step" else "_call_impl"
    assert [each[0] for each in compiled] == [name]
    assert all(each[1].get("backend") == "eager" for each in compiled)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"strategy": "DDPStrategy"}, AssertionError, "strategy must be a dict such as"),
        ({"strategy": {"sync_bn": "torch"}}, AssertionError, "strategy needs a 'type'"),
        ({"strategy": {"type": "NoStrategy"}}, KeyError, "NoStrategy"),
        ({"strategy": {"type": "ColossalAIStrategy"}}, ValueError, "needs colossalai"),
        ({"compile": "yes"}, TypeError, "compile must be"),
        ({"resume": "a.pth", "load_from": "b.pth"}, ValueError, "leave out load_from"),
    ],
)
def test_invalid_settings_are_refused(job, changes, error, text):
    with pytest.raises(error, match=text):
        FlexibleRunner.from_cfg({**job, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"state_dict_cfg": "global"}, ValueError, "must be 'local', 'full' or a dict"),
        ({"state_dict_cfg": 3}, TypeError, "must be 'local', 'full' or a dict"),
        ({"state_dict_cfg": {"state_dict_type": "HALF"}}, ValueError, "FULL_STATE_DICT"),
        ({"state_dict_cfg": {"kind": "x"}}, ValueError, "unexpected settings"),
        (
            {"state_dict_cfg": {"state_dict_config": {"type": "FullStateDictConfig", "gpu": 1}}},
            TypeError,
            "gpu",
        ),
        ({"skip_init_weights": 1}, TypeError, "skip_init_weights must be True or False"),
        ({"activation_checkpointing": "all"}, TypeError, "activation_checkpointing must be"),
    ],
)
def test_invalid_settings_of_fsdp_are_refused(changes, error, text):
    with pytest.raises(error, match=text):
        FSDPStrategy(**changes)


def test_a_strategy_without_a_model_says_so(tmp_path):
    with pytest.raises(RunnerConfigError, match=r"call prepare\(model"):
        SingleDeviceStrategy(work_dir=str(tmp_path)).model_state_dict()


def test_a_model_of_the_registry_is_not_changed_by_a_run(job):
    before = dict(job["model"])
    train(job)
    assert job["model"] == before
    assert isinstance(MODELS.build(job["model"]), BaseModel)

"""A resumed run is the run that was not stopped: data, cycles, schedules, optimizers, averages."""

from __future__ import annotations

import copy
import itertools
import json
import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from eng.dataset import DefaultSampler
from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.optim import OptimWrapper, OptimWrapperDict
from eng.registry import METRICS, MODELS
from eng.runner import Runner
from eng.runner.errors import RunnerConfigError

LENGTH = 18


class Points(torch.utils.data.Dataset):
    """Each sample is its number and some noise, drawn where it is prepared."""

    def __init__(self, noise: bool = True) -> None:
        self.noise = noise

    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, index: Any) -> dict[str, Any]:
        if isinstance(index, tuple):
            index = index[0]
        noise = random.random() + float(np.random.rand()) + torch.rand(3) if self.noise else 0.0
        return {"inputs": torch.full((3,), index / LENGTH) + 0.1 * noise, "data_samples": index}


@MODELS.register_module(force=True)
class PointModel(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs)
        if mode == "loss":
            return {"loss": (out - 1).square().mean()}
        return [{"value": float(each)} for each in out.flatten()]


@METRICS.register_module(force=True)
class PointMetric(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["value"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"value": sum(results) / len(results)}


class Losses(Hook):
    """Notes losses and samples, and stops after an iteration."""

    priority = "LOWEST"

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.seen: dict[int, Any] = {}

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        samples = data_batch["data_samples"]
        numbers = [int(each) for each in samples]
        self.seen[runner.iter + 1] = (numbers, outputs["loss"].item(), lr_of(runner))
        if runner.iter + 1 == self.stop_at:
            raise KeyboardInterrupt


def lr_of(runner: Any) -> list[float]:
    return [value for values in runner.optim_wrapper.get_lr().values() for value in values]


def config(work_dir: Path, **changes: Any) -> dict[str, Any]:
    """Trains for 3 epochs of 5 batches and saves after each iteration."""
    return {
        "work_dir": str(work_dir),
        "model": {"type": "PointModel"},
        "train_dataloader": {
            "batch_size": 4,
            "dataset": Points(),
            "sampler": {"type": "DefaultSampler"},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1, "momentum": 0.5}},
        "default_hooks": {
            "checkpoint": {"type": "CheckpointHook", "interval": 1, "by_epoch": False}
        },
        "randomness": {"seed": 5},
        **changes,
    }


def run(job: dict[str, Any], stop_at: int | None = None) -> tuple[Runner, Losses]:
    losses = Losses(stop_at)
    runner = Runner(**{**job, "custom_hooks": [*job.get("custom_hooks", []), losses]})
    try:
        runner.train()
    except KeyboardInterrupt:
        assert stop_at is not None
    return runner, losses


def check_exact(tmp_path: Path, make: Any, stop_at: int) -> Losses:
    """Stop a run, resume it, and hold it against one that was not stopped."""
    _, whole = run(make(tmp_path / "whole"))
    _, begun = run(make(tmp_path / "stopped"), stop_at)
    _, rest = run({**make(tmp_path / "stopped"), "resume": True})
    found = {**begun.seen, **rest.seen}
    assert min(rest.seen, default=stop_at + 1) == stop_at + 1
    assert found == whole.seen
    return whole


# ---------------------------------------------------------------------- the order of the data


def start_worker(worker_id: int, first: int) -> None:
    """A function of the user, which takes no seed."""
    assert worker_id >= first


def test_workers_that_a_function_of_the_user_starts(tmp_path: Path) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        job = config(work_dir)
        start = {"type": start_worker, "first": 0}
        job["train_dataloader"].update(num_workers=1, worker_init_fn=start)
        return job

    check_exact(tmp_path, make, 7)


class GrowingBatches(Hook):
    """Changes the batch size of the data loader between epochs."""

    def before_train_epoch(self, runner: Any) -> None:
        runner.train_dataloader.batch_sampler.batch_size = 2 + runner.epoch


@pytest.mark.parametrize("stop_at", [4, 9, 12, 17])
def test_batches_that_a_hook_makes_larger(tmp_path: Path, stop_at: int) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        return config(work_dir, custom_hooks=[GrowingBatches()])

    whole = check_exact(tmp_path, make, stop_at)
    assert [len(numbers) for numbers, *_ in whole.seen.values()] == [2] * 9 + [3] * 6 + [4] * 4 + [
        2
    ]


class LazySampler(Sampler[int]):
    """Draws each index when it is asked for, from the generators of the process."""

    def __iter__(self) -> Iterator[int]:
        for _ in range(LENGTH):
            yield (
                random.randrange(LENGTH)
                if np.random.rand() < 0.5
                else int(torch.randint(LENGTH, ()))
            )

    def __len__(self) -> int:
        return LENGTH


class EpochSampler(Sampler[int]):
    """Has an order of its own for each epoch, and no state."""

    def __init__(self) -> None:
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(random.Random(self.epoch).sample(range(LENGTH), LENGTH))

    def __len__(self) -> int:
        return LENGTH


class OtherOrder(DefaultSampler):
    """Derives from a sampler that can be moved, but has another order that cannot."""

    def __iter__(self) -> Iterator[int]:
        return iter(np.random.permutation(len(self.dataset)).tolist())


class Buckets(BatchSampler):
    """Gathers samples by a property: batches do not come in the order of the sampler."""

    def __iter__(self) -> Iterator[list[int]]:
        buckets: dict[int, list[int]] = {0: [], 1: [], 2: []}
        for index in self.sampler:
            bucket = buckets[index % 3]
            bucket.append(index)
            if len(bucket) == self.batch_size:
                yield list(bucket)
                bucket.clear()
        left = list(itertools.chain(*buckets.values()))
        while left:
            yield left[: self.batch_size]
            left = left[self.batch_size :]


def loader(kind: str, **settings: Any) -> DataLoader:
    data = Points()
    generator = torch.Generator().manual_seed(9)
    batches = {
        "shuffle": {"shuffle": True},
        "shuffle with a generator": {"shuffle": True, "generator": generator},
        "sequential": {},
        "replacement": {"sampler": RandomSampler(data, replacement=True)},
        "replacement with a generator": {
            "sampler": RandomSampler(data, replacement=True, generator=generator)
        },
        "more than the data": {"sampler": RandomSampler(data, True, num_samples=50)},
        "subset": {"sampler": SubsetRandomSampler(range(2, LENGTH))},
        "weighted": {"sampler": WeightedRandomSampler([1.0, 2.0] * (LENGTH // 2), LENGTH)},
        "drawn as it goes": {"sampler": LazySampler()},
        "by the epoch": {"sampler": EpochSampler()},
        "derived": {"sampler": OtherOrder(data)},
        "ours": {"sampler": DefaultSampler(data, seed=4)},
        "batch sampler": {
            "batch_sampler": BatchSampler(RandomSampler(data), batch_size=4, drop_last=True)
        },
        "buckets": {"batch_sampler": Buckets(RandomSampler(data), 4, drop_last=False)},
        "buckets over ours": {
            "batch_sampler": Buckets(DefaultSampler(data, seed=4), 4, drop_last=False)
        },
    }[kind]
    if "batch_sampler" not in batches:
        batches["batch_size"] = 4
    return DataLoader(data, **{**batches, **settings})  # type: ignore[arg-type]


KINDS = [
    "shuffle",
    "shuffle with a generator",
    "sequential",
    "replacement",
    "replacement with a generator",
    "more than the data",
    "subset",
    "weighted",
    "drawn as it goes",
    "by the epoch",
    "derived",
    "ours",
    "batch sampler",
    "buckets",
    "buckets over ours",
]


@pytest.mark.parametrize("by_epoch", [True, False], ids=["epoch", "iter"])
@pytest.mark.parametrize("kind", KINDS)
def test_any_sampler_continues_its_order(tmp_path: Path, kind: str, by_epoch: bool) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        job = config(work_dir, train_dataloader=loader(kind))
        if not by_epoch:
            job["train_cfg"] = {"by_epoch": False, "max_iters": 13}
        return job

    whole = check_exact(tmp_path, make, stop_at=7)
    orders = [tuple(numbers) for numbers, _, _ in whole.seen.values()]
    assert kind == "sequential" or len(set(orders)) > 8


@pytest.mark.exact
@pytest.mark.parametrize("persistent", [False, True], ids=["new", "persistent"])
@pytest.mark.parametrize("stop_at", [7, 10], ids=["inside", "between"])
@pytest.mark.parametrize("kind", ["shuffle", "drawn as it goes", "buckets over ours", "ours"])
def test_workers_prepare_the_same_samples(
    tmp_path: Path, kind: str, stop_at: int, persistent: bool
) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        ready = loader(kind, num_workers=2, persistent_workers=persistent)
        return config(work_dir, train_dataloader=ready)

    check_exact(tmp_path, make, stop_at)


def test_a_ready_data_loader_is_left_as_it_is(tmp_path: Path) -> None:
    ready = loader("shuffle")
    before = dict(vars(ready))
    runner, _ = run(config(tmp_path, train_dataloader=ready))
    assert runner.train_dataloader is ready
    assert vars(ready) == before


def test_a_config_without_a_sampler_has_an_order_by_the_seed(tmp_path: Path) -> None:
    job = config(tmp_path)
    del job["train_dataloader"]["sampler"]
    job["train_dataloader"]["shuffle"] = True
    runner, losses = run(job)
    assert isinstance(runner.train_dataloader.sampler, DefaultSampler)
    orders = [losses.seen[i][0] for i in (1, 6, 11)]
    assert orders[0] != orders[1] != orders[2]


def test_another_batch_size_continues_with_the_samples_that_are_left(tmp_path: Path) -> None:
    job = config(tmp_path, train_dataloader=loader("shuffle"))
    _, begun = run(job, stop_at=2)
    ready = DataLoader(Points(), batch_size=3, shuffle=True)
    _, rest = run({**job, "train_dataloader": ready, "resume": True})
    first_epoch = [begun.seen[i][0] for i in (1, 2)] + [rest.seen[i][0] for i in (3, 4, 5, 6)]
    assert sorted(itertools.chain(*first_epoch)) == list(range(LENGTH))


def test_an_order_that_is_not_known_is_said_to_be_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = config(tmp_path, train_dataloader=loader("shuffle"))
    run(job, stop_at=2)
    path = tmp_path / "iter_2.pth"
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["train_state"]["data"]  # as an engine saves it that knows of none
    torch.save(checkpoint, path)
    lines = messages(run({**job, "resume": True})[0])
    assert any("does not have the order of the samples" in line for line in lines)


def messages(runner: Runner) -> list[str]:
    """What the log of a run says."""
    paths = Path(runner.log_dir).glob("*.log")
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------------- loaders of other kinds


class Stream(IterableDataset):
    """Counts on, and has a place that it can be put back to."""

    def __init__(self, length: int = 20) -> None:
        self.length, self.place = length, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self.place < self.length:
            self.place += 1
            yield {"inputs": torch.full((3,), self.place / 10), "data_samples": self.place}
        self.place = 0


class StatefulStream(Stream):
    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


@pytest.mark.parametrize("stop_at", [3, 5, 7])
@pytest.mark.parametrize("kind", [Stream, StatefulStream])
def test_iterable_datasets(tmp_path: Path, kind: Any, stop_at: int) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        ready = DataLoader(kind(), batch_size=4)
        cfg = {"by_epoch": False, "max_iters": 11}
        return config(work_dir, train_dataloader=ready, train_cfg=cfg)

    check_exact(tmp_path, make, stop_at)
    lines = messages(Runner(**make(tmp_path / "third")))
    runner, _ = run(make(tmp_path / "fourth"), stop_at=1)
    lines = messages(runner)
    assert any("inside an epoch is not exact" in line for line in lines) is (kind is Stream)


def test_epochs_of_data_without_a_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunnerConfigError, match=r"has no length.*by_epoch=False"):
        Runner(**config(tmp_path, train_dataloader=DataLoader(Stream(), batch_size=4))).train()


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.exact)])
@pytest.mark.parametrize("stop_at", [3, 5, 7])
@pytest.mark.parametrize("by_epoch", [True, False], ids=["epoch", "iter"])
def test_a_stateful_data_loader(tmp_path: Path, by_epoch: bool, stop_at: int, workers: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def make(work_dir: Path) -> dict[str, Any]:
        torch.manual_seed(0)  # of which its sampler draws a seed when it is made
        ready = stateful.StatefulDataLoader(
            Points(noise=False), batch_size=4, shuffle=True, num_workers=workers
        )
        job = config(work_dir, train_dataloader=ready)
        if not by_epoch:
            job["train_cfg"] = {"by_epoch": False, "max_iters": 13}
        return job

    check_exact(tmp_path, make, stop_at)


class Endless:
    """A loader of no class of torch."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in itertools.count():
            yield {"inputs": torch.full((2, 3), number / 10), "data_samples": [number, number]}


def test_a_loader_of_no_class_of_torch(tmp_path: Path) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        cfg = {"by_epoch": False, "max_iters": 6}
        return config(work_dir, train_dataloader=Endless(), train_cfg=cfg)

    check_exact(tmp_path, make, 4)


# ---------------------------------------------------------------------- cycles


@pytest.mark.parametrize("stop_at", [1, 3, 4, 5, 10, 14])
def test_gradients_of_an_open_cycle_are_part_of_the_state(tmp_path: Path, stop_at: int) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        job = config(work_dir)
        job["optim_wrapper"]["accumulative_counts"] = 4
        return job

    check_exact(tmp_path, make, stop_at)
    saved = torch.load(tmp_path / "stopped" / f"iter_{stop_at}.pth", weights_only=True)
    (state,) = saved["train_state"]["accumulation"]
    assert ("gradients" in state) is (stop_at % 4 != 0)


class Rivals(BaseModel):
    """Two networks, each with an optimizer and a cycle; one leaves gradients in the other."""

    def __init__(self, zero_first: bool = False) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 1)
        self.zero_first = zero_first

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        inputs = data["inputs"]
        loss = self.two(self.one(inputs)).square().mean()
        optim_wrapper["one"].update_params(loss)
        for _ in range(2):
            other = (self.two(inputs) - 1).square().mean()
            optim_wrapper["two"].update_params(other)
        return {"loss": loss}

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 7])
def test_cycles_of_several_optimizers(tmp_path: Path, stop_at: int) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        torch.manual_seed(0)
        model = Rivals()
        wrappers = OptimWrapperDict(
            one=OptimWrapper(torch.optim.Adam(model.one.parameters(), 0.1), accumulative_counts=3),
            two=OptimWrapper(torch.optim.SGD(model.two.parameters(), 0.1), accumulative_counts=5),
        )
        return config(work_dir, model=model, optim_wrapper=wrappers)

    check_exact(tmp_path, make, stop_at)


class OwnOrder(BaseModel):
    """Drops gradients before its backward pass, as is usual outside of an engine."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        optim_wrapper.zero_grad()
        loss = self.net(data["inputs"]).square().mean()
        loss.backward()
        optim_wrapper.step()
        return {"loss": loss}

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        raise NotImplementedError


def test_gradients_that_have_been_used_are_not_saved(tmp_path: Path) -> None:
    run(config(tmp_path, model=OwnOrder()))
    (state,) = torch.load(tmp_path / "iter_3.pth", weights_only=True)["train_state"]["accumulation"]
    assert "gradients" not in state


def test_a_cycle_of_another_length_is_begun_anew(tmp_path: Path) -> None:
    job = config(tmp_path)
    job["optim_wrapper"]["accumulative_counts"] = 4
    run(job, stop_at=6)
    job["optim_wrapper"]["accumulative_counts"] = 3
    runner, losses = run({**job, "resume": True})
    assert any("the gradients of the open cycle are lost" in line for line in messages(runner))
    assert all(math.isfinite(loss) for _, loss, _ in losses.seen.values())


@pytest.mark.parametrize("batch_size", [1, 6, 18])
@pytest.mark.parametrize("stop_at", [3, 5, 8, 14])
@pytest.mark.parametrize("counts", [3, pytest.param(4, marks=pytest.mark.exact)])
def test_other_batches_change_neither_the_divisor_nor_the_end(
    tmp_path: Path, batch_size: int, stop_at: int, counts: int
) -> None:
    job = config(tmp_path)
    job["optim_wrapper"]["accumulative_counts"] = counts
    run(job, stop_at)
    job["train_dataloader"]["batch_size"] = batch_size
    runner, losses = run({**job, "resume": True})
    left = LENGTH * 3 - sum(min(4, LENGTH - 4 * (i % 5)) for i in range(stop_at))
    in_epoch = LENGTH if left % LENGTH == 0 else left % LENGTH
    to_come = -(-in_epoch // batch_size) + (left - in_epoch) // LENGTH * -(-LENGTH // batch_size)
    assert runner.epoch == 3
    assert runner.iter == runner.max_iters == stop_at + to_come
    assert all(math.isfinite(value) for value in weights(runner))
    last = (tmp_path / "last_checkpoint").read_text()
    assert Path(last).name == f"iter_{runner.iter}.pth"
    assert sorted(losses.seen) == list(range(stop_at + 1, runner.iter + 1))


def weights(runner: Runner) -> list[float]:
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()]).tolist()


# ---------------------------------------------------------------------- validation


class Seen(Hook):
    """State that depends on validations, as that of a schedule by a metric."""

    def __init__(self) -> None:
        self.before = 0

    def before_val_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.before += 1

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        seen = runner.message_hub.runtime_info.get("values", [])
        runner.message_hub.update_info("values", [*seen, metrics["value"]])


def validated(work_dir: Path, **changes: Any) -> dict[str, Any]:
    job = config(work_dir, val_cfg={}, val_evaluator={"type": "PointMetric"}, **changes)
    job["default_hooks"] = {"checkpoint": {"type": "CheckpointHook", "interval": 1}}
    job["val_dataloader"] = copy.copy(job["train_dataloader"])
    return job


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_validation_is_repeated_only_if_it_had_not_ended(tmp_path: Path, has_ended: bool) -> None:
    whole, _ = run({**validated(tmp_path / "whole"), "custom_hooks": [Seen()]})
    job = validated(tmp_path / "stopped")
    run({**job, "custom_hooks": [Seen()]}, stop_at=11)  # after the validation of epoch 2
    record = tmp_path / "stopped" / "validations.json"
    assert [each["iter"] for each in json.loads(record.read_text())["validations"]] == [5, 10]
    if not has_ended:
        record.unlink()
    seen = Seen()
    resumed, _ = run({**job, "custom_hooks": [seen], "resume": True})
    batches = 5
    assert seen.before == batches * (1 if has_ended else 2)
    values = [r.message_hub.get_info("values") for r in (whole, resumed)]
    assert values[0] == values[1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": 1}', "null", "\x00"])
def test_a_damaged_record_of_validations_is_left_out(tmp_path: Path, content: str) -> None:
    job = validated(tmp_path)
    run(job, stop_at=11)
    (tmp_path / "validations.json").write_text(content)
    seen = Seen()
    run({**job, "custom_hooks": [seen], "resume": True})
    assert seen.before == 10
    validations = json.loads((tmp_path / "validations.json").read_text())["validations"]
    assert [each["iter"] for each in validations] == [10, 15]


def test_the_record_of_another_run_is_not_taken_over(tmp_path: Path) -> None:
    run(validated(tmp_path / "other"))
    job = validated(tmp_path / "own")
    run(job, stop_at=11)
    shutil.copy(tmp_path / "other" / "validations.json", tmp_path / "own" / "validations.json")
    seen = Seen()
    run({**job, "custom_hooks": [seen], "resume": True})
    assert seen.before == 10


def test_a_run_that_does_not_validate_any_more(tmp_path: Path) -> None:
    run(validated(tmp_path), stop_at=11)
    _, rest = run({**config(tmp_path), "resume": True})
    assert sorted(rest.seen) == [11, 12, 13, 14, 15]


def test_a_file_of_another_engine_is_not_validated_at_once(tmp_path: Path) -> None:
    job = validated(tmp_path)
    run(job, stop_at=11)
    path = tmp_path / "epoch_2.pth"
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["train_state"]
    torch.save(checkpoint, path)
    seen = Seen()
    run({**job, "custom_hooks": [seen], "resume": True})
    assert seen.before == 5


def test_without_a_seed_all_loaders_follow_the_seed_of_the_run(tmp_path: Path) -> None:
    def make(work_dir: Path) -> dict[str, Any]:
        job = validated(work_dir, randomness={"seed": None})
        job["val_dataloader"]["sampler"] = {"type": "DefaultSampler", "shuffle": True}
        return job

    np.random.seed(1)
    whole, _ = run({**make(tmp_path), "custom_hooks": [Seen()]})
    shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    (tmp_path.with_name("copy") / "last_checkpoint").write_text("epoch_1.pth")
    np.random.seed(2)
    job = {**make(tmp_path.with_name("copy")), "custom_hooks": [Seen()], "resume": True}
    resumed, _ = run(job)
    assert resumed.seed == whole.seed
    for each in (resumed.train_dataloader, resumed.val_dataloader):
        assert each.sampler.seed == whole.seed
    values = [r.message_hub.get_info("values") for r in (whole, resumed)]
    assert values[0] == values[1]


def test_a_seed_that_the_config_gives_a_sampler_stays(tmp_path: Path) -> None:
    job = validated(tmp_path, randomness={"seed": None})
    job["val_dataloader"]["sampler"] = {"type": "DefaultSampler", "seed": 42}
    run(job, stop_at=6)
    runner, _ = run({**job, "resume": True})
    assert runner.val_dataloader.sampler.seed == 42


# ---------------------------------------------------------------------- optimizer and schedules


def resumed_with(tmp_path: Path, job: dict[str, Any], **changes: Any) -> tuple[Runner, list[str]]:
    """Stop a run in its eighth iteration, and resume it with other settings."""
    run(copy.deepcopy(job), stop_at=8)
    runner, losses = run({**copy.deepcopy(job), **copy.deepcopy(changes), "resume": True})
    assert all(math.isfinite(loss) for _, loss, _ in losses.seen.values())
    return runner, [line for line in messages(runner) if "WARNING" in line]


ADAM = {"optimizer": {"type": "Adam", "lr": 0.01}}


@pytest.mark.parametrize(
    ("saved", "given", "said"),
    [
        ("SGD", "Adam", "the checkpoint has the state of SGD, the config Adam"),
        ("Adam", "SGD", "the checkpoint has the state of Adam, the config SGD"),
        ("AdamW", "RMSprop", "the checkpoint has the state of AdamW, the config RMSprop"),
    ],
)
@pytest.mark.parametrize("has_type", [True, False])
def test_another_class_of_optimizer_starts_anew(
    tmp_path: Path, saved: str, given: str, said: str, has_type: bool
) -> None:
    job = config(tmp_path, optim_wrapper={"optimizer": {"type": saved, "lr": 0.01}})
    run(job, stop_at=8)
    if not has_type:  # as another engine saves it
        path = tmp_path / "iter_8.pth"
        checkpoint = torch.load(path, weights_only=True)
        del checkpoint["optimizer"]["type"]
        torch.save(checkpoint, path)
        said = f"the config {given}"
    job["optim_wrapper"] = {"optimizer": {"type": given, "lr": 0.02}}
    runner, losses = run({**job, "resume": True})
    assert any(said in line for line in messages(runner))
    assert all(math.isfinite(loss) for _, loss, _ in losses.seen.values())
    assert lr_of(runner) == [0.02]


def test_another_learning_rate_is_reported_and_the_checkpoint_holds(tmp_path: Path) -> None:
    job = config(tmp_path)
    _, lines = resumed_with(
        tmp_path,
        job,
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.2, "momentum": 0.9}},
    )
    assert any("the checkpoint has lr=0.1, the config 0.2" in line for line in lines)


@pytest.mark.parametrize(("choice", "used"), [("checkpoint", 0.1), ("config", 0.2)])
def test_it_says_whose_learning_rate_a_schedule_starts_from(
    tmp_path: Path, choice: str, used: float
) -> None:
    schedule = {"type": "ExponentialLR", "gamma": 0.9, "by_epoch": False}
    runner, lines = resumed_with(
        tmp_path,
        config(tmp_path, param_scheduler=schedule),
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.2, "momentum": 0.5}},
        cfg={"resume_schedule": choice},
    )
    (line,) = [line for line in lines if "lr=0.1, the config 0.2" in line]
    assert f"The {choice}'s is used" in line
    assert ("resume_schedule='config'" in line) is (choice == "checkpoint")
    assert lr_of(runner)[0] == pytest.approx(used * 0.9**14)  # of 15 iterations


def test_nothing_is_reported_where_nothing_has_changed(tmp_path: Path) -> None:
    schedule = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 6},
        {"type": "CosineAnnealingLR", "by_epoch": True},
    ]
    _, lines = resumed_with(tmp_path, config(tmp_path, param_scheduler=schedule))
    assert lines == []


def test_state_of_another_shape_is_left_out_alone(tmp_path: Path) -> None:
    job = config(tmp_path, optim_wrapper=ADAM)
    run(copy.deepcopy(job), stop_at=8)
    path = tmp_path / "iter_8.pth"
    checkpoint = torch.load(path, weights_only=True)
    first = checkpoint["optimizer"]["state"][0]
    first["exp_avg"], first["exp_avg_sq"] = torch.zeros(9, 3), torch.zeros(9, 3)
    torch.save(checkpoint, path)
    runner, _ = run({**job, "resume": True})
    assert any("size mismatch in the state of 1 parameters" in line for line in messages(runner))
    optimizer = runner.optim_wrapper.optimizer
    steps = [int(optimizer.state[p]["step"]) for p in optimizer.param_groups[0]["params"]]
    assert steps == [7, 15, 15, 15]


def test_groups_that_are_others_now(tmp_path: Path) -> None:
    job = config(tmp_path)
    grouped = copy.deepcopy(job["optim_wrapper"])
    grouped["paramwise_cfg"] = {"bias_lr_mult": 2.0}
    _, lines = resumed_with(tmp_path, job, optim_wrapper=grouped)
    assert any("parameter groups, the config" in line for line in lines)


def test_without_the_state_of_the_optimizer_schedules_go_on(tmp_path: Path) -> None:
    job = config(
        tmp_path, param_scheduler={"type": "ExponentialLR", "gamma": 0.9, "by_epoch": False}
    )
    job["default_hooks"]["checkpoint"]["save_optimizer"] = False
    _, whole = run(config(tmp_path / "whole", param_scheduler=job["param_scheduler"]))
    run(copy.deepcopy(job), stop_at=8)
    runner, rest = run({**copy.deepcopy(job), "resume": True})
    assert any("no state of the optimizer" in line for line in messages(runner))
    for number, (_, _, (lr,)) in rest.seen.items():
        assert lr == pytest.approx(whole.seen[number][2][0])


def test_without_the_state_of_schedules_they_are_moved_on(tmp_path: Path) -> None:
    schedule = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 6},
        {"type": "MultiStepLR", "milestones": [1, 2], "by_epoch": True},
    ]
    job = config(tmp_path, param_scheduler=schedule)
    job["default_hooks"]["checkpoint"]["save_param_scheduler"] = False
    _, whole = run(config(tmp_path / "whole", param_scheduler=schedule))
    run(copy.deepcopy(job), stop_at=8)
    runner, rest = run({**copy.deepcopy(job), "resume": True})
    assert any("no state of parameter schedulers" in line for line in messages(runner))
    for number, (_, _, (lr,)) in rest.seen.items():
        assert lr == pytest.approx(whole.seen[number][2][0])


def lrs_of_a_whole_run(tmp_path: Path, **changes: Any) -> dict[int, list[float]]:
    _, losses = run(config(tmp_path / "as_if_always", **changes))
    return {number: lr for number, (_, _, lr) in losses.seen.items()}


@pytest.mark.parametrize(
    ("saved", "given"),
    [
        ({"type": "StepLR", "step_size": 1}, {"type": "StepLR", "step_size": 1, "gamma": 0.5}),
        (
            {"type": "MultiStepLR", "milestones": [1, 2]},
            {"type": "MultiStepLR", "milestones": [1, 3]},
        ),
        (
            {"type": "CosineAnnealingLR", "T_max": 20, "by_epoch": False},
            {"type": "CosineAnnealingLR", "T_max": 30, "by_epoch": False},
        ),
        (
            {"type": "ExponentialLR", "gamma": 0.9, "by_epoch": False},
            {"type": "ExponentialLR", "gamma": 0.8, "by_epoch": False},
        ),
    ],
)
def test_changed_settings_of_a_schedule(
    tmp_path: Path, saved: dict[str, Any], given: dict[str, Any]
) -> None:
    # The checkpoint's by default, with a warning that names what is changed.
    job = config(tmp_path / "a", param_scheduler=saved)
    old = lrs_of_a_whole_run(tmp_path / "old", param_scheduler=saved)
    run(copy.deepcopy(job), stop_at=8)
    runner, rest = run({**copy.deepcopy(job), "param_scheduler": given, "resume": True})
    (line,) = [line for line in messages(runner) if "param_scheduler[0]" in line]
    changed = next(name for name in given if given[name] != saved.get(name))
    assert f"{changed}=" in line
    assert {n: lr for n, (_, _, lr) in rest.seen.items()} == {n: old[n] for n in rest.seen}
    # The config's where it says so, as if they had held from the beginning.
    job = config(tmp_path / "b", param_scheduler=saved)
    new = lrs_of_a_whole_run(tmp_path / "new", param_scheduler=given)
    run(copy.deepcopy(job), stop_at=8)
    other = {**copy.deepcopy(job), "param_scheduler": given, "resume": True}
    _, rest = run({**other, "cfg": {"resume_schedule": "config"}})
    for number, (_, _, (lr,)) in rest.seen.items():
        assert lr == pytest.approx(new[number][0])


@pytest.mark.parametrize("kind", ["CosineAnnealingLR", "PolyLR", "LinearLR", "OneCycleLR"])
@pytest.mark.parametrize("by_epoch", [True, False])
def test_a_schedule_that_follows_the_training_follows_its_new_length(
    tmp_path: Path, kind: str, by_epoch: bool
) -> None:
    schedule: dict[str, Any] = {"type": kind, "by_epoch": by_epoch}
    if kind == "OneCycleLR":
        schedule["eta_max"] = 0.5
    longer = {"train_cfg": {"by_epoch": True, "max_epochs": 5}}
    new = lrs_of_a_whole_run(tmp_path, param_scheduler=copy.deepcopy(schedule), **longer)
    job = config(tmp_path / "a", param_scheduler=schedule)
    run(copy.deepcopy(job))  # to its end
    _, rest = run({**copy.deepcopy(job), **longer, "resume": True})
    assert sorted(rest.seen) == list(range(16, 26))
    for number, (_, _, (lr,)) in rest.seen.items():
        assert lr == pytest.approx(new[number][0], abs=1e-9)


def test_another_number_or_kind_of_schedules(tmp_path: Path) -> None:
    one = {"type": "ExponentialLR", "gamma": 0.9, "by_epoch": False}
    other = {"type": "CosineAnnealingLR", "by_epoch": False}
    for number, given in enumerate([[one, one], [other], []]):
        new = lrs_of_a_whole_run(tmp_path / f"new-{number}", param_scheduler=given or None)
        job = config(tmp_path / str(number), param_scheduler=[one])
        run(copy.deepcopy(job), stop_at=8)
        runner, rest = run({**copy.deepcopy(job), "param_scheduler": given or None, "resume": True})
        if given:
            lines = [line for line in messages(runner) if "The config's are used" in line]
            assert len(lines) == 1
            for at, (_, _, (lr,)) in rest.seen.items():
                assert lr == pytest.approx(new[at][0])


def test_an_unknown_resume_schedule_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunnerConfigError, match=r"resume_schedule.*'checkpoint' or 'config'"):
        Runner(**config(tmp_path, cfg={"resume_schedule": "confg"}))


def test_several_optimizers_by_name(tmp_path: Path) -> None:
    def make(names: tuple[str, str]) -> dict[str, Any]:
        torch.manual_seed(0)
        model = Rivals()
        model_names = dict(zip(names, ("one", "two"), strict=True))

        class Named(Rivals):
            def train_step(self, data: Any, optim_wrapper: Any) -> Any:
                back = {model_names[n]: optim_wrapper[n] for n in names}
                return super().train_step(data, back)

        model = Named()
        wrappers = OptimWrapperDict(
            **{
                name: OptimWrapper(torch.optim.SGD(getattr(model, part).parameters(), 0.1))
                for name, part in model_names.items()
            }
        )
        return config(tmp_path, model=model, optim_wrapper=wrappers)

    run(make(("a", "b")), stop_at=8)
    runner, _ = run({**make(("a", "c")), "resume": True})
    said = "the states of ['a', 'b'], the config has ['a', 'c']"
    assert any(said in line for line in messages(runner))


# ---------------------------------------------------------------------- the average


def test_without_the_average_the_weights_of_training_go_on(tmp_path: Path) -> None:
    _, whole = run(config(tmp_path / "whole"))
    averaged = {"type": "EMAHook", "momentum": 0.2}
    run({**config(tmp_path / "a"), "custom_hooks": [averaged]}, stop_at=8)
    runner, rest = run({**config(tmp_path / "a"), "resume": True})
    assert any("has no EMAHook" in line for line in messages(runner))
    for number, seen in rest.seen.items():
        assert seen[1] == whole.seen[number][1]


def test_an_average_that_is_new_begins_with_the_model(tmp_path: Path) -> None:
    run(config(tmp_path), stop_at=8)
    averaged = {"type": "EMAHook", "momentum": 0.2}
    runner, rest = run({**config(tmp_path), "custom_hooks": [averaged], "resume": True})
    assert any("no averaged weights" in line for line in messages(runner))
    assert sorted(rest.seen) == list(range(9, 16))


# ---------------------------------------------------------------------- the end


class StopsEarly(Hook):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        runner.train_loop.stop_training = runner.epoch >= self.epoch


@pytest.mark.parametrize("by_epoch", [True, False])
def test_the_end_is_saved_though_training_was_stopped(tmp_path: Path, by_epoch: bool) -> None:
    job = validated(tmp_path)
    hook = {"type": "CheckpointHook", "interval": 100, "by_epoch": by_epoch}
    job["default_hooks"] = {"checkpoint": hook}
    runner, _ = run({**job, "custom_hooks": [StopsEarly(2)]})
    assert (runner.epoch, runner.iter) == (2, 10)
    name = "epoch_2.pth" if by_epoch else "iter_10.pth"
    assert (tmp_path / "last_checkpoint").read_text() == name
    assert torch.load(tmp_path / name, weights_only=True)["meta"]["iter"] == 10


def test_a_run_that_is_done_saves_nothing_when_it_is_resumed(tmp_path: Path) -> None:
    job = config(tmp_path)
    run(copy.deepcopy(job))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.pth")}
    run({**job, "resume": True})
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.pth")} == before
    log = "".join(path.read_text() for path in tmp_path.glob("*/*.log"))
    assert log.count("Training is complete: all 15 iterations are done. To continue, raise ") == 1

"""Settings of data loaders beside those of torch."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

import pytest
from torch.utils.data import BatchSampler, IterableDataset

from eng.dataset import worker_init_fn
from eng.registry import FUNCTIONS
from eng.runner import Runner


class Letters:
    metainfo: ClassVar = {"classes": ("a", "b")}

    def __init__(self, length: int = 10) -> None:
        self.items = list("abcdefghij")[:length]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> str:
        return self.items[index]

    def get_cat_ids(self, index: int) -> list[int]:
        return [index % 2]


class Stream(IterableDataset):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        return iter(range(9))


def joined(batch: list[str], end: str = "") -> str:
    return "".join(batch) + end


def started(worker_id: int, mark: str = "") -> None:
    """Needs nothing of what the engine's function takes."""


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "dataset": Letters(),
        "batch_size": 3,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": joined,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"num_batch_per_epoch": 2}, ["abc", "def"]),
        ({"num_batch_per_epoch": 1, "batch_size": 4}, ["abcd"]),
        ({"num_batch_per_epoch": 9}, ["abc", "def", "ghi", "j"]),
        ({"num_batch_per_epoch": None}, ["abc", "def", "ghi", "j"]),
        ({"num_batch_per_epoch": 2, "num_workers": 1}, ["abc", "def"]),
        (
            {
                "num_batch_per_epoch": 2,
                "batch_size": 2,
                "batch_sampler": {"type": BatchSampler, "drop_last": False},
            },
            ["ab", "cd"],
        ),
    ],
)
def test_an_epoch_may_be_cut_to_a_few_batches(changes: dict[str, Any], wanted: list[str]) -> None:
    loader = Runner.build_dataloader(settings(**changes), seed=0)
    assert list(loader) == list(loader) == wanted
    assert loader.dataset.metainfo == Letters.metainfo
    assert loader.dataset.get_cat_ids(3) == [1]


def test_what_is_cut_off_is_not_there() -> None:
    dataset: Any = Runner.build_dataloader(settings(num_batch_per_epoch=2)).dataset
    assert (len(dataset), dataset[5], dataset[-1]) == (6, "f", "f")
    for index in (6, -7):
        with pytest.raises(IndexError):
            dataset[index]
    copied = pickle.loads(pickle.dumps(dataset))
    assert (len(copied), copied[0], copied.items[9]) == (6, "a", "j")
    with pytest.raises(AttributeError):
        _ = dataset.no_such_thing


def test_the_evaluator_counts_what_is_left(job: dict[str, Any]) -> None:
    job["val_dataloader"]["num_batch_per_epoch"] = 2
    job["train_dataloader"]["num_batch_per_epoch"] = 3
    runner = Runner.from_cfg(job)
    runner.train()
    assert (runner.iter, runner.max_iters) == (9, 9)
    assert len(runner.val_dataloader.dataset) == 8


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"num_batch_per_epoch": 0}, ValueError),
        ({"num_batch_per_epoch": 1.5}, TypeError),
        ({"num_batch_per_epoch": True}, TypeError),
        ({"dataset": Stream(), "sampler": None, "num_batch_per_epoch": 1}, ValueError),
        ({"disable_subprocess_warning": 1}, TypeError),
        ({"collate_fn": "no function"}, TypeError),
        ({"collate_fn": {"end": "!"}}, TypeError),
        ({"collate_fn": 3}, TypeError),
        ({"collate_fn": {"type": "no_such_function"}}, AssertionError),
        ({"worker_init_fn": 3}, TypeError),
        ({"worker_init_fn": {"type": "no_such_function"}}, AssertionError),
        ({"worker_init_fn": {"mark": "x"}}, TypeError),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    changes: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        Runner.build_dataloader(settings(**changes))


def test_functions_are_given_by_name_or_as_they_are() -> None:
    FUNCTIONS.register_module(module=joined, name="joined_for_test")
    try:
        for kind in ("joined_for_test", joined):
            loader = Runner.build_dataloader(settings(collate_fn={"type": kind, "end": "!"}))
            assert next(iter(loader)) == "abc!"
    finally:
        FUNCTIONS.module_dict.pop("joined_for_test")


def test_an_init_function_gets_what_it_takes() -> None:
    own: Any = Runner.build_dataloader(
        settings(worker_init_fn={"type": started, "mark": "m"}, num_workers=1), seed=3
    )
    assert own.worker_init_fn.keywords == {"mark": "m"}
    assert next(iter(own)) == "abc"
    engines: Any = Runner.build_dataloader(settings(disable_subprocess_warning=True), seed=3)
    assert engines.worker_init_fn.func is worker_init_fn
    assert engines.worker_init_fn.keywords == {
        "num_workers": 0,
        "rank": 0,
        "seed": 3,
        "disable_subprocess_warning": True,
    }
    assert Runner.build_dataloader(settings(worker_init_fn=started)).worker_init_fn is started


def test_a_batch_sampler_may_have_the_size_of_its_batches() -> None:
    cfg = settings(batch_sampler={"type": BatchSampler, "batch_size": 4, "drop_last": True})
    del cfg["batch_size"]
    loader = Runner.build_dataloader(cfg)
    assert list(loader) == ["abcd", "efgh"]

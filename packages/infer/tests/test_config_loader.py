"""The data loader of the test is found in a config."""

from __future__ import annotations

from eng.config import Config
from eng.infer.config_loader import find_loader

LOADER = {"dataset": {"type": "Points"}, "batch_size": 2}


def test_the_first_that_is_given() -> None:
    keys = ("test_dataloader", "val_dataloader")
    assert find_loader(Config({"val_dataloader": LOADER}), *keys) == LOADER
    assert find_loader(Config({"test_dataloader": LOADER, "val_dataloader": {}}), *keys) == LOADER
    assert find_loader(Config({}), *keys) is None


def test_the_first_of_several_sets() -> None:
    sets = {"near": LOADER, "far": {"dataset": {"type": "Others"}}}
    assert find_loader(Config({"test_dataloader": sets}), "test_dataloader") == LOADER


def test_a_loader_without_a_dataset_stays_as_it_is() -> None:
    broken = {"batch_size": 2, "collate_fn": {"type": "default_collate"}}
    assert find_loader(Config({"test_dataloader": broken}), "test_dataloader") == broken

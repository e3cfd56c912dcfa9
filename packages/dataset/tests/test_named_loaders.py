"""Data loaders that are given by the name of their set."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from torch.utils.data import DataLoader

from eng.dataset import has_named_loaders

LOADER = {"dataset": {"type": "Nights"}, "batch_size": 2}


@pytest.mark.parametrize(
    ("given", "is_by_name"),
    [
        ({"day": LOADER, "night": LOADER}, True),
        (MappingProxyType({"day": LOADER}), True),
        ({"day": DataLoader([1, 2])}, True),
        ({"day": [1, 2], "night": LOADER}, True),
        ({"type": LOADER}, False),  # the key of a loader of somebody else
        (LOADER, False),
        ({"batch_size": 2}, False),  # a loader whose dataset was forgotten
        ({"sampler": {"type": "DefaultSampler"}}, False),
        ({"day": "Nights"}, False),
        ({"day": 3}, False),
        ({}, False),
        (None, False),
        (DataLoader([1, 2]), False),
        ([LOADER], False),
    ],
)
def test_loaders_by_name_are_told_from_one_loader(given: Any, is_by_name: bool) -> None:
    assert has_named_loaders(given) is is_by_name

"""Predictions as plain data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eng.structures import BaseDataElement, InstanceData, to_plain


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (torch.tensor([[1, 2]]), [[1, 2]]),
        (torch.tensor(0.5, dtype=torch.bfloat16, requires_grad=True), 0.5),
        (np.float32(0.5), 0.5),
        (np.array(["a"]), ["a"]),
        ((1, {2: None}), [1, {"2": None}]),
        (Path("a/b"), "a/b"),
        (True, True),
        (float("nan"), "nan"),
        (torch.tensor([float("-inf"), 1]), ["-inf", 1.0]),
        (torch.float32, "torch.float32"),
    ],
)
def test_values(value: object, plain: object) -> None:
    assert to_plain(value) == plain
    assert type(to_plain(value)) is type(plain)
    json.dumps(to_plain(value), allow_nan=False)


def test_data_elements() -> None:
    boxes = InstanceData(bboxes=torch.zeros(1, 4), labels=torch.tensor([3]))
    sample = BaseDataElement(metainfo={"img_path": "a.png"}, pred_instances=boxes)
    assert to_plain([sample]) == [
        {"img_path": "a.png", "pred_instances": {"bboxes": [[0.0] * 4], "labels": [3]}}
    ]

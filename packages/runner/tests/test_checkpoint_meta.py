"""Checkpoints tell of the data that a model was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eng.runner import Runner

META = {
    "classes": ("cat", "dog"),
    "palette": np.array([[1, 2, 3]], dtype=np.uint8),
    "sigma": np.float64(0.5),
    "count": np.int64(3),
    "ids": {1, 2},
    "nested": {"joints": [(0, np.float32(1.0))]},
    "names": frozenset({"a"}),
    "reader": object(),
}
PLAIN = {
    "classes": ("cat", "dog"),
    "palette": [[1, 2, 3]],
    "sigma": 0.5,
    "count": 3,
    "ids": {1, 2},
    "nested": {"joints": [(0, 1.0)]},
    "names": {"a"},
}


def trained(job: dict[str, Any], meta: Any, **changes: Any) -> Runner:
    runner = Runner.from_cfg({**job, **changes})
    runner.train_dataloader.dataset.metainfo = meta
    runner.train()
    return runner


def test_the_meta_of_the_dataset_is_saved_as_plain_data(
    job: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    runner = trained(job, META)
    path = Path(runner.work_dir) / "epoch_3.pth"
    meta = torch.load(path, weights_only=True)["meta"]
    assert meta["dataset_meta"] == PLAIN
    assert meta["mmengine_version"].split(".")[:2] == ["0", "10"]
    assert runner.message_hub.get_info("mmengine_version") == meta["mmengine_version"]
    assert "'reader' (object)" in capsys.readouterr().out


def test_data_without_a_meta_has_none(job: dict[str, Any]) -> None:
    runner = trained(job, None)
    meta = torch.load(Path(runner.work_dir) / "epoch_3.pth", weights_only=True)["meta"]
    assert "dataset_meta" not in meta


@pytest.mark.parametrize(
    ("classes", "is_told"), [(("cat", "dog"), False), (["cat", "dog"], False), (("cat",), True)]
)
def test_a_run_that_is_resumed_on_other_data_is_warned(
    job: dict[str, Any], capsys: pytest.CaptureFixture[str], classes: Any, is_told: bool
) -> None:
    trained(job, META)
    capsys.readouterr()
    job["train_cfg"]["max_epochs"] = 4
    trained(job, {**META, "classes": classes}, resume=True)
    assert ("classes differ" in capsys.readouterr().out) is is_told

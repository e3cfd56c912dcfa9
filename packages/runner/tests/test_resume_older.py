"""Runs that MMEngine saved are resumed as far as its files go."""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from eng.runner import Runner


class OlderBuffer:
    """Has the fields and the name of the original's class when it is pickled."""

    __module__ = "mmengine.logging.history_buffer"
    __qualname__ = "HistoryBuffer"

    def __init__(self, values: Any, counts: Any) -> None:
        self._max_length = 1000000
        self._log_history = np.array(values, dtype=np.float64)
        self._count_history = np.array(counts, dtype=np.int64)
        self._statistics_methods = {"mean": OlderBuffer.mean}

    def mean(self) -> None: ...


OlderBuffer.mean.__qualname__ = "HistoryBuffer.mean"
OlderBuffer.mean.__module__ = OlderBuffer.__module__


def as_saved_by_the_original(path: Path, runner: Runner) -> None:
    """Turn a checkpoint into one that the original would have saved."""
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["train_state"]
    checkpoint["optimizer"].pop("type")
    meta = checkpoint["meta"]
    checkpoint["meta"] = {key: meta[key] for key in ("epoch", "iter", "seed", "experiment_name")}
    checkpoint["meta"].update(
        cfg=meta["cfg"], mmengine_version="0.10.7", dataset_meta={"colors": np.array([1, 2])}
    )
    for state in checkpoint["param_schedulers"]:
        for key in ("by_optimizer_step", "_optimizer_steps"):
            state.pop(key, None)
    scalars = OrderedDict(
        (key, OlderBuffer(*history.data)) for key, history in runner.message_hub.log_scalars.items()
    )
    scalars["train/base_lr"] = OlderBuffer([9.0], [1])
    info = OrderedDict(loop_stage="train", epoch=1, iter=9, max_epochs=3, max_iters=15)
    keys = OrderedDict((key, True) for key in [*scalars, *info])
    checkpoint["message_hub"] = {
        "log_scalars": scalars,
        "runtime_info": info,
        "resumed_keys": keys,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
            patch.setitem(sys.modules, name, ModuleType(name))
        module: Any = sys.modules["mmengine.logging.history_buffer"]
        module.HistoryBuffer = OlderBuffer
        torch.save(checkpoint, path)


@pytest.mark.parametrize("given", ["load_from", "work_dir"])
def test_a_run_of_the_original_is_resumed(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    job["train_cfg"]["max_epochs"] = 2
    job["param_scheduler"] = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        {"type": "CosineAnnealingLR", "T_max": 4, "eta_min_ratio": 0.1, "end": 5},
    ]
    first = Runner.from_cfg(job)
    first.train()
    path = Path(first.work_dir) / "epoch_2.pth"
    rate = first.optim_wrapper.get_lr()
    as_saved_by_the_original(path, first)
    capsys.readouterr()
    more = {"load_from": str(path), "work_dir": str(tmp_path / "b")} if given == "load_from" else {}
    job["train_cfg"]["max_epochs"] = 4
    runner = Runner.from_cfg({**job, **more, "resume": True})
    rates = []
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.load_or_resume()
    assert (runner.epoch, runner.iter) == (2, 10)
    assert runner.optim_wrapper.get_lr() == rate
    momentum = runner.optim_wrapper.state_dict()["state"][0]["momentum_buffer"]
    assert torch.equal(momentum, first.optim_wrapper.state_dict()["state"][0]["momentum_buffer"])
    assert len(runner.message_hub.get_scalar("train/loss")) == 10
    runner.train()
    rates.append(runner.optim_wrapper.get_lr()["lr"][0])
    assert runner.epoch == 4
    assert rates == pytest.approx([0.05 * 0.1])
    out = capsys.readouterr().out
    assert out.count("was not saved by this engine but by MMEngine 0.10.7") == 1
    assert "base_lr" not in out.split("Resumed from")[1]

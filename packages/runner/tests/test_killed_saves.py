"""Runs that are killed inside a save go on from a whole checkpoint, and lose one interval."""

from __future__ import annotations

import io
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import killed_saves
from s3_server import s3_settings  # noqa: F401 - a fixture

from eng.checkpoint import CheckpointFolder, find_newest_checkpoint
from eng.fileio import get_file_backend

pytestmark = [
    pytest.mark.exact,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children"),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A child that is forked from a process with threads of OpenMP would wait for them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Trial:
    """One run, killed again and again in saves."""

    def __init__(self, folder: Path, ballast: int, out: str | None, **settings: Any) -> None:
        settings |= {} if out is None else {"out_dir": f"{out}/out"}
        self.job = killed_saves.killed_job(folder / "work", ballast, **settings)
        where = self.job["work_dir"] if out is None else f"{out}/out/work"
        self.folder = CheckpointFolder(where, settings.get("backend_args"), "iter_{}.pth")
        self.whole = killed_saves.killed_job(folder / "whole", ballast)
        self.delay = 2 if settings.get("async_save") else 1

    def kill(self, times: int, dice: random.Random) -> None:
        self.job["train_cfg"]["max_iters"] = 3
        longest = killed_saves.time_of(lambda: killed_saves.train(self.job)) / 3
        self.job["train_cfg"]["max_iters"] = 100_000
        inside = lost = 0
        for _ in range(times):
            begun = killed_saves.kill_inside_a_save(self.job, dice, longest)
            assert begun is not None
            found = find_newest_checkpoint(self.job["work_dir"], [self.folder])
            assert found.path is not None
            assert found.faults == {}
            done = int(found.path.removesuffix(".pth").rpartition("_")[2])
            # Of a save in the background, the next may have begun when the one before it ended.
            assert begun - done <= self.delay
            inside += done < begun
            lost = max(lost, begun - done)
            files = [name for name in self.folder.names() if name.startswith("iter_")]
            assert len(files) <= self.job["default_hooks"]["checkpoint"]["max_keep_ckpts"] + 1
        assert inside > times // 10
        self.check_end(done + 5)

    def check_end(self, end: int) -> None:
        """The last run ends with the bits of one that was never killed."""
        for job in (self.job, self.whole):
            job["train_cfg"]["max_iters"] = end
        killed_saves.train(self.job)
        killed_saves.train(self.whole)
        states = [
            self.folder.backend.get(self.folder.join(f"iter_{end}.pth")),
            (Path(self.whole["work_dir"]) / f"iter_{end}.pth").read_bytes(),
        ]
        first, second = (torch.load(io.BytesIO(state), weights_only=True) for state in states)
        for name, value in first["state_dict"].items():
            assert value.isfinite().all()
            assert torch.equal(value, second["state_dict"][name])
        files = sorted(name for name in self.folder.names() if name.startswith("iter_"))
        assert files == sorted([f"iter_{end - 1}.pth", f"iter_{end}.pth"])


@pytest.mark.parametrize(
    ("times", "settings"),
    [
        (100, {}),
        (50, {"async_save": True}),
        (25, {"save_best": "loss"}),
        (25, {"save_best": "loss", "async_save": True}),
    ],
)
def test_killed_inside_saves_on_disk(tmp_path: Path, times: int, settings: dict[str, Any]) -> None:
    Trial(tmp_path, 500_000, None, **settings).kill(times, random.Random(times))


@pytest.mark.parametrize(("times", "async_save"), [(40, False), (20, True)])
def test_killed_inside_saves_on_s3(
    tmp_path: Path,
    s3_settings: dict[str, Any],  # noqa: F811
    times: int,
    async_save: bool,
) -> None:
    out = f"s3://bucket/killed-{times}"
    trial = Trial(tmp_path, 300_000, out, backend_args=s3_settings, async_save=async_save)
    trial.kill(times, random.Random(times))
    assert get_file_backend(out, backend_args=s3_settings).isdir(f"{out}/out/work")

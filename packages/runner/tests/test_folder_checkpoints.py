"""Runs whose checkpoints are folders, in several layouts, killed and interrupted."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import folder_cases
from s3_server import s3_settings  # noqa: F401 - a fixture

from eng.checkpoint import CheckpointFolder, find_newest_checkpoint
from eng.dist.testing import run_in_processes

#: Layouts with their numbers of processes, each resumed from the one before.
LAYOUTS = [
    ("fsdp2", 2),
    ("fsdp2", 4),
    ("hsdp", 4),
    ("fsdp1", 2),
    ("tensor", 2),
    ("tensor2d", 4),
    ("parallel", 4),
    ("ddp", 2),
    ("one", 1),
]


def in_processes(function: Any, layout: str, count: int, *args: Any, **options: Any) -> Any:
    if count == 1:
        return function(*args)
    return run_in_processes(function, count, *args, timeout=120, **options)[0]


def assert_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert set(first) == set(second)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["file", "folder"])
def test_every_layout_loads_every_other(tmp_path: Path, form: str) -> None:
    folder_cases.trained(str(tmp_path / "first"), "one", 3, checkpoint={"format": form})
    source = str(tmp_path / "first" / ("iter_3.pth" if form == "file" else "iter_3"))
    whole = folder_cases.digest(source)
    for number, (layout, count) in enumerate(LAYOUTS):
        target = tmp_path / f"{number}"
        in_processes(folder_cases.resaved, layout, count, layout, source, str(target))
        assert_same(folder_cases.digest(str(target / "iter_3")), whole)
        if form == "folder":
            source = str(target / "iter_3")


@pytest.mark.exhaustive
@pytest.mark.timeout(300)
def test_a_run_saves_folders_on_a_store_that_cannot_rename(
    tmp_path: Path,
    s3_settings: dict[str, Any],  # noqa: F811
) -> None:
    checkpoint = {
        "out_dir": "s3://bucket/folders",
        "backend_args": s3_settings,
        "interval": 1,
        "max_keep_ckpts": 2,
        "async_save": True,
        "format": "folder",
    }
    work_dir = tmp_path / "work"
    place = CheckpointFolder("s3://bucket/folders/work", s3_settings, "iter_{}.pth")
    folder_cases.trained(str(work_dir), "one", 3, checkpoint=checkpoint)
    place.backend.put(b"half", place.join("iter_4/state/__0_0.distcp"))
    losses = folder_cases.trained(str(work_dir), "one", 6, checkpoint=checkpoint)
    assert losses == folder_cases.trained(str(tmp_path / "whole"), "one", 6)[3:]
    assert sorted(place.names()) == ["iter_5", "iter_6"]
    assert list(place.subfolders()) == list(place.names())
    assert (work_dir / "last_checkpoint").read_text() == place.join("iter_6")


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_losses_go_on_in_every_layout(tmp_path: Path) -> None:
    whole = folder_cases.trained(str(tmp_path / "whole"), "one", 21, False)
    losses = []
    layouts = [("one", 1), ("fsdp2", 2), ("fsdp2", 4), ("hsdp", 4), ("parallel", 4), ("fsdp1", 2)]
    for number, (layout, count) in enumerate([*layouts, ("one", 1)], 1):
        args = (str(tmp_path / "parts"), layout, 3 * number, False)
        losses += in_processes(folder_cases.trained, layout, count, *args)
    assert losses == pytest.approx(whole, abs=1e-5)


@pytest.mark.exhaustive
@pytest.mark.timeout(300)
def test_two_hooks_save_at_the_same_time_and_keep_the_best(tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    for iters in (8, 14):
        args = (str(work_dir), "fsdp2", iters)
        run_in_processes(folder_cases.saved_by_two_hooks, 2, *args, timeout=120)
        names = {path.name for path in work_dir.iterdir() if (path / "complete.json").exists()}
        bests = {name for name in names if name.startswith("best_loss_iter_")}
        assert len(bests) == 2
        seconds = {f"second_{number}" for number in range(2, iters + 1, 2)}
        assert names - bests == {f"iter_{iters - 1}", f"iter_{iters}", *seconds}
        assert not [path for path in work_dir.iterdir() if ".part-" in path.name]
        assert_same(*(folder_cases.digest(f"{work_dir}/{n}_{iters}") for n in ("iter", "second")))
        for name in bests:
            folder_cases.digest(str(work_dir / name))


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_saves_in_the_background_have_the_state_of_their_call(tmp_path: Path) -> None:
    work_dir, expected = tmp_path / "work", tmp_path / "expected"
    args = (str(work_dir), str(expected), "fsdp2", 20)
    run_in_processes(folder_cases.saved_in_background, 2, *args, timeout=120)
    for number in range(1, 21):
        found = folder_cases.digest(str(work_dir / f"iter_{number}"))
        state = torch.load(expected / f"{number}.pth")
        assert [name for name in state if not torch.equal(found[name], state[name])] == []


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures by /proc")
def test_no_process_needs_memory_for_more_than_its_shard(tmp_path: Path) -> None:
    model = {"width": 1024, "depth": 6}  # 50 million parameters
    numbers = sum(each.numel() for each in folder_cases.FolderModel(**model).parameters())
    state = 3 * 4 * numbers / 2**20  # of Adam, in float32
    args = (str(tmp_path / "work"), "fsdp2", model)
    for rank, found in enumerate(
        run_in_processes(folder_cases.measured, 4, *args, timeout=120, patience=300)
    ):
        assert found["save MB"] < 50, (rank, found)
        assert found["resume MB"] < 1.3 * state / 4, (rank, found)
    files = [each for each in (tmp_path / "work" / "iter_2").rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) / 2**20 < 1.02 * state


@pytest.mark.exhaustive
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("in_background", [False, True])
def test_killed_at_any_moment_of_a_save(tmp_path: Path, in_background: bool) -> None:
    work_dir, mark = str(tmp_path / "work"), tmp_path / "work_mark"
    settings = {"async_save": in_background}
    dice, inside = random.Random(int(in_background)), 0
    for _ in range(25):
        longest = 0.25 if in_background else 0.12  # about as long as a save takes
        kill = (dice.randrange(4), dice.randint(1, 3), dice.random() * longest)
        args = (work_dir, "fsdp2", settings, kill)
        # the others must not wait for the process that was killed
        run_in_processes(folder_cases.killed_in_a_save, 4, *args, check=False, patience=60)
        begun, found = int(mark.read_text()), find_newest_checkpoint(work_dir)
        assert found.path is not None
        assert found.faults == {}
        done = int(found.path.rpartition("_")[2])
        assert begun - done <= 1 + in_background
        inside += done < begun
        names = [each.name for each in Path(work_dir).glob("iter_*") if ".part-" not in each.name]
        assert len(names) <= 3
    assert inside > 4
    model = {"width": 128, "dropout": 0.2}
    for folder in (work_dir, str(tmp_path / "whole")):
        args = (folder, "fsdp2", done + 2)
        run_in_processes(folder_cases.trained_fully, 4, *args, model, timeout=120)
    ends = [
        folder_cases.digest(f"{each}/iter_{done + 2}") for each in (work_dir, tmp_path / "whole")
    ]
    assert_same(*ends)
    assert list(Path(work_dir).glob("*.part-*")) == []


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_terminated_runs_resume_to_the_bit(tmp_path: Path) -> None:
    dice = random.Random(7)
    args = (str(tmp_path / "whole"), "fsdp2", 0, -1, 60)
    whole = in_processes(folder_cases.terminated, "fsdp2", 4, *args)
    assert len(whole) == 60
    losses: list[float] = []
    stops = sorted(dice.sample(range(1, 59), 20))
    for stop in stops:
        begin = time.monotonic()
        args = (str(tmp_path / "parts"), "fsdp2", dice.randrange(4), stop, 60)
        losses += in_processes(folder_cases.terminated, "fsdp2", 4, *args, patience=60)
        assert len(losses) <= stop + 1, time.monotonic() - begin
    args = (str(tmp_path / "parts"), "fsdp2", 0, -1, 60)
    losses += in_processes(folder_cases.terminated, "fsdp2", 4, *args)
    assert losses == whole
    assert_same(
        *(folder_cases.digest(str(tmp_path / name / "iter_60")) for name in ("whole", "parts"))
    )

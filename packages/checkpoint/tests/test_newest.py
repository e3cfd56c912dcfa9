"""The newest whole checkpoint, and the file that names it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.checkpoint import (
    CheckpointFolder,
    find_latest_checkpoint,
    find_newest_checkpoint,
    progress_of,
    save_checkpoint,
    used_checkpoint,
    write_last_checkpoint,
)


def save(folder: Path, number: int, name: str = "epoch_{}.pth", **meta: Any) -> Path:
    path = folder / name.format(number)
    content = {"meta": {"epoch": number, "iter": 5 * number, **meta}, "w": torch.ones(4)}
    save_checkpoint(content, str(path))
    return path


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    """A work directory with three checkpoints, of which the last one is named."""
    folder = tmp_path / "work"
    for number in (1, 2, 3):
        save(folder, number)
    write_last_checkpoint(str(folder), str(folder / "epoch_3.pth"))
    return folder


def newest(work_dir: Path, *folders: CheckpointFolder) -> str | None:
    path = find_newest_checkpoint(str(work_dir), folders).path
    return None if path is None else Path(path).name


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(torch.ones(4).numpy().tobytes())] ^= 1
    path.write_bytes(content)


def test_the_name_is_relative_so_that_a_directory_can_be_moved(work_dir: Path) -> None:
    assert (work_dir / "last_checkpoint").read_text() == "epoch_3.pth"
    moved = work_dir.rename(work_dir.with_name("moved"))
    assert find_latest_checkpoint(str(moved)) == str(moved / "epoch_3.pth")
    assert newest(moved) == "epoch_3.pth"


def test_a_file_elsewhere_is_named_by_its_absolute_path(
    work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = save(work_dir.parent / "out" / "work", 4)
    monkeypatch.chdir(work_dir.parent)
    write_last_checkpoint(str(work_dir), "out/work/epoch_4.pth")
    assert (work_dir / "last_checkpoint").read_text() == str(out)
    assert find_latest_checkpoint(str(work_dir)) == str(out)
    write_last_checkpoint(str(work_dir), "s3://bucket/work/epoch_4.pth")
    assert (work_dir / "last_checkpoint").read_text() == "s3://bucket/work/epoch_4.pth"


@pytest.mark.parametrize("is_copied", [True, False])
def test_an_absolute_path_of_another_place_is_the_file_here(
    work_dir: Path, is_copied: bool
) -> None:
    (work_dir / "last_checkpoint").write_text(f"{work_dir}/epoch_2.pth\n")
    place = work_dir.with_name("other")
    shutil.copytree(work_dir, place) if is_copied else work_dir.rename(place)
    assert find_latest_checkpoint(str(place)) == str(place / "epoch_2.pth")
    assert find_newest_checkpoint(str(place)).path == str(place / "epoch_2.pth")


def test_a_path_relative_to_the_current_folder_is_read_as_well(
    work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work_dir.parent)
    (work_dir / "last_checkpoint").write_text("work/epoch_2.pth")
    assert newest(work_dir) == "epoch_2.pth"
    out = save(work_dir.parent / "out", 9, "iter_{}.pth")
    (work_dir / "last_checkpoint").write_text("out/iter_9.pth")
    assert Path(str(find_latest_checkpoint(str(work_dir)))).samefile(out)


def break_pointer(path: Path, content: str | bytes | None) -> None:
    path.unlink()
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.write_text(content)


POINTERS = [
    (None, None),
    ("", "empty"),
    (" \n", "empty"),
    ("folder", "a directory"),
    (b"\xff\xfe\x00", "invalid text"),
    (b"epoch\x00_3.pth", "invalid file name"),
    (b"\x00" * 20, "invalid file name"),
    ("epoch_9.pth", "no such file"),
    ("/nowhere/epoch_9.pth", "no such file"),
    ("epoch_9.pth\nepoch_8.pth", "invalid file name"),
    (".", "a directory"),
]


@pytest.mark.parametrize(("content", "words"), POINTERS)
def test_without_a_name_the_newest_is_found(
    work_dir: Path, content: str | bytes | None, words: str | None
) -> None:
    break_pointer(work_dir / "last_checkpoint", content)
    found = find_newest_checkpoint(str(work_dir))
    assert found.path == str(work_dir / "epoch_3.pth")
    assert len(found.faults) == (words is not None)
    for fault in found.faults.values():
        assert words is not None
        assert words.lower() in fault.lower()


@pytest.mark.parametrize("is_named", [True, False])
def test_a_damaged_one_is_reported_and_the_one_before_it_found(
    work_dir: Path, is_named: bool
) -> None:
    flip(work_dir / "epoch_3.pth")
    (work_dir / "epoch_2.pth").write_bytes((work_dir / "epoch_2.pth").read_bytes()[:700])
    if not is_named:
        (work_dir / "last_checkpoint").unlink()
    found = find_newest_checkpoint(str(work_dir))
    assert found.path == str(work_dir / "epoch_1.pth")
    assert "checksum" in found.faults[str(work_dir / "epoch_3.pth")]
    assert "truncated" in found.faults[str(work_dir / "epoch_2.pth")]


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("kind", ["unreadable", "pipe", "loop of links"])
def test_what_cannot_be_opened_is_reported_and_the_one_before_it_found(
    work_dir: Path, kind: str, is_named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = work_dir / "epoch_3.pth"
    if kind == "unreadable":
        monkeypatch.setattr(Path, "open", _refusing(newest, Path.open))
    else:
        newest.unlink()
        os.mkfifo(newest) if kind == "pipe" else newest.symlink_to(newest.name)
    if not is_named:
        (work_dir / "last_checkpoint").unlink()
    found = find_newest_checkpoint(str(work_dir))
    assert found.path == str(work_dir / "epoch_2.pth")
    if is_named:
        assert str(newest) in found.faults


def _refusing(refused: Path, opened: Any) -> Any:
    """Open files, but one as if its owner did not allow it: who runs tests may be allowed all."""

    def open_file(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path == refused:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    return open_file


def test_where_none_is_whole_each_is_named(work_dir: Path) -> None:
    for path in work_dir.glob("*.pth"):
        path.write_bytes(b"")
    found = find_newest_checkpoint(str(work_dir))
    assert found.path is None
    assert set(found.faults) == {str(work_dir / f"epoch_{n}.pth") for n in (1, 2, 3)}


def test_what_is_not_of_a_run_is_passed_over(work_dir: Path) -> None:
    for path in work_dir.glob("*_[123]*"):
        path.unlink()
    (work_dir / "last_checkpoint").unlink()
    torch.save({"weight": torch.ones(3)}, work_dir / "pretrained.pth")
    (work_dir / "config.py").write_text("a = 1")
    (work_dir / "out.pkl").write_bytes(b"x")
    (work_dir / "folder.pth").mkdir()
    found = find_newest_checkpoint(str(work_dir))
    assert (found.path, found.faults) == (None, {})
    assert used_checkpoint(str(work_dir)) is None
    found = find_newest_checkpoint(str(work_dir / "absent"))
    assert (found.path, found.faults) == (None, {})


def test_a_named_file_without_progress_is_reported(work_dir: Path) -> None:
    torch.save({"weight": torch.ones(3)}, work_dir / "pretrained.pth")
    (work_dir / "last_checkpoint").write_text("pretrained.pth")
    found = find_newest_checkpoint(str(work_dir))
    assert found.path == str(work_dir / "epoch_3.pth")
    assert "no epoch and iter" in found.faults[str(work_dir / "pretrained.pth")]


def test_names_follow_the_template(tmp_path: Path) -> None:
    save(tmp_path, 2, "{:>4}.ckpt")
    save(tmp_path, 11, "best_acc_{:>4}.ckpt")
    assert newest(tmp_path) is None
    folder = CheckpointFolder(str(tmp_path), template="{:>4}.ckpt")
    assert newest(tmp_path, folder) == "best_acc_  11.ckpt"


@pytest.mark.parametrize(
    ("template", "name", "is_one"),
    [
        ("epoch_{}.pth", "epoch_3.pth", True),
        ("epoch_{}.pth", "best_coco_AP_epoch_3.pth", True),
        ("epoch_{}.pth", "whatever.pth", True),
        ("e{:03d}.ckpt", "e003.ckpt", True),
        ("e{0:>4}.ckpt", "e   3.ckpt", True),
        ("e{:03d}.ckpt", "best_acc_e003.ckpt", True),
        ("e{:03d}.ckpt", "iter_12.ckpt", True),
        ("e{:03d}.ckpt", "iter_12.json", False),
        ("e{:03d}.ckpt", "x.ckpt", False),
        ("a+b({}).x", "a+b(4).x", True),
        ("a+b({}).x", "aab4.x", False),
        ("epoch_{}.pth", "../epoch_3.pth", False),
        ("epoch_{}.pth", "a/x_epoch_3.pth", False),
        ("epoch_{}.pth", "job.py", False),
    ],
)
def test_checkpoints_by_their_names(template: str, name: str, is_one: bool) -> None:
    assert CheckpointFolder("x", template=template).has_name_of_one(name) == is_one


def test_other_folders_are_searched(work_dir: Path, tmp_path: Path) -> None:
    save(tmp_path / "out", 4)
    folder = CheckpointFolder(str(tmp_path / "out"))
    assert newest(work_dir, folder) == "epoch_3.pth"  # the named one
    (work_dir / "last_checkpoint").unlink()
    assert newest(work_dir, folder) == "epoch_4.pth"


def test_a_later_course_is_newer_than_a_longer_one(tmp_path: Path) -> None:
    save(tmp_path, 5, saved_at=100.0)
    save(tmp_path, 3, saved_at=200.0)
    assert newest(tmp_path) == "epoch_3.pth"


def test_a_best_one_serves_but_after_what_it_was_copied_from(tmp_path: Path) -> None:
    shutil.copy(save(tmp_path, 3), tmp_path / "best_acc_epoch_3.pth")
    assert newest(tmp_path) == "epoch_3.pth"
    flip(tmp_path / "epoch_3.pth")
    assert newest(tmp_path) == "best_acc_epoch_3.pth"


def test_files_of_another_run_are_not_accepted(work_dir: Path) -> None:
    save(work_dir, 2, load_from="x.pth")
    found = find_newest_checkpoint(str(work_dir), (), lambda meta: "load_from" in meta)
    assert found.path == str(work_dir / "epoch_2.pth")


def test_progress_is_that_of_meta(work_dir: Path, tmp_path: Path) -> None:
    meta = progress_of(str(work_dir / "epoch_2.pth"))
    assert meta is not None
    assert (meta["epoch"], meta["iter"]) == (2, 10)
    for content in ({"meta": {"epoch": 1}}, {"meta": 3}, [1], {"meta": {"epoch": 1, "iter": "5"}}):
        torch.save(content, tmp_path / "x.pth")
        assert progress_of(str(tmp_path / "x.pth")) is None
    torch.save({"meta": meta}, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    assert progress_of(str(tmp_path / "x.pth")) == meta


def test_used_folders_are_told(work_dir: Path) -> None:
    assert used_checkpoint(str(work_dir)) == str(work_dir / "epoch_3.pth")
    for path in work_dir.glob("*.pth"):
        path.write_bytes(b"damaged")
    assert used_checkpoint(str(work_dir)) == str(work_dir / "epoch_3.pth")

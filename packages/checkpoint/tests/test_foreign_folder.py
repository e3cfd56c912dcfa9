"""Folders that another library writes, which are complete or not there."""

from pathlib import Path

import pytest

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    find_newest_checkpoint,
    progress_of,
    save_foreign_folder,
)

META = {"meta": {"epoch": 1, "iter": 4}}


def write(folder: str) -> None:
    Path(folder, "inner").mkdir(parents=True)
    Path(folder, "inner", "weights.bin").write_bytes(b"weights")


def test_it_is_found_as_the_newest(tmp_path):
    path = str(tmp_path / "epoch_1")
    save_foreign_folder(path, write, META, "SomeLibrary")
    assert progress_of(path) == META["meta"]
    assert find_newest_checkpoint(str(tmp_path)).path == path
    assert [each.name for each in tmp_path.iterdir()] == ["epoch_1"]


def test_a_damaged_one_is_not(tmp_path):
    path = tmp_path / "epoch_1"
    save_foreign_folder(str(path), write, META, "SomeLibrary")
    (path / "inner" / "weights.bin").write_bytes(b"weighty")
    found = find_newest_checkpoint(str(tmp_path))
    assert found.path is None
    assert found.faults == {str(path): "checksum mismatch of inner/weights.bin"}


def test_only_the_library_loads_it(tmp_path):
    path = str(tmp_path / "epoch_1")
    save_foreign_folder(path, write, META, "SomeLibrary")
    with pytest.raises(CheckpointError, match="format of SomeLibrary, which alone can load it"):
        CheckpointLoader.load_checkpoint(path)


def test_a_failure_leaves_the_one_before(tmp_path):
    path = str(tmp_path / "epoch_1")
    save_foreign_folder(path, write, META, "SomeLibrary")

    def fail(folder: str) -> None:
        write(folder)
        raise OSError("disk is full")

    with pytest.raises(CheckpointError, match=r"rank 0: OSError: disk is full"):
        save_foreign_folder(path, fail, META, "SomeLibrary")
    assert [each.name for each in tmp_path.iterdir()] == ["epoch_1"]
    assert progress_of(path) == META["meta"]


def test_it_needs_a_disk():
    with pytest.raises(CheckpointError, match="is not on a disk, where SomeLibrary saves"):
        save_foreign_folder("http://host/epoch_1", write, META, "SomeLibrary")

"""Each kind of damage is reported in one line, and the run goes on from the newest whole file."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.runner import Runner

pytestmark = pytest.mark.exact

Damage = Callable[[bytearray, zipfile.ZipFile], Any]


def flip_record(name: str) -> Damage:
    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        info = next(each for each in archive.infolist() if each.filename.endswith(name))
        start = info.header_offset
        sizes = (int.from_bytes(content[start + at : start + at + 2], "little") for at in (26, 28))
        content[start + 30 + sum(sizes)] ^= 1

    return damage


def flip_local(offset: int, bit: int = 0) -> Damage:
    """A bit of the header before the first large record."""

    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        info = max(archive.infolist(), key=lambda each: each.file_size)
        content[info.header_offset + offset] ^= 1 << bit

    return damage


def flip_directory(offset: int, bit: int = 0) -> Damage:
    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        content[archive.start_dir + offset] ^= 1 << bit

    return damage


def flip_end(signature: bytes, offset: int) -> Damage:
    """A bit of a record at the end of the archive."""

    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        content[content.rindex(signature) + offset] ^= 1

    return damage


def cut(size: Callable[[int], int]) -> Damage:
    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        del content[size(len(content)) :]

    return damage


def zero(start: float, end: float) -> Damage:
    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        first, last = int(start * len(content)), int(end * len(content))
        content[first:last] = bytes(last - first)

    return damage


def replace(text: bytes) -> Damage:
    def damage(content: bytearray, archive: zipfile.ZipFile) -> None:
        content[:] = text

    return damage


FILES: dict[str, Damage] = {
    "pickle": flip_record("data.pkl"),
    "weight": flip_record("data/0"),
    "last tensor": flip_record("data/9"),
    "byte order": flip_record("byteorder"),
    "version": flip_record("/version"),
    "serialization id": flip_record("serialization_id"),
    "local signature": flip_local(0),
    "local length of name": flip_local(26),
    "local length of extra": flip_local(28),
    "local name": flip_local(32),
    "first byte": flip_local(0, 7),
    "directory signature": flip_directory(0),
    "directory flags": flip_directory(8),
    "directory method": flip_directory(10),
    "directory checksum": flip_directory(16),
    "directory packed size": flip_directory(20),
    "directory size": flip_directory(24),
    "directory length of name": flip_directory(28),
    "directory attributes": flip_directory(38, 4),
    "directory offset": flip_directory(42),
    "directory name": flip_directory(50),
    "end signature": flip_end(b"PK\x05\x06", 1),
    "end size of directory": flip_end(b"PK\x06\x06", 40),
    "end offset of directory": flip_end(b"PK\x06\x06", 48),
    "empty": cut(lambda size: 0),
    "one byte": cut(lambda size: 1),
    "a header": cut(lambda size: 40),
    "half": cut(lambda size: size // 2),
    "all but a byte": cut(lambda size: size - 1),
    "zeros inside": zero(0.4, 0.5),
    "zeros at the end": zero(0.8, 1.0),
    "zeros alone": zero(0.0, 1.0),
    "text": replace(b"<html>502 Bad Gateway</html>"),
    "another pickle": replace(b"\x80\x02}q\x00."),
}
POINTERS: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "folder": b"folder",
    "not text": b"\xff\xfe\x00",
    "zeros": bytes(12),
    "no such file": b"epoch_7.pth",
    "of another place": b"/nowhere/epoch_2.pth",
}


@pytest.fixture
def folder(job: dict[str, Any]) -> Path:
    """A work directory in which a run has trained for two epochs."""
    Runner.from_cfg({**job, "train_cfg": {"by_epoch": True, "max_epochs": 2}}).train()
    return Path(job["work_dir"])


def resume(job: dict[str, Any]) -> list[str]:
    """Resume up to the end: lines of the log that report a fault."""
    runner = Runner.from_cfg({**job, "resume": True})
    runner.train()
    assert runner.epoch == 3
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    return [line for line in log.splitlines() if "cannot be resumed from: " in line]


def check_end(job: dict[str, Any], folder: Path) -> None:
    """It ends with the bits of a run that was never interrupted."""
    whole = {**job, "work_dir": str(folder.with_name("whole"))}
    Runner.from_cfg(whole).train()
    first, second = (
        torch.load(Path(each["work_dir"]) / "epoch_3.pth", weights_only=True)["state_dict"]
        for each in (job, whole)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_damaged_file(job: dict[str, Any], folder: Path, kind: str, is_named: bool) -> None:
    path = folder / "epoch_2.pth"
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        FILES[kind](content, archive)
    assert content != path.read_bytes()
    path.write_bytes(content)
    if not is_named:
        (folder / "last_checkpoint").unlink()
    lines = resume(job)
    assert len(lines) == 1
    assert re.search(rf"WARNING - {path} cannot be resumed from: \w", lines[0])
    assert "weights_only=False" not in lines[0]
    check_end(job, folder)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_is_gone(job: dict[str, Any], folder: Path, kind: str) -> None:
    (folder / "epoch_2.pth").unlink()
    if kind == "folder":
        (folder / "epoch_2.pth").mkdir()
    (line,) = resume({**job, "default_hooks": {"checkpoint": {"type": "CheckpointHook"}}})
    assert f"{folder}/epoch_2.pth cannot be resumed from: " in line


@pytest.mark.parametrize("kind", POINTERS)
def test_a_damaged_pointer(job: dict[str, Any], folder: Path, kind: str) -> None:
    pointer, content = folder / "last_checkpoint", POINTERS[kind]
    pointer.unlink()
    if content == b"folder":
        pointer.mkdir()
    elif content is not None:
        pointer.write_bytes(content)
    copied = folder.with_name("copied")
    shutil.copytree(folder, copied)
    lines = resume({**job, "work_dir": str(copied)})
    assert len(lines) == (kind not in ("missing", "of another place"))
    assert all(str(copied) in line for line in lines)
    shutil.rmtree(folder)
    copied.rename(folder)
    check_end(job, folder)

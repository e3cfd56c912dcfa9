"""Damage to checkpoint files is found, whatever it hit."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.checkpoint import CheckpointError, CheckpointLoader, save_checkpoint

STATE: dict[str, Any] = {
    "meta": {"epoch": 1, "iter": 3, "note": "a text"},
    "state_dict": {"weight": torch.arange(40.0), "bias": torch.ones(5)},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "epoch_1.pth"
    save_checkpoint(STATE, str(path))
    return path


def load(path: Path) -> Any:
    return CheckpointLoader.load_checkpoint(str(path), "cpu", "silent")


def is_same(loaded: Any) -> bool:
    return loaded["meta"] == STATE["meta"] and all(
        torch.equal(loaded["state_dict"][name], value)
        for name, value in STATE["state_dict"].items()
    )


def fault_of(path: Path) -> str | None:
    try:
        load(path)
    except CheckpointError as error:
        return str(error)
    return None


def check_flips(path: Path, places: list[tuple[int, int]]) -> int:
    """Flip one bit at a time; each is found or changes nothing. Return how many were found."""
    whole, found = path.read_bytes(), 0
    for place, bit in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        fault = fault_of(path)
        if fault is None:
            assert is_same(load(path)), f"bit {bit} of byte {place} was taken over"
            continue
        found += 1
        assert str(path) in fault
        assert "\n" not in fault
        assert "weights_only=False" not in fault
    path.write_bytes(whole)
    return found


def test_a_flipped_bit_of_a_record_is_found(path: Path) -> None:
    start = path.read_bytes().index(STATE["state_dict"]["weight"].numpy().tobytes())
    places = [(start + byte, byte % 8) for byte in range(0, 160, 7)]
    assert check_flips(path, places) == len(places)


def test_a_flipped_bit_anywhere_is_found_or_harmless(path: Path) -> None:
    dice, size = random.Random(0), path.stat().st_size
    places = [(dice.randrange(size), dice.randrange(8)) for _ in range(300)]
    assert check_flips(path, places) > 50


@pytest.mark.exact
def test_every_flipped_bit_is_found_or_harmless(path: Path) -> None:
    places = [(byte, bit) for byte in range(path.stat().st_size) for bit in range(8)]
    assert check_flips(path, places) > len(places) // 2


def test_a_record_marked_as_a_folder_is_found(path: Path) -> None:
    """Torch reads no bytes of one, and leaves the tensor as memory was."""
    content = bytearray(path.read_bytes())
    directory = zipfile.ZipFile(io.BytesIO(content)).start_dir
    content[directory + 38] |= 0x10
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is corrupt: record .* is marked as a directory"):
        load(path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda whole: b"", "empty"),
        (lambda whole: whole[:4], "truncated or corrupt"),
        (lambda whole: whole[: len(whole) // 2], "truncated or corrupt"),
        (lambda whole: whole[:-1], "truncated or corrupt"),
        (lambda whole: whole[:200] + bytes(300) + whole[500:], "corrupt"),
        (lambda whole: whole[:-400] + bytes(400), "truncated or corrupt"),
        (lambda whole: whole[100:], "not a checkpoint written by torch.save, or is corrupt"),
    ],
)
def test_other_damage_is_found(path: Path, damage: Any, words: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=words):
        load(path)


def test_archives_without_checksums_and_older_files_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(STATE, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert is_same(load(path))
    torch.save(STATE, path, _use_new_zipfile_serialization=False)
    assert is_same(load(path))


def test_no_advice_is_given_for_what_cannot_be_verified(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"meta": Path("x")}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "weights_only=False" not in str(caught.value)
    assert "option" not in str(caught.value)

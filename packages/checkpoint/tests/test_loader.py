import pickle
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    load_checkpoint,
    save_checkpoint,
)


def net(width=3):
    return nn.Sequential(
        nn.Linear(2, width), nn.BatchNorm1d(width), nn.ModuleDict({"head": nn.Linear(width, 1)})
    )


class Evil:
    def __reduce__(self):
        return (print, ("code ran",))


def test_code_in_a_checkpoint_does_not_run(tmp_path, capsys):
    path = str(tmp_path / "evil.pth")
    torch.save({"state_dict": {}, "meta": Evil()}, path)
    with pytest.raises(
        CheckpointError, match=r"evil\.pth' contains objects other than tensors and plain data"
    ) as caught:
        CheckpointLoader.load_checkpoint(path)
    assert str(caught.value).endswith("new_path). Refused: print")
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"PK",
        b"\x80\x02",
        b"\x80\x04K\x01.",
        b"<html>not found</html>",
        pickle.dumps([1, 2]),
    ],
)
def test_files_that_are_no_checkpoint(tmp_path, content):
    path = tmp_path / "broken.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.pth"):
        load_checkpoint(net(), str(path))


@given(cut=st.floats(0, 0.99), noise=st.binary(max_size=30))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_broken_file_is_an_error_that_names_it(tmp_path, cut, noise):
    path = tmp_path / "cut.pth"
    save_checkpoint({"state_dict": net().state_dict()}, str(path))
    whole = path.read_bytes()
    for content in (whole[: int(len(whole) * cut)], noise):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"cut\.pth"):
            load_checkpoint(net(), str(path))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pth.*no such file"):
        load_checkpoint(net(), str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError, match="a directory, not a checkpoint"):
        load_checkpoint(net(), str(tmp_path))


def test_names_of_weights_are_known_in_a_new_process():
    prefixes = ["torchvision", "modelzoo", "open-mmlab", "openmmlab", "mmcls"]
    code = (
        "from eng.checkpoint import CheckpointLoader, CheckpointError\n"
        f"for prefix in {prefixes}:\n"
        "    try:\n"
        "        CheckpointLoader.load_checkpoint(f'{prefix}://none')\n"
        "    except (CheckpointError, ImportError) as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    )
    told = [line for line in done.stdout.splitlines() if "Loads checkpoint" not in line]
    assert len(told) == len(prefixes)
    assert all(f"{prefix}://none" in line for prefix, line in zip(prefixes, told, strict=True))


def test_loaders_by_prefix():
    schemes = dict(CheckpointLoader._schemes)
    try:
        calls = []

        @CheckpointLoader.register_scheme(prefixes=["zoo://", "zoo2://"])
        def from_zoo(filename, map_location=None):
            calls.append((filename, map_location))
            return {"state_dict": {"weight": torch.full((1, 1), 4.0), "bias": torch.zeros(1)}}

        CheckpointLoader.register_scheme("zoo://big/", lambda filename, map_location: "big")
        model = nn.Linear(1, 1)
        load_checkpoint(model, "zoo://small", map_location="cpu", strict=True)
        assert model.weight.item() == 4
        assert calls == [("zoo://small", "cpu")]
        assert CheckpointLoader.load_checkpoint("zoo://big/one") == "big"
        with pytest.raises(KeyError, match="'zoo://' is already registered"):
            CheckpointLoader.register_scheme("zoo://", from_zoo)
        CheckpointLoader.register_scheme("zoo://", lambda filename, map_location: "new", force=True)
        assert CheckpointLoader.load_checkpoint("zoo://small") == "new"
    finally:
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(schemes)

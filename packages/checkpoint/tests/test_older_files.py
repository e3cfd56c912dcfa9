"""Files that MMEngine wrote are read as plain data, and nothing else is."""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    _load_checkpoint,
    _load_checkpoint_to_model,
    _load_checkpoint_with_prefix,
    load_shared_checkpoint,
    progress_of,
)
from eng.logging import HistoryBuffer


class OldBuffer:
    """Has the fields and the name of the original's class when it is pickled."""

    __module__ = "mmengine.logging.history_buffer"
    __qualname__ = "HistoryBuffer"

    def __init__(self, values: list[float]) -> None:
        self._max_length = 1000000
        self._log_history = np.array(values)
        self._count_history = np.ones(len(values), dtype=np.int64)
        self._statistics_methods = {
            name: getattr(OldBuffer, name) for name in ("current", "max", "mean", "min")
        }

    def current(self) -> None: ...
    def max(self) -> None: ...
    def mean(self) -> None: ...
    def min(self) -> None: ...
    def update(self) -> None: ...


for each in ("current", "max", "mean", "min", "update"):
    getattr(OldBuffer, each).__qualname__ = f"HistoryBuffer.{each}"
    getattr(OldBuffer, each).__module__ = OldBuffer.__module__


def as_the_original(patch: pytest.MonkeyPatch) -> None:
    """Let ``OldBuffer`` be found where the original has its class while a file is written."""
    for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
        patch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["mmengine.logging.history_buffer"].HistoryBuffer = OldBuffer  # type: ignore[attr-defined]


CONTENT: dict[str, Any] = {
    "meta": {
        "epoch": 3,
        "iter": 12,
        "mmengine_version": "0.10.7",
        "dataset_meta": {
            "classes": ("a", "b"),
            "palette": np.array([[1, 2]], dtype=np.uint8),
            "names": np.array(["a", "bc"]),
            "mixed": np.array([1, "x", None], dtype=object),
            "sigma": np.float64(0.5),
            "ids": {1, 2},
        },
    },
    "state_dict": OrderedDict(weight=torch.ones(1, 2), bias=torch.zeros(1)),
}


@pytest.fixture
def old_file(tmp_path: Path) -> str:
    path = tmp_path / "epoch_3.pth"
    with pytest.MonkeyPatch.context() as patch:
        as_the_original(patch)
        hub = {
            "log_scalars": OrderedDict({"train/loss": OldBuffer([3.0, 2.0, 1.0])}),
            "runtime_info": OrderedDict(iter=12),
            "resumed_keys": OrderedDict({"train/loss": True, "iter": True}),
        }
        torch.save({**CONTENT, "message_hub": hub}, path)
    return str(path)


def test_a_file_of_the_original_is_read(old_file: str) -> None:
    with pytest.raises(pickle.UnpicklingError):
        torch.load(old_file, weights_only=True)
    for checkpoint in (
        CheckpointLoader.load_checkpoint(old_file),
        load_shared_checkpoint(old_file),
    ):
        history = checkpoint["message_hub"]["log_scalars"]["train/loss"]
        assert type(history) is HistoryBuffer
        assert (history.current(), history.mean(), history.max()) == (1.0, 2.0, 3.0)
        saved, wanted = checkpoint["meta"]["dataset_meta"], CONTENT["meta"]["dataset_meta"]
        for key in ("palette", "names", "mixed"):
            assert saved[key].dtype == wanted[key].dtype
            assert saved[key].tolist() == wanted[key].tolist()
        assert (saved["sigma"], saved["ids"], saved["classes"]) == (0.5, {1, 2}, ("a", "b"))
    meta = progress_of(old_file)
    assert meta is not None
    assert meta["iter"] == 12
    # Nothing of it stays allowed for others.
    with pytest.raises(pickle.UnpicklingError):
        torch.load(old_file, weights_only=True)


class Attribute:
    """Asks for an attribute of something when it is read."""

    def __init__(self, owner: Any, name: str) -> None:
        self.args = (owner, name)

    def __reduce__(self) -> Any:
        return getattr, self.args


class Call:
    def __init__(self, function: Any, *args: Any) -> None:
        self.what = (function, args)

    def __reduce__(self) -> Any:
        return self.what


@pytest.mark.parametrize(
    "content",
    [
        Attribute(OldBuffer, "update"),
        Attribute(OldBuffer, "__init__"),
        Attribute(OldBuffer, "__class__"),
        Attribute({}, "clear"),
        Attribute(np.ndarray, "tofile"),
        Call(eval, "1 + 1"),
        Call(np.load, "x.npy"),
        Call(print, "x"),
        Path("x"),
    ],
)
def test_anything_else_in_a_file_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "bad.pth"
    with pytest.MonkeyPatch.context() as patch:
        as_the_original(patch)
        torch.save({"state_dict": {}, "x": content}, path)
    with pytest.raises(CheckpointError, match="objects other than tensors and plain data"):
        CheckpointLoader.load_checkpoint(str(path))


@pytest.fixture
def weights(tmp_path: Path) -> str:
    model = nn.Sequential(OrderedDict(backbone=nn.BatchNorm1d(2), neck=nn.Linear(2, 2)))
    path = str(tmp_path / "weights.pth")
    torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
    return path


@pytest.mark.parametrize("prefix", ["backbone", "backbone."])
def test_the_weights_of_a_part_are_read(weights: str, prefix: str) -> None:
    part = _load_checkpoint_with_prefix(prefix, weights)
    assert list(part) == list(nn.BatchNorm1d(2).state_dict())
    assert part._metadata == nn.BatchNorm1d(2).state_dict()._metadata  # type: ignore[attr-defined]
    nn.BatchNorm1d(2).load_state_dict(part)


@pytest.mark.parametrize("prefix", ["head", "back", "backbone.weight"])
def test_a_part_that_is_missing_is_refused(weights: str, prefix: str) -> None:
    with pytest.raises(AssertionError, match=rf"{prefix}\. is not in the pretrained model"):
        _load_checkpoint_with_prefix(prefix, weights)


def test_a_checkpoint_that_was_read_is_loaded_and_stays_as_it_is(weights: str) -> None:
    checkpoint = _load_checkpoint(weights, "cpu")
    neck = {f"module.{k}": v for k, v in checkpoint["state_dict"].items() if k.startswith("neck")}
    model = nn.Sequential(OrderedDict(neck=nn.Linear(2, 2)))
    given = {"state_dict": neck}
    assert _load_checkpoint_to_model(model, given, strict=True) is given
    assert torch.equal(model.neck.weight, checkpoint["state_dict"]["neck.weight"])
    assert list(neck) == ["module.neck.weight", "module.neck.bias"]
    _load_checkpoint_to_model(model.neck, neck, revise_keys=[(r"^module\.neck\.", "")])
    with pytest.raises(RuntimeError, match="no state_dict"):
        _load_checkpoint_to_model(model, {"state_dict": 3})
    with pytest.raises(FileNotFoundError):
        _load_checkpoint(f"{weights}.x")


class _WithState(dict):  # type: ignore[type-arg]
    """Is pickled as a new dictionary with items, and with itself as its state."""

    def __getstate__(self) -> Any:
        return dict(self)

    def __setstate__(self, state: Any) -> None:
        self.update(state)


class _ByCall(dict):  # type: ignore[type-arg]
    """Is pickled as a call with its items."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (dict(self),)


@pytest.mark.parametrize("kind", [_WithState, _ByCall])
@pytest.mark.parametrize(
    "where", ["mmengine.config.config.ConfigDict", "mmcv.utils.config.ConfigDict"]
)
def test_config_dicts_of_older_files_are_read_as_data(
    kind: type, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = where.rpartition(".")
    as_named = type(name, (kind,), {"__module__": module})
    values = {"classes": ("a", "b"), "nested": [{"size": torch.ones(2), 3: None}]}
    nested = as_named(values, nested=[as_named(values["nested"][0])])
    path = tmp_path / "old.pth"
    with monkeypatch.context() as patch:
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            patch.setitem(sys.modules, part, ModuleType(part))
        setattr(sys.modules[module], name, as_named)
        torch.save({"meta": {"dataset_meta": nested}}, path)
    found = CheckpointLoader.load_checkpoint(str(path))["meta"]["dataset_meta"]
    assert found["classes"] == ("a", "b")
    assert found["nested"][0]["size"].tolist() == [1, 1]
    assert found["nested"][0][3] is None
    assert {type(found), type(found["nested"][0])} == {OrderedDict}

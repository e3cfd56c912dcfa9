"""Checkpoints that are written in the background."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from eng.checkpoint import BackgroundWriter
from eng.checkpoint.background import SnapshotBuffers, snapshot


def test_what_changes_afterwards_is_not_written(tmp_path: Path) -> None:
    state = {"w": torch.zeros(3), "meta": {"note": ["first"]}}
    writer, gate = BackgroundWriter(), threading.Event()
    writer.then(lambda: None)
    writer.save(state, str(tmp_path / "a.pth"))
    writer.then(gate.set)
    state["w"].fill_(1)
    state["meta"]["note"].append("second")
    writer.close()
    loaded = torch.load(tmp_path / "a.pth")
    assert loaded["w"].tolist() == [0, 0, 0]
    assert loaded["meta"] == {"note": ["first"]}
    assert gate.is_set()


def test_work_is_done_in_order_and_one_save_is_in_flight(tmp_path: Path) -> None:
    writer, gate, done = BackgroundWriter(), threading.Event(), []
    writer.then(lambda: (gate.wait(30), done.append("first"))[1])
    writer.then(lambda: done.append("second"))
    assert done == []
    gate.set()
    writer.save({}, str(tmp_path / "a.pth"))  # waits for what is in flight
    assert done == ["first", "second"]
    writer.close()
    assert (tmp_path / "a.pth").is_file()


def test_an_error_is_raised_once_and_stops_what_follows(tmp_path: Path) -> None:
    writer, done = BackgroundWriter(), []
    (tmp_path / "file").write_text("")
    writer.save({}, str(tmp_path / "file" / "a.pth"))
    writer.then(lambda: done.append(1))
    with pytest.raises(NotADirectoryError):
        writer.save({}, str(tmp_path / "b.pth"))
    assert done == []
    writer.save({}, str(tmp_path / "b.pth"))
    writer.close()
    assert (tmp_path / "b.pth").is_file()
    writer.close()


def test_a_thread_ends_when_it_is_closed() -> None:
    before = set(threading.enumerate())
    writer = BackgroundWriter()
    writer.then(lambda: None)
    assert len(set(threading.enumerate()) - before) == 1
    writer.close()
    assert set(threading.enumerate()) <= before


def test_a_copy_has_work_of_its_own() -> None:
    writer, gate = BackgroundWriter(), threading.Event()
    writer.then(lambda: gate.wait(30) and None)
    copied = copy.deepcopy(writer)
    copied.wait()
    assert (writer.is_busy, copied.is_busy) == (True, False)
    gate.set()
    writer.close()


def test_a_snapshot_shares_nothing_but_what_was_shared() -> None:
    base = torch.arange(6.0)
    weights = OrderedDict(a=base, b=base[2:4], c=torch.ones(2, requires_grad=True) * 2)
    weights._metadata = {"": {"version": 1}}  # type: ignore[attr-defined]
    copied = snapshot({"state_dict": weights, "list": [(base, 1)]})
    base.fill_(9)
    assert copied["state_dict"]["b"].tolist() == [2, 3]
    assert copied["state_dict"]["b"]._base is None
    copied["state_dict"]["a"][2] = 7
    assert copied["state_dict"]["b"].tolist() == [7, 3]
    assert copied["list"][0][0] is copied["state_dict"]["a"]
    assert copied["state_dict"]._metadata == {"": {"version": 1}}
    assert not copied["state_dict"]["c"].requires_grad


def test_memory_of_a_snapshot_is_used_again_and_holds_the_new_values() -> None:
    buffers = SnapshotBuffers()
    base = torch.arange(8.0)
    state = {"a": base, "view": base[2:6:2], "t": torch.ones(2, 3).t(), "none": torch.ones(0)}
    first = snapshot(state, buffers)
    place = first["a"].data_ptr()
    base.mul_(2)
    second = snapshot(state, buffers)
    assert second["a"].data_ptr() == place
    for name, tensor in state.items():
        assert torch.equal(second[name], tensor)
        assert second[name].stride() == tensor.stride()
    third = snapshot({"a": torch.ones(3), "b": torch.zeros(8)}, buffers)  # other sizes
    assert (third["a"].sum(), third["b"].sum()) == (3, 0)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.eye(3).to_sparse(),
        torch.tensor([1 + 2j, 3j]).conj(),
        torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        torch.ones(2, dtype=torch.bfloat16).expand(3, 2),
        torch.nn.Parameter(torch.ones(2)),
        torch.tensor(5),
        torch.tensor([True, False]),
    ],
    ids=["sparse", "conjugate", "quantized", "expanded", "parameter", "scalar", "bool"],
)
def test_every_kind_of_tensor_is_in_a_snapshot(tensor: torch.Tensor) -> None:
    buffers = SnapshotBuffers()
    for _ in range(2):
        copied = snapshot([tensor, tensor], buffers)
        assert copied[0] is copied[1]
        assert copied[0].dtype == tensor.dtype
        assert copied[0].layout == tensor.layout
        assert torch.equal(copied[0].to_dense(), tensor.detach().to_dense())

"""Checkpoints that are written in the background."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from eng.checkpoint import BackgroundWriter
from eng.checkpoint.background import snapshot


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

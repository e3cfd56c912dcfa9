"""Checkpoints that are folders: format, storage, damage, and what a killed process leaves."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import shutil
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eng import fileio
from eng.checkpoint import (
    BackgroundWriter,
    CheckpointError,
    CheckpointFolder,
    CheckpointLoader,
    FolderSaver,
    checkpoint_exists,
    copy_checkpoint,
    find_latest_checkpoint,
    find_newest_checkpoint,
    get_state_dict,
    is_checkpoint_folder,
    load_checkpoint,
    optimizer_shards,
    remove_checkpoint,
    remove_incomplete,
    save_checkpoint,
    save_folder,
    write_last_checkpoint,
)
from eng.cli import main
from eng.fileio import LocalBackend, get_file_backend


def make_checkpoint(number: int = 1) -> tuple[nn.Module, torch.optim.Optimizer, dict[str, Any]]:
    torch.manual_seed(number)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters()}]
    optimizer = torch.optim.Adam(groups, lr=0.2)
    model(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    state = {**optimizer.state_dict(), "type": "Adam"}
    return (
        model,
        optimizer,
        {
            "meta": {"epoch": number, "iter": 10 * number, "global_batch": 32},
            "state_dict": get_state_dict(model),
            "optimizer": optimizer_shards(model, optimizer, state),
            "train_state": {"random": [{"torch": torch.get_rng_state()}, {"torch": 3}]},
        },
    )


@pytest.fixture(params=["disk", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A work directory on a disk, and on a store that cannot rename."""
    if request.param == "disk":
        yield str(tmp_path / "work")
        return
    yield "memory://folder-checkpoints"
    if fileio.isdir("memory://folder-checkpoints"):
        fileio.rmtree("memory://folder-checkpoints")


def list_files(path: str) -> list[str]:
    if "://" not in path:
        return sorted(str(each.relative_to(path)) for each in Path(path).rglob("*.*"))
    return sorted(fileio.list_dir_or_file(path, list_dir=False, recursive=True))


def flip(path: Path, at: int = -40) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_what_is_loaded_is_what_a_file_would_have(root: str) -> None:
    model, optimizer, checkpoint = make_checkpoint()
    save_folder(checkpoint, f"{root}/iter_10")
    found = CheckpointLoader.load_checkpoint(f"{root}/iter_10", "cpu")
    assert list(found) == list(checkpoint)
    assert found["meta"] == checkpoint["meta"]
    assert list(found["state_dict"]) == list(model.state_dict())
    assert found["state_dict"]._metadata == get_state_dict(model)._metadata
    for name, value in model.state_dict().items():
        assert torch.equal(found["state_dict"][name], value)
    expected = optimizer.state_dict()
    assert found["optimizer"]["type"] == "Adam"
    assert found["optimizer"]["param_groups"] == expected["param_groups"]
    assert set(found["optimizer"]["state"]) == set(expected["state"])
    for number, state in expected["state"].items():
        for key, value in state.items():
            assert torch.equal(found["optimizer"]["state"][number][key], value)
    random = found["train_state"]["random"]
    assert torch.equal(random[0]["torch"], checkpoint["train_state"]["random"][0]["torch"])
    assert random[1] == {"torch": 3}


def test_the_index_says_what_is_there(tmp_path: Path) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")
    folder = tmp_path / "iter_10"
    content = json.loads((folder / "complete.json").read_text())
    assert (content["epoch"], content["iter"], content["global_batch"]) == (1, 10, 32)
    assert content["layout"] == {"world_size": 1, "meshes": []}
    names = {"run.pth", "state/.metadata", "state/__0_0.distcp"}
    assert set(content["files"]) == names
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
        *names,
        "complete.json",
    }
    for name in names:
        raw = (folder / name).read_bytes()
        assert content["files"][name] == {"size": len(raw), "crc32": f"{zlib.crc32(raw):08x}"}
    assert [each.name for each in tmp_path.iterdir()] == ["iter_10"]


def test_torch_itself_reads_the_tensors(tmp_path: Path) -> None:
    from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

    model = make_checkpoint()[0]
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")
    dcp_to_torch_save(str(tmp_path / "iter_10" / "state"), str(tmp_path / "plain.pth"))
    plain = torch.load(tmp_path / "plain.pth")
    assert torch.equal(plain["model.0.weight"], model[0].weight)
    assert "optimizer.state.2.bias.exp_avg" in plain


def test_tensors_take_no_more_than_their_size(tmp_path: Path) -> None:
    whole = torch.zeros(1000, 1000)
    odd = {
        "view": whole[0],
        "turned": whole[:5].t(),
        "none": torch.zeros(0, 3),
        "n": torch.ones(()),
    }
    half = torch.arange(4).to(torch.bfloat16)
    save_folder({"state_dict": {**odd, "half": half}, "meta": {}}, f"{tmp_path}/iter_1")
    assert sum(p.stat().st_size for p in (tmp_path / "iter_1").rglob("*")) < 50_000
    found = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_1", "cpu")["state_dict"]
    assert found["turned"].shape == (1000, 5)
    assert found["none"].shape == (0, 3)
    assert found["n"] == 1
    assert found["half"].dtype == torch.bfloat16
    assert torch.equal(found["half"], half)


def test_names_that_meet_are_kept_apart(tmp_path: Path) -> None:
    one, two = torch.ones(2), torch.zeros(2)
    save_folder({"optimizer": {"a": {"b.c": one}, "a.b": {"c": two}}}, f"{tmp_path}/iter_1")
    found = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_1", "cpu")["optimizer"]
    assert torch.equal(found["a"]["b.c"], one)
    assert torch.equal(found["a.b"]["c"], two)


def test_a_later_save_of_the_name_replaces_the_folder(root: str) -> None:
    save_folder(make_checkpoint(1)[2], f"{root}/iter_10")
    model, _, checkpoint = make_checkpoint(2)
    save_folder(checkpoint, f"{root}/iter_10")
    found = CheckpointLoader.load_checkpoint(f"{root}/iter_10", "cpu")
    assert torch.equal(found["state_dict"]["0.weight"], model[0].weight)
    assert {name.partition("/")[0] for name in list_files(root)} == {"iter_10"}


def test_two_threads_save_under_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, exists = threading.Barrier(2), LocalBackend.exists

    def exists_and_meet(backend: LocalBackend, path: Any) -> bool:
        found = exists(backend, path)
        if Path(path).name == "iter_10":
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(0.2)
        return found

    monkeypatch.setattr(LocalBackend, "exists", exists_and_meet)
    checkpoints = [make_checkpoint(number)[2] for number in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: save_folder(each, f"{tmp_path}/iter_10"), checkpoints))
    found = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10", "cpu")
    assert found["meta"]["epoch"] in (1, 2)
    assert [each.name for each in tmp_path.iterdir()] == ["iter_10"]


def test_the_newest_is_found_and_a_damaged_one_passed_over(root: str) -> None:
    for number in (1, 2, 3):
        save_folder(make_checkpoint(number)[2], f"{root}/iter_{10 * number}")
    write_last_checkpoint(root, f"{root}/iter_30")
    folder = CheckpointFolder(root, template="iter_{}.pth")
    assert find_latest_checkpoint(root) == f"{root}/iter_30"
    assert find_newest_checkpoint(root, [folder]).path == f"{root}/iter_30"
    store = get_file_backend(root)
    raw = bytearray(store.get(f"{root}/iter_30/state/__0_0.distcp"))
    raw[len(raw) // 2] ^= 4
    store.put(bytes(raw), f"{root}/iter_30/state/__0_0.distcp")
    found = find_newest_checkpoint(root, [folder])
    assert found.path == f"{root}/iter_20"
    assert found.faults == {f"{root}/iter_30": "checksum mismatch of state/__0_0.distcp"}
    with pytest.raises(CheckpointError, match="is corrupt: checksum mismatch of state/__0_0"):
        CheckpointLoader.load_checkpoint(f"{root}/iter_30")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("complete.json", "it has no complete.json"),
        ("run.pth", "missing file of run.pth"),
        ("state/.metadata", "missing file of state/.metadata"),
        ("state/__0_0.distcp", "missing file of state/__0_0.distcp"),
    ],
)
def test_an_incomplete_folder_is_not_loaded(tmp_path: Path, name: str, reason: str) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")
    (tmp_path / "iter_10" / name).unlink()
    with pytest.raises(CheckpointError, match=reason):
        CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10")
    assert find_newest_checkpoint(str(tmp_path)).path is None


@pytest.mark.parametrize("name", ["complete.json", "run.pth", "state/.metadata"])
def test_every_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")
    path = tmp_path / "iter_10" / name
    intact = path.read_bytes()
    for at in range(0, len(intact), max(1, len(intact) // 25)):
        flip(path, at)
        if name != "complete.json":  # of which some bytes have no meaning
            with pytest.raises(CheckpointError):
                CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10")
        path.write_bytes(intact)
    path.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(CheckpointError):
        CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


def sign(folder: Path) -> None:
    """Write the checksums anew, as an attacker does."""
    content = json.loads((folder / "complete.json").read_text())
    for name in content["files"]:
        raw = (folder / name).read_bytes()
        content["files"][name] = {"size": len(raw), "crc32": f"{zlib.crc32(raw):08x}"}
    (folder / "complete.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["run.pth", "state/.metadata", "state/__0_0.distcp"])
def test_no_code_of_a_checkpoint_is_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save_folder(make_checkpoint()[2], "iter_10")
    path = tmp_path / "iter_10" / name
    if name == "run.pth":
        torch.save({"tensor_paths": {}, "meta": Evil()}, path)
    else:
        path.write_bytes(pickle.dumps(Evil()))
    sign(tmp_path / "iter_10")
    with pytest.raises(CheckpointError):
        CheckpointLoader.load_checkpoint("iter_10")
    assert not (tmp_path / "hacked").exists()


def change_index(folder: Path, change: Any) -> None:
    path = folder / "state" / ".metadata"
    index = pickle.loads(path.read_bytes())
    change(index)
    path.write_bytes(pickle.dumps(index))
    sign(folder)


def test_an_index_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")
    torch.save(torch.ones(2, 4), tmp_path / "secret")

    def lead_out(index: Any) -> None:
        for place in index.storage_data.values():
            place.relative_path = "../../secret"

    change_index(tmp_path / "iter_10", lead_out)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10")


def test_an_index_that_lacks_parts_is_refused(tmp_path: Path) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/iter_10")

    def drop(index: Any) -> None:
        index.state_dict_metadata["model.0.weight"].chunks.clear()

    change_index(tmp_path / "iter_10", drop)
    with pytest.raises(CheckpointError, match=r"0 of the 12 numbers of 'model.0.weight'"):
        CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10")


def test_what_a_killed_process_leaves_is_skipped_named_and_removed(root: str) -> None:
    save_folder(make_checkpoint(1)[2], f"{root}/iter_10")
    store = get_file_backend(root)
    store.put(b"half", f"{root}/iter_20.part-0123abcd/state/__0_0.distcp")
    store.put(b"half", f"{root}/iter_30/state/__0_0.distcp")
    store.put(b"a user's", f"{root}/iter_40/notes.txt")
    store.put(b"a user's", f"{root}/other.part-0123abcd/state/a")
    folder = CheckpointFolder(root, template="iter_{}.pth")
    left = ["iter_20.part-0123abcd", "iter_30"]
    found = find_newest_checkpoint(root, [folder])
    assert found.path == f"{root}/iter_10"
    assert found.incomplete == [f"{root}/{name}" for name in left]
    assert found.faults == {}
    assert list(folder.names()) == ["iter_10"]
    assert remove_incomplete(folder) == left
    assert not store.isdir(f"{root}/iter_20.part-0123abcd")
    assert not store.isdir(f"{root}/iter_30")
    assert store.isfile(f"{root}/iter_40/notes.txt")
    assert store.isfile(f"{root}/other.part-0123abcd/state/a")


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_a_folder_is_replaced_loses_nothing(tmp_path: Path, renames: int) -> None:
    old, new = (make_checkpoint(number)[2] for number in (1, 2))
    for name in ("iter_5", "iter_10"):
        save_folder(old, f"{tmp_path}/{name}")
    write_last_checkpoint(str(tmp_path), f"{tmp_path}/iter_10")
    if os.fork() == 0:
        rename, left = Path.rename, [renames]

        def rename_or_end(path: Path, target: Any) -> Path:
            if not left[0]:
                os._exit(0)
            left[0] -= 1
            return rename(path, target)

        Path.rename = rename_or_end  # type: ignore[assignment, method-assign]
        save_folder(new, f"{tmp_path}/iter_10")
        os._exit(0)
    os.wait()
    folder = CheckpointFolder(str(tmp_path), template="iter_{}.pth")
    found = find_newest_checkpoint(str(tmp_path), [folder])
    assert found.path is not None
    assert found.path not in found.incomplete
    assert Path(found.path).name.partition(".")[0] == "iter_10"
    remove_incomplete(folder)
    assert sorted(folder.subfolders()) == ["iter_10", "iter_5"]
    kept = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10", "cpu", "silent")
    assert kept["meta"]["epoch"] == (2 if renames else 1)


def test_a_complete_folder_without_its_name_is_found_and_named(tmp_path: Path) -> None:
    save_folder(make_checkpoint(1)[2], f"{tmp_path}/iter_10")
    for name in ("iter_20", "iter_30", "best_acc_iter_20"):
        shutil.copytree(tmp_path / "iter_10", tmp_path / f"{name}.part-0123abcd")
    flip(tmp_path / "iter_30.part-0123abcd" / "state" / "__0_0.distcp")
    shutil.copytree(tmp_path / "iter_10", tmp_path / "iter_10.part-0123abcd")
    folder = CheckpointFolder(str(tmp_path), template="iter_{}.pth")
    assert find_newest_checkpoint(str(tmp_path), [folder]).incomplete == [
        f"{tmp_path}/iter_10.part-0123abcd"
    ]
    removed = remove_incomplete(folder)
    assert removed == ["iter_10.part-0123abcd", "iter_30.part-0123abcd"]
    assert sorted(folder.names()) == ["best_acc_iter_20", "iter_10", "iter_20"]


def test_a_folder_whose_removal_was_cut_off_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("iter_10", "iter_20"):
        save_folder(make_checkpoint(1)[2], f"{tmp_path}/{name}")

    def refuse(backend: LocalBackend, path: str) -> None:
        raise OSError(5, "Input/output error", path)

    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, "rmtree", refuse)
        with pytest.raises(OSError, match="Input/output"):
            remove_checkpoint(LocalBackend(), f"{tmp_path}/iter_10")
    folder = CheckpointFolder(str(tmp_path), template="iter_{}.pth")
    (left,) = remove_incomplete(folder)
    assert left.startswith("iter_10.part-")
    assert list(folder.subfolders()) == ["iter_20"]


def test_a_rename_that_fails_leaves_the_folder_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_folder(make_checkpoint(1)[2], f"{tmp_path}/iter_10")
    rename, calls = Path.rename, []

    def fail_once(path: Path, target: Any) -> Path:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(5, "Input/output error", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(OSError, match="Input/output"):
        save_folder(make_checkpoint(2)[2], f"{tmp_path}/iter_10")
    found = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_10", "cpu", "silent")
    assert found["meta"]["epoch"] == 1
    assert [each.name for each in tmp_path.iterdir()] == ["iter_10"]


def test_a_save_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_folder(make_checkpoint(1)[2], f"{tmp_path}/iter_10")
    put = LocalBackend.put_with

    failing = [""]

    def full(backend: LocalBackend, write: Any, path: Any) -> None:
        if str(path).endswith(failing[0]):
            raise OSError(28, "No space left on device", str(path))
        put(backend, write, path)

    monkeypatch.setattr(LocalBackend, "put_with", full)
    for failing[0] in ("__0_0.distcp", ".metadata", "run.pth"):
        with pytest.raises(OSError, match="No space left"):
            save_folder(make_checkpoint(2)[2], f"{tmp_path}/iter_10")
    assert [each.name for each in tmp_path.iterdir()] == ["iter_10"]
    assert find_newest_checkpoint(str(tmp_path)).path == f"{tmp_path}/iter_10"


def test_copies_and_removals(root: str) -> None:
    model, _, checkpoint = make_checkpoint()
    store = get_file_backend(root)
    save_folder(checkpoint, f"{root}/iter_10")
    copy_checkpoint(store, f"{root}/iter_10", f"{root}/best_iter_10")
    copy_checkpoint(store, f"{root}/iter_10", f"{root}/best_iter_10")  # over the first one
    remove_checkpoint(store, f"{root}/iter_10")
    remove_checkpoint(store, f"{root}/iter_10")  # nothing is left to remove
    assert not checkpoint_exists(store, f"{root}/iter_10")
    assert checkpoint_exists(store, f"{root}/best_iter_10")
    found = CheckpointLoader.load_checkpoint(f"{root}/best_iter_10", "cpu")
    assert torch.equal(found["state_dict"]["2.bias"], model[2].bias)
    assert {name.partition("/")[0] for name in list_files(root)} == {"best_iter_10"}


def test_the_background_saves_what_was_there_at_the_call(tmp_path: Path) -> None:
    writer = BackgroundWriter()
    save = FolderSaver(writer)
    model, _, checkpoint = make_checkpoint()
    expected = [model[0].weight.detach().clone()]
    for number in range(3):
        save(checkpoint, f"{tmp_path}/iter_{number}")
        with torch.no_grad():
            model[0].weight.add_(1)
        expected.append(model[0].weight.detach().clone())
    writer.close()
    for number in range(3):
        found = CheckpointLoader.load_checkpoint(f"{tmp_path}/iter_{number}", "cpu")
        assert torch.equal(found["state_dict"]["0.weight"], expected[number])


def test_weights_are_loaded_into_a_model(tmp_path: Path) -> None:
    model, _, checkpoint = make_checkpoint(1)
    save_folder(checkpoint, f"{tmp_path}/iter_10")
    other = make_checkpoint(2)[0]
    load_checkpoint(other, f"{tmp_path}/iter_10/", strict=True)
    assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))
    moved = CheckpointLoader.load_checkpoint(
        f"{tmp_path}/iter_10", lambda storage, location: storage
    )
    assert torch.equal(moved["state_dict"]["0.weight"], model[0].weight)


def test_other_folders_are_not_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "iter_10").mkdir()
    assert not is_checkpoint_folder(str(tmp_path / "iter_10"))
    with pytest.raises(FileNotFoundError, match="a directory, not a checkpoint"):
        CheckpointLoader.load_checkpoint(str(tmp_path / "iter_10"))
    assert find_newest_checkpoint(str(tmp_path)).path is None


def test_the_command_reads_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    model, _, checkpoint = make_checkpoint()
    save_folder(checkpoint, "v1.0/iter_10")
    save_checkpoint({"state_dict": model.state_dict()}, "same.pth")
    assert main(["checkpoint", "show", "v1.0/iter_10"]) == 0
    assert "iteration: 10" in capsys.readouterr().out
    assert main(["checkpoint", "diff", "v1.0/iter_10", "same.pth"]) == 0
    for to, name in (("safetensors", "iter_10.safetensors"), ("pth", "iter_10_weights.pth")):
        assert main(["checkpoint", "export", "v1.0/iter_10/", "--to", to]) == 0
        other = make_checkpoint(2)[0]
        load_checkpoint(other, f"v1.0/{name}", strict=True)
        assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))
    save_folder(make_checkpoint(2)[2], "v1.0/iter_20")
    command = ["checkpoint", "average", "v1.0", "--last", "2", "--out", "mean.pth"]
    assert main(command) == 0
    both = [make_checkpoint(number)[0][0].weight for number in (1, 2)]
    mean = torch.load("mean.pth")["state_dict"]["0.weight"]
    assert torch.allclose(mean, (both[0] + both[1]) / 2)


def test_folders_move_with_their_work_directory(tmp_path: Path) -> None:
    save_folder(make_checkpoint()[2], f"{tmp_path}/work/iter_10")
    write_last_checkpoint(f"{tmp_path}/work", f"{tmp_path}/work/iter_10")
    assert (tmp_path / "work" / "last_checkpoint").read_text() == "iter_10"
    shutil.move(tmp_path / "work", tmp_path / "moved")
    assert find_newest_checkpoint(f"{tmp_path}/moved").path == f"{tmp_path}/moved/iter_10"

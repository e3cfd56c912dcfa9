"""One job at a time trains in a work directory."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lock_owner import living_owner

from eng.hooks import Hook
from eng.runner import Runner, RunnerConfigError
from eng.runner import work_dir_lock as lock_module
from eng.runner.work_dir_lock import take_over_work_dirs, work_dir_lock

LOG = logging.getLogger("lock-test")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "HEARTBEAT", 0.02)
    monkeypatch.setattr(lock_module, "SILENCE", 0.6)


def lock_of(folder: Path) -> Path:
    return folder / ".train.lock"


def test_it_is_held_while_training_alone(job: dict[str, Any], tmp_path: Path) -> None:
    seen = []

    class Looking(Hook):
        def before_train(self, runner: Any) -> None:
            seen.append(json.loads(lock_of(Path(runner.work_dir)).read_text()))

    runner = Runner.from_cfg(job)
    runner.register_hook(Looking())
    assert not lock_of(Path(job["work_dir"])).exists()
    runner.train()
    assert seen[0]["pid"] == os.getpid()
    assert {"host", "pid", "started"} <= set(seen[0])
    assert not lock_of(Path(job["work_dir"])).exists()
    Runner.from_cfg(job).test()


def test_it_is_released_after_an_error(job: dict[str, Any]) -> None:
    class Failing(Hook):
        def before_train(self, runner: Any) -> None:
            raise RuntimeError("broken")

    runner = Runner.from_cfg(job)
    runner.register_hook(Failing())
    with pytest.raises(RuntimeError, match="broken"):
        runner.train()
    assert not lock_of(Path(job["work_dir"])).exists()


def test_another_job_is_refused_and_changes_nothing(job: dict[str, Any]) -> None:
    folder = Path(job["work_dir"])
    folder.mkdir()
    with living_owner(folder) as owner:
        with pytest.raises(RunnerConfigError, match=rf"in use: process {owner} on .*--force"):
            Runner.from_cfg(job).train()
        assert not list(folder.glob("*.pth"))
        with pytest.raises(RunnerConfigError, match="in use"):
            Runner.from_cfg(job).train()
    runner = Runner.from_cfg(job)
    runner.train()
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert f"is taken over from process {owner} on" in log
    assert "which is no longer alive" in log


def test_runs_of_one_process_share_it(tmp_path: Path) -> None:
    with work_dir_lock(str(tmp_path), LOG):
        with work_dir_lock(f"{tmp_path}/../{tmp_path.name}", LOG):
            pass
        assert lock_of(tmp_path).exists()
    assert list(tmp_path.iterdir()) == []


def write(folder: Path, **changes: Any) -> dict[str, Any]:
    with living_owner(folder):
        content: dict[str, Any] = json.loads(lock_of(folder).read_text())
    content.update(changes)
    lock_of(folder).write_text(json.dumps(content))
    return content


@pytest.mark.parametrize("changes", [{"started": "1"}, {"pid": os.getpid()}, {"started": ""}])
def test_a_process_of_the_same_id_is_not_the_owner(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path, **{"pid": os.getppid(), **changes})
    with work_dir_lock(str(tmp_path), LOG):
        assert json.loads(lock_of(tmp_path).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("is_alive", [True, False])
def test_the_job_of_another_machine_lives_while_it_gives_signs(
    tmp_path: Path, is_alive: bool
) -> None:
    write(tmp_path, machine="another", host="node7")
    end = threading.Event()

    def beat() -> None:
        while is_alive and not end.wait(0.05):
            os.utime(lock_of(tmp_path))

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        if is_alive:
            with (
                pytest.raises(RunnerConfigError, match="on node7"),
                work_dir_lock(str(tmp_path), LOG),
            ):
                pass
        else:
            with work_dir_lock(str(tmp_path), LOG):
                assert lock_of(tmp_path).exists()
    finally:
        end.set()
        thread.join()


def test_an_owner_gives_signs_of_life_and_notes_that_it_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with work_dir_lock(str(tmp_path), LOG):
        os.utime(lock_of(tmp_path), (1, 1))
        content = json.loads(lock_of(tmp_path).read_text())
        wait_until(lambda: lock_of(tmp_path).stat().st_mtime > 1)
        lock_of(tmp_path).unlink()
        wait_until(lock_of(tmp_path).exists)
        lock_of(tmp_path).write_text(json.dumps({**content, "token": "x", "host": "node7"}))
        wait_until(lambda: "was taken over by process" in caplog.text)
    assert lock_of(tmp_path).exists()  # it is another job's


def wait_until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_a_living_job_is_replaced_where_that_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with living_owner(tmp_path), take_over_work_dirs(), work_dir_lock(str(tmp_path), LOG):
        assert json.loads(lock_of(tmp_path).read_text())["pid"] == os.getpid()
    assert "as requested" in caplog.text


def test_what_was_left_behind_is_removed(tmp_path: Path) -> None:
    for name, age in (("old", 7200), ("new", 0)):
        left = tmp_path / f".train.lock.{name}"
        left.write_text("")
        os.utime(left, (left.stat().st_mtime - age,) * 2)
    with work_dir_lock(str(tmp_path), LOG):
        assert {path.name for path in tmp_path.iterdir()} == {".train.lock", ".train.lock.new"}


@pytest.mark.parametrize("content", ["", "{}", "[]", "text", '{"pid": 1, "more": 2}'])
def test_a_file_that_is_not_a_lock_is_replaced(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    lock_of(tmp_path).write_text(content)
    with work_dir_lock(str(tmp_path), LOG):
        assert json.loads(lock_of(tmp_path).read_text())["pid"] == os.getpid()
    assert "is not a lock" in caplog.text


def test_where_nothing_can_be_written_there_is_no_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with work_dir_lock(str(tmp_path / "file"), LOG):
        pass
    assert "cannot be written, so that a second job is not noticed" in caplog.text

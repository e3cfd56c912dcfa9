"""Curves and trackers of a run that is resumed."""

import json
import sys
import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eng.config import Config
from eng.vis import LocalVisBackend, TensorboardVisBackend, Visualizer, WandbVisBackend


def train(visualizer, first, last, every=2):
    """Record as LoggerHook does: a line every two iterations, a validation every four."""
    for step in range(first, last + 1):
        if step % every == 0:
            visualizer.add_scalars({"loss": 100 * first + step, "iter": step}, step=step)
        if step % 4 == 0:
            visualizer.add_scalars({"acc": 100 * first + step}, step=step // 4)


def read(*files):
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def start(work_dir, name, run_id, step, fixed=False, kinds=(LocalVisBackend,)):
    folder = work_dir / ("curves" if fixed else name) / "vis_data"
    visualizer = Visualizer(vis_backends=[kind(str(folder)) for kind in kinds])
    visualizer.add_config(Config(dict(a=1)))
    return visualizer, visualizer.start_run(run_id, step, str(work_dir))


@pytest.mark.parametrize("fixed", [True, False])
def test_records_after_the_resumed_iteration_are_not_doubled(tmp_path, fixed):
    first, lines = start(tmp_path, "1", "run", 0, fixed)
    assert lines == []
    train(first, 1, 11)
    second, lines = start(tmp_path, "2", "run", 5, fixed)
    assert len(lines) == 1
    assert "4 records" in lines[0]
    train(second, 6, 9)
    third, lines = start(tmp_path, "3", "run", 8, fixed)
    assert lines == []
    train(third, 9, 16)
    records = read(*sorted(tmp_path.glob("*/vis_data/scalars.json")))
    assert [r["iter"] for r in records if "iter" in r] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert [r["step"] for r in records if "acc" in r] == [1, 2, 3, 4]
    assert [r["loss"] // 100 for r in records if "iter" in r] == [1, 1, 6, 6, 9, 9, 9, 9]
    # Nothing is lost.
    moved = read(*tmp_path.glob("*/vis_data/scalars.superseded.json"))
    assert [r["step"] for r in moved] == [6, 8, 2, 10]


def test_a_validation_that_is_done_again_replaces_its_record(tmp_path):
    first, _ = start(tmp_path, "1", "run", 0)
    train(first, 1, 8)
    second, lines = start(tmp_path, "2", "run", 8)
    assert lines == []
    second.add_scalars({"acc": 0.5}, step=2)
    train(second, 9, 12)
    records = read(*sorted(tmp_path.glob("*/vis_data/scalars.json")))
    assert [(r["step"], r["acc"]) for r in records if "acc" in r] == [(1, 104), (2, 0.5), (3, 912)]


@pytest.mark.parametrize("order", [1, -1])
def test_other_runs_in_the_folder_are_left_alone(tmp_path, order):
    kinds = (LocalVisBackend, TensorboardVisBackend)[::order]
    other, _ = start(tmp_path, "0", "other", 0, fixed=True, kinds=kinds)
    train(other, 1, 10)
    other.close()
    first, lines = start(tmp_path, "0", "run", 0, fixed=True, kinds=kinds)
    assert lines == []
    train(first, 1, 10)
    first.close()
    aside, _ = start(tmp_path, "9", "third", 0, kinds=kinds)
    train(aside, 1, 10)
    aside.close()
    second, lines = start(tmp_path, "0", "run", 4, fixed=True, kinds=kinds)
    train(second, 5, 6)
    second.close()
    records = read(tmp_path / "curves" / "vis_data" / "scalars.json")
    steps = [r["iter"] for r in records if "iter" in r]
    assert steps == [2, 4, 6, 8, 10, 2, 4, 6]
    assert len(read(tmp_path / "9" / "vis_data" / "scalars.json")) == 7


def test_a_line_cut_off_by_a_kill_does_not_stop_a_resume(tmp_path):
    first, _ = start(tmp_path, "1", "run", 0)
    train(first, 1, 6)
    file = tmp_path / "1" / "vis_data" / "scalars.json"
    file.write_text(file.read_text() + '{"loss": 1, "it')
    _, lines = start(tmp_path, "2", "run", 4)
    assert "2 records" in lines[0]
    assert [r["step"] for r in read(file)] == [2, 4, 1]


def test_tensorboard_goes_on_with_one_run(tmp_path):
    kinds = (LocalVisBackend, TensorboardVisBackend)
    first, _ = start(tmp_path, "1", "run", 0, kinds=kinds)
    train(first, 1, 10)
    first.close()
    begun = int(time.time())
    while int(time.time()) == begun:  # files of one second are read in the order of their names
        time.sleep(0.01)
    second, lines = start(tmp_path, "2", "run", 6, kinds=kinds)
    assert any("TensorBoard resumes" in line for line in lines)
    train(second, 7, 12)
    second.close()
    folders = {path.parent for path in tmp_path.rglob("*tfevents*")}
    assert folders == {tmp_path / "1" / "vis_data"}
    events = EventAccumulator(str(folders.pop())).Reload()
    assert [e.step for e in events.Scalars("loss")] == [2, 4, 6, 8, 10, 12]
    assert [int(e.value) // 100 for e in events.Scalars("loss")] == [1, 1, 1, 7, 7, 7]


def test_a_runner_that_never_runs_begins_no_tracker(tmp_path):
    start_none = Visualizer(vis_backends=[TensorboardVisBackend(str(tmp_path / "tb"))])
    start_none.add_config(Config(dict(a=1)))
    assert not (tmp_path / "tb").exists()
    start_none.close()
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert events.Tags()["tensors"] == ["config/text_summary"]


class FakeRun:
    def __init__(self, settings):
        self.settings, self.logged = settings, []
        self.config = self

    def update(self, values, allow_val_change):
        self.logged.append(values)

    def log(self, record, commit):
        self.logged.append(record)

    def finish(self):
        self.logged.append("finished")


@pytest.fixture
def runs(monkeypatch):
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    module, begun = ModuleType("wandb"), []
    module.__spec__ = ModuleSpec("wandb", None)

    def init(**settings):
        begun.append(FakeRun(settings))
        return begun[-1]

    module.init = init
    monkeypatch.setitem(sys.modules, "wandb", module)
    return begun


def test_wandb_goes_on_with_the_run_of_its_identifier(tmp_path, runs):
    for step in (0, 6):
        backend = WandbVisBackend(str(tmp_path / str(step)))
        backend.add_config(Config(dict(a=1)))
        assert len(runs) == (1 if step else 0)
        line = backend.start_run("run", step, str(tmp_path))
        assert (line is None) == (step == 0)
        backend.add_scalars({"loss": 1}, step=step)
        backend.close()
    assert [run.settings["id"] for run in runs] == ["run", "run"]
    assert {run.settings["resume"] for run in runs} == {"allow"}
    assert runs[0].logged == [dict(a=1), dict(loss=1), "finished"]


def test_wandb_settings_of_the_user_come_first(tmp_path, runs):
    backend = WandbVisBackend(str(tmp_path), init_kwargs=dict(id="mine"))
    backend.start_run("run", 3, str(tmp_path))
    backend.add_scalar("a", 1)
    assert runs[0].settings == {"dir": str(tmp_path), "id": "mine"}

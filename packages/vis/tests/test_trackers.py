"""Backends of experiment trackers, by their own readers or by what they are called with."""

import json
import math
import os
import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.vis import (
    AimVisBackend,
    ClearMLVisBackend,
    DVCLiveVisBackend,
    MLflowVisBackend,
    NeptuneVisBackend,
    Visualizer,
)
from eng.vis.testing import VisBackendConformance

TRACKERS = [
    AimVisBackend, ClearMLVisBackend, DVCLiveVisBackend, MLflowVisBackend, NeptuneVisBackend,
]  # fmt: skip
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def needs(package):
    return pytest.mark.skipif(
        find_spec(package) is None, reason=f"{package} is large, so that the test extra lacks it"
    )


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The current folder, in which no tracker is to leave anything."""
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("backend", TRACKERS)
@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("add_config", (Config({"a": 1}),)),
        ("add_scalar", ("loss", 1)),
        ("add_scalars", ({"loss": 1},)),
        ("add_image", ("image", PIXELS)),
    ],
)
def test_a_missing_package_is_named_at_first_use(tmp_path, monkeypatch, backend, method, args):
    monkeypatch.setitem(sys.modules, backend.package, None)
    tracker = VISBACKENDS.build({"type": backend.__name__, "save_dir": str(tmp_path / "a")})
    visualizer = Visualizer("missing", vis_backends=tracker)
    match = rf'"pip install {backend.package}".*vis\[{backend.package}\]'
    with pytest.raises(ModuleNotFoundError, match=match):
        getattr(visualizer, method)(*args)
    visualizer.close()
    assert not (tmp_path / "a").exists()


# ---------------------------------------------------------------- what they are called with


class Recorded:
    """Anything: calls of its methods are recorded, and give a thing of their own."""

    def __init__(self, calls, name=""):
        self.calls, self.name = calls, name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorded(self.calls, f"{self.name}.{name}".lstrip("."))

    def __getitem__(self, key):
        return Recorded(self.calls, f"{self.name}[{key}]")

    def __setitem__(self, key, value):
        self.calls.append((f"{self.name}[{key}]", (value,), {}))

    def __call__(self, *args, **kwargs):
        self.calls.append((self.name, args, kwargs))
        return Recorded(self.calls, f"{self.name}()")


@pytest.fixture
def calls(monkeypatch):
    """Calls of any tracker, none of which is installed."""
    made = []
    for name in ("clearml", "neptune", "neptune.types", "aim", "dvclive"):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__getattr__ = lambda each: getattr(Recorded(made), each)
        monkeypatch.setitem(sys.modules, name, module)
    return made


def record(backend, tmp_path):
    """Record one thing of each kind, with a work directory that has two files."""
    work_dir = tmp_path / "work"
    (work_dir / "inner").mkdir(parents=True)
    for name in ("a.py", "b.pth", "c.txt", "inner/d.py"):
        (work_dir / name).write_text("x")
    backend.add_config(Config({"lr": 0.1, "work_dir": str(work_dir)}))
    backend.add_scalar("loss", torch.tensor([0.5]), step=3)
    backend.add_scalars({"acc": np.float32(0.25), "step": 7}, step=4)
    backend.add_image("val/image", PIXELS, step=5)
    backend.close()
    return work_dir


def test_calls_of_clearml(calls, tmp_path):
    backend = ClearMLVisBackend(init_kwargs={"project_name": "digits"})
    work_dir = record(backend, tmp_path)
    task, logger = "Task.init()", "Task.init().get_logger()"
    expected = [
        ("Task.init", (), {"project_name": "digits"}),
        (f"{task}.connect_configuration", ({"lr": 0.1, "work_dir": str(work_dir)},), {}),
        (
            f"{logger}.report_scalar",
            (),
            {"title": "loss", "series": "loss", "value": 0.5, "iteration": 3},
        ),
        (
            f"{logger}.report_scalar",
            (),
            {"title": "acc", "series": "acc", "value": 0.25, "iteration": 7},
        ),
    ]
    made = [call for call in calls if not call[0].endswith("get_logger")]
    assert made[:4] == expected
    name, args, kwargs = made[4]
    np.testing.assert_array_equal(kwargs.pop("image"), PIXELS)
    assert (name, args) == (f"{logger}.report_image", ())
    assert kwargs == {"title": "val/image", "series": "val/image", "iteration": 5}
    assert made[5:] == [
        (f"{task}.upload_artifact", ("a.py", str(work_dir / "a.py")), {}),
        (f"{task}.upload_artifact", ("b.pth", str(work_dir / "b.pth")), {}),
        (f"{task}.close", (), {}),
    ]


@pytest.mark.parametrize("given", [None, {"project": "me/digits"}])
def test_calls_of_neptune(calls, tmp_path, given):
    record(NeptuneVisBackend(init_kwargs=given), tmp_path)
    run = "init_run()"
    assert calls[0] == ("init_run", (), given or {"mode": "offline"})
    assert [(name, kwargs) for name, _, kwargs in calls[1:] if name.startswith(run)] == [
        (f"{run}[config].upload", {}),
        (f"{run}[loss].append", {"step": 3}),
        (f"{run}[acc].append", {"step": 7}),
        (f"{run}[images].append", {"name": "val/image", "step": 5}),
        (f"{run}.stop", {}),
    ]
    numbers = ("[loss].append", "[acc].append")
    assert [args for name, args, _ in calls if name.endswith(numbers)] == [(0.5,), (0.25,)]


@pytest.mark.parametrize("save_dir", [None, "work/run_1/vis_data"])
def test_calls_of_aim(calls, tmp_path, save_dir):
    record(AimVisBackend(save_dir, init_kwargs={"repo": "somewhere"}), tmp_path)
    name, _, kwargs = calls[0]
    assert (name, kwargs["repo"]) == ("Run", "somewhere")
    if save_dir:
        assert kwargs["experiment"] == "run_1_vis_data"
    else:
        assert re.fullmatch(r"\d{8}_\d{6}", kwargs["experiment"])
    assert [call for call in calls if call[0] == "Run().track"][:2] == [
        ("Run().track", (), {"name": "loss", "value": 0.5, "step": 3}),
        ("Run().track", (), {"name": "acc", "value": 0.25, "step": 7}),
    ]
    assert calls[1][0] == "Run()[hparams]"
    assert calls[-1] == ("Run().close", (), {})
    own = AimVisBackend("a/b", init_kwargs={"experiment": "mine"})
    own.add_scalar("loss", 1)
    assert [call[2]["experiment"] for call in calls if call[0] == "Run"][1] == "mine"


def test_a_tracker_leaves_out_what_is_not_a_number_once(calls):
    backend = ClearMLVisBackend()
    for _ in range(2):
        if not backend._left_out:
            with pytest.warns(UserWarning, match="ClearMLVisBackend skips 'word', .* 'best'"):
                backend.add_scalars({"word": "best", "loss": 1})
        else:
            backend.add_scalars({"word": "best", "loss": 2})
    values = [call[2]["value"] for call in calls if call[0].endswith("report_scalar")]
    assert values == [1, 2]


@pytest.mark.parametrize("backend", [ClearMLVisBackend, NeptuneVisBackend, AimVisBackend])
def test_a_tracker_closes_without_a_work_directory(calls, backend):
    visualizer = Visualizer("no_work_dir", vis_backends={"type": backend.__name__})
    visualizer.close()
    assert calls == []
    visualizer.add_config(Config({"lr": 0.1}))
    visualizer.close()
    assert calls[-1][0].endswith((".close", ".stop"))


@pytest.mark.usefixtures("calls")
class ByCalls(VisBackendConformance):
    """What was recorded, by what the client of a tracker was called with."""

    #: Name of the call that has an image, as its first argument or by the name `image`.
    image_call: str

    @pytest.fixture(autouse=True)
    def made(self, calls):
        self.calls = calls

    def read(self, save_dir, name):
        return [value for each, value in map(self.number, self.calls) if each == name]

    def read_images(self, save_dir, name):
        found = [
            args[0] if args else kwargs["image"]
            for call, args, kwargs in self.calls
            if call.endswith(self.image_call)
        ]
        return [np.rint(each * 255) if each.dtype.kind == "f" else each for each in found]

    def number(self, call):
        """Name and value of a call that records a number, else None twice."""
        raise NotImplementedError


class TestClearMLByCalls(ByCalls):
    image_call = "report_image"

    @pytest.fixture
    def cfg(self):
        return {"type": "ClearMLVisBackend"}

    def number(self, call):
        name, _, kwargs = call
        return (kwargs["title"], kwargs["value"]) if name.endswith("report_scalar") else (None, 0)


class TestNeptuneByCalls(ByCalls):
    image_call = "File.as_image"

    @pytest.fixture
    def cfg(self):
        return {"type": "NeptuneVisBackend"}

    def number(self, call):
        found = re.fullmatch(r"init_run\(\)\[(.*)\]\.append", call[0])
        return (found[1], call[1][0]) if found else (None, 0)


class TestAimByCalls(ByCalls):
    image_call = "Image"

    @pytest.fixture
    def cfg(self):
        return {"type": "AimVisBackend"}

    def number(self, call):
        name, _, kwargs = call
        return (kwargs["name"], kwargs["value"]) if name.endswith(".track") else (None, 0)


# ---------------------------------------------------------------- the trackers themselves


def runs_of(save_dir):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{save_dir}/mlflow.db")
    ids = [each.experiment_id for each in client.search_experiments()]
    return client, client.search_runs(ids, order_by=["attributes.start_time ASC"])


@needs("mlflow")
@pytest.mark.slow
class TestMLflow(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "MLflowVisBackend"}

    def read(self, save_dir, name):
        client, runs = runs_of(save_dir)
        history = [m for run in runs for m in client.get_metric_history(run.info.run_id, name)]
        # The database has no infinite numbers.
        return [math.inf if m.value > 1e308 else m.value for m in sorted(history, key=_step)]

    def read_images(self, save_dir, name):
        client, (run,) = runs_of(save_dir)
        paths = [each.path for each in client.list_artifacts(run.info.run_id, "images")]
        # Between name, step and time are other characters in each generation of MLflow.
        parts = [re.fullmatch(r"images/val.image.step.(\d+).timestamp.*\.png", p) for p in paths]
        steps = {int(found[1]): found[0] for found in parts if found}
        paths = [steps[step] for step in sorted(steps)]
        folder = Path(run.info.artifact_uri.removeprefix("file://"))
        return [np.asarray(Image.open(folder / path)) for path in paths]


def _step(metric):
    return metric.step


@needs("mlflow")
@pytest.mark.slow
def test_mlflow_has_config_parameters_tags_and_artifacts(tmp_path, elsewhere):
    work_dir, save_dir = tmp_path / "work", tmp_path / "work" / "now" / "vis_data"
    (work_dir / "inner").mkdir(parents=True)
    for name in ("a.py", "b.pth", "inner/c.log"):
        (work_dir / name).write_text("x")
    backend = MLflowVisBackend(
        str(save_dir), "digits", "first", tags={"kind": "test"}, params={"extra": 3},
        tracked_config_keys=["model", "lr"],
    )  # fmt: skip
    config = Config(
        {
            "lr": 0.1, "model": {"type": "Net", "parts": [{"width": 8}], "sizes": [1, 2]},
            "left": "out", "work_dir": str(work_dir),
        }
    )  # fmt: skip
    backend.add_config(config)
    backend.add_scalars({"loss": 0.5, "acc/top 1": 1, "odd:name%": 2, "step": 4})
    module = backend.experiment
    module.log_metric("by hand", 3)
    assert module.active_run().info.run_name == "first"
    backend.close()
    assert module.active_run() is None
    client, (run,) = runs_of(save_dir)
    assert client.get_experiment(run.info.experiment_id).name == "digits"
    assert run.info.status == "FINISHED"
    assert run.data.tags["kind"] == "test"
    assert run.data.params == {
        "extra": "3", "lr": "0.1", "model.type": "Net", "model.parts.0.width": "8",
        "model.sizes": "[1, 2]",
    }  # fmt: skip
    assert run.data.metrics == {"loss": 0.5, "acc/top 1": 1, "odd_name_": 2, "by hand": 3}
    (metric,) = client.get_metric_history(run.info.run_id, "loss")
    assert metric.step == 4
    artifacts = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"a.py", "config.py", "inner"}
    assert [e.path for e in client.list_artifacts(run.info.run_id, "inner")] == ["inner/c.log"]
    assert not list(elsewhere.iterdir())


@needs("mlflow")
@pytest.mark.slow
def test_mlflow_keeps_a_tracking_uri_and_continues_a_resumed_run(tmp_path, elsewhere):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    for settings, data in (({"tracking_uri": uri}, tmp_path), ({}, tmp_path / "work/1/vis_data")):
        for start, step in (("1", 0), ("2", 5)):
            save_dir = tmp_path / "work" / start / "vis_data"
            backend = MLflowVisBackend(
                str(save_dir), artifact_location=f"file://{tmp_path}/files", **settings
            )
            backend.start_run("abc", step, str(tmp_path / "work"))
            backend.add_config(Config({"lr": step}))
            backend.add_scalar("loss", step, step=step + 1)
            backend.close()
        client, (run,) = runs_of(data)
        history = client.get_metric_history(run.info.run_id, "loss")
        assert sorted(metric.value for metric in history) == [0, 5]
        assert run.data.params == {"lr": "0"}  # MLflow lets no parameter change
    assert not (tmp_path / "work/2/vis_data/mlflow.db").exists()


@needs("mlflow")
@pytest.mark.slow
def test_mlflow_closes_with_nothing_but_a_config(tmp_path):
    configs = ({}, {"a": {"b": "x" * 10_000}}, {str(i): i for i in range(250)})
    for number, config in enumerate(configs):
        save_dir = tmp_path / str(number)
        backend = MLflowVisBackend(str(save_dir))
        backend.close()
        assert not save_dir.exists()
        backend.add_config(Config(config))
        backend.close()
        _, (run,) = runs_of(save_dir)
        assert len(run.data.params) == len(config)


@needs("dvclive")
@pytest.mark.slow
class TestDVCLive(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "DVCLiveVisBackend"}

    def read(self, save_dir, name):
        path = save_dir / "plots" / "metrics" / f"{name}.tsv"
        if not path.is_file():
            return []
        head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
        return [float(row[head.index(name.split("/")[-1])]) for row in rows]

    def read_images(self, save_dir, name):
        paths = (save_dir / "plots" / "images" / name).glob("*.png")
        paths = sorted(paths, key=lambda path: int(path.stem))
        return [np.asarray(Image.open(path)) for path in paths]

    def test_nothing_is_left_in_the_current_folder(self, backend, elsewhere):
        backend.add_config(Config({"a": 1}))
        backend.add_scalar("loss", 1)
        backend.close()
        assert not list(elsewhere.iterdir())


@needs("dvclive")
@pytest.mark.slow
def test_dvclive_records_an_experiment_and_artifacts_in_a_repository(elsewhere):
    from dvc.repo import Repo

    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *author, *command], check=True)
    Repo.init(".").close()
    backend = DVCLiveVisBackend("work", init_kwargs={"exp_name": "digits"})
    backend.add_config(Config({"lr": 0.1}))
    backend.add_scalar("loss", 1)
    backend.close()
    assert not list(Path("work").glob("*.dvc"))
    Path("work/x.json").write_text("{}")
    backend.add_scalar("loss", 2, step=1)
    backend.close()
    assert [path.name for path in Path("work").glob("*.dvc")] == ["x.json.dvc"]


@needs("aim")
@pytest.mark.slow
def test_aim_tracks_in_its_repository(tmp_path, elsewhere):
    settings = {"system_tracking_interval": None, "capture_terminal_logs": False}
    backend = AimVisBackend("work/run_1", {"repo": str(tmp_path / "aim"), **settings})
    backend.add_config(Config({"act": torch.nn.ReLU, "of": {1: "one"}, "lr": 0.1}))
    for step in range(3):
        backend.add_scalar("train/loss", torch.tensor(3.0 - step), step=step)
        backend.add_image("val/image", PIXELS, step=step)
    run = backend.experiment
    assert run.experiment == "work_run_1"
    assert run["hparams", "lr"] == 0.1
    assert run["hparams", "of", "1"] == "one"
    found = run.collect_sequence_info(("metric", "images"))
    (loss,), (image,) = found["metric"], found["images"]
    assert (loss["name"], image["name"]) == ("train/loss", "val/image")
    assert (loss["values"]["first"], loss["values"]["last"]) == (3, 1)
    assert loss["values"]["last_step"] == 2
    backend.close()
    backend.close()
    assert not list(elsewhere.iterdir())


@needs("neptune")
@pytest.mark.slow
def test_neptune_records_offline(tmp_path, elsewhere, monkeypatch):
    monkeypatch.setenv("NEPTUNE_DATA_DIRECTORY", str(tmp_path / "neptune"))
    backend = NeptuneVisBackend(
        init_kwargs={
            "mode": "offline", "capture_stdout": False, "capture_stderr": False,
            "capture_hardware_metrics": False,
        }
    )  # fmt: skip
    record(backend, tmp_path)
    text = "".join(
        path.read_text(errors="replace")
        for path in (tmp_path / "neptune").rglob("*.log")
        if path.is_file()
    )
    for word in ('"loss"', '"acc"', '"images"', '"config"'):
        assert word in text
    assert not list(elsewhere.iterdir())


CLEARML = """
import sys
import clearml
from eng.vis import ClearMLVisBackend

clearml.Task.set_offline(True)
off = {f"auto_{name}": False for name in ("connect_frameworks", "resource_monitoring")}
off |= {f"auto_connect_{name}": False for name in ("arg_parser", "streams")}
backend = ClearMLVisBackend(init_kwargs={"project_name": "digits", "task_name": "test", **off})
backend.add_scalar("loss", 0.5, step=3)
folder = backend.experiment.get_offline_mode_folder()
backend.close()
print("folder:", folder)
"""


@needs("clearml")
@pytest.mark.slow
def test_clearml_records_offline(tmp_path):
    # In a process of its own: a task takes hold of much in the one that it is made in.
    done = subprocess.run(
        [sys.executable, "-c", CLEARML],
        env={**os.environ, "CLEARML_CACHE_DIR": str(tmp_path / "clearml")},
        capture_output=True, text=True, check=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    folder = Path(done.stdout.rpartition("folder: ")[2].strip())
    (reported,) = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    assert (reported["metric"], reported["variant"]) == ("loss", "loss")
    assert (reported["value"], reported["iter"]) == (0.5, 3)

"""The backends, each by what it has written in the end."""

import io
import json
import struct
import sys
import warnings
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from eng.config import Config
from eng.dist.testing import run_in_processes
from eng.vis import LocalVisBackend, TensorboardVisBackend, Visualizer, WandbVisBackend
from eng.vis.testing import VisBackendConformance

sys.path.insert(0, str(Path(__file__).parent))
import vis_workers


def events(folder):
    """What TensorBoard reads of a folder, nothing left out of it."""
    accumulator = EventAccumulator(
        str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0}
    )
    accumulator.Reload()
    return accumulator


class TestLocal(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "LocalVisBackend"}

    def read(self, save_dir, name):
        lines = (save_dir / "scalars.json").read_text().splitlines()
        return [record[name] for record in map(json.loads, lines) if name in record]

    def read_images(self, save_dir, name):
        return [np.asarray(Image.open(path)) for path in _by_step(save_dir / "vis_image", name)]


class TestTensorboard(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "TensorboardVisBackend"}

    def read(self, save_dir, name):
        accumulator = events(save_dir)
        if name not in accumulator.Tags()["scalars"]:
            return []
        return [event.value for event in accumulator.Scalars(name)]

    def read_images(self, save_dir, name):
        return [_decoded(event) for event in events(save_dir).Images(name)]


def _by_step(folder, name):
    return sorted(folder.glob(f"{name}_*.png"), key=lambda path: int(path.stem.split("_")[-1]))


def _decoded(event):
    return np.asarray(Image.open(io.BytesIO(event.encoded_image_string)).convert("RGB"))


@pytest.mark.parametrize("name", ["../out", "a/../../b", "/tmp/b"])
def test_an_image_stays_in_the_folder_of_images(tmp_path, name):
    backend = LocalVisBackend(str(tmp_path / "vis_data"))
    with pytest.raises(ValueError, match=f"image '{name}' must have a name within"):
        backend.add_image(name, np.zeros((2, 2, 3), np.uint8))
    assert not list(tmp_path.rglob("*.png"))


def test_tensorboard_has_the_step_and_one_curve_a_name(tmp_path):
    backend = TensorboardVisBackend(str(tmp_path))
    backend.add_scalar("loss", 0.5, step=3)
    backend.add_scalars({"a/b": 1, "c": 2.0, "step": torch.tensor(9)}, step=4)
    backend.close()
    read = events(tmp_path)
    assert sorted(read.Tags()["scalars"]) == ["a/b", "c", "loss"]
    assert [(e.step, e.value) for e in read.Scalars("loss")] == [(3, 0.5)]
    assert [(e.step, e.value) for e in read.Scalars("a/b")] == [(9, 1)]


def test_tensorboard_has_the_text_of_a_config(tmp_path):
    config = Config({"model": {"type": "Net", "depth": 3}})
    backend = TensorboardVisBackend(str(tmp_path))
    backend.add_config(config)
    backend.close()
    (event,) = events(tmp_path).Tensors("config/text_summary")
    lines = event.tensor_proto.string_val[0].decode().splitlines()
    assert all(line.startswith("    ") for line in lines if line)
    assert "\n".join(line[4:] for line in lines).strip() == config.pretty_text.strip()


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_tensorboard_has_the_pixels_of_an_image(tmp_path, shape, dtype):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    backend = TensorboardVisBackend(str(tmp_path))
    backend.add_image("image", image, step=2)
    backend.close()
    (event,) = events(tmp_path).Images("image")
    assert (event.step, event.height, event.width) == (2, 4, 5)
    pixels = _decoded(event)
    np.testing.assert_array_equal(pixels, image if image.ndim == 3 else np.dstack([image] * 3))


class Net(nn.Module):
    """A model with a part that is frozen while the rest trains."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.BatchNorm1d(2).eval()
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.frozen(x))


def test_tensorboard_has_the_graph_and_the_model_stays_as_it_was(tmp_path):
    model = Net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    backend = TensorboardVisBackend(str(tmp_path))
    backend.add_graph(model, None)  # nothing to trace
    backend.add_graph(model, torch.rand(4, 2))
    backend.close()
    graph = events(tmp_path).Graph()
    assert any("Linear[head]" in node.name for node in graph.node)
    assert model.training
    assert model.head.training
    assert not model.frozen.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with pytest.raises(
        TypeError, match=r"a tensor or a tuple of tensors, not dict with \['dict'\]"
    ):
        backend.add_graph(model, {"inputs": torch.rand(4, 2)})


def test_tensorboard_leaves_out_what_is_no_number_and_says_so_once(tmp_path):
    backend = TensorboardVisBackend(str(tmp_path))
    with pytest.warns(
        UserWarning, match="TensorboardVisBackend skips 'note', which is not a number but 'word'"
    ):
        backend.add_scalars({"note": "word", "loss": 1.0}, step=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backend.add_scalars({"note": "word", "loss": 1.0}, step=1)
    backend.close()
    assert events(tmp_path).Tags()["scalars"] == ["loss"]


def test_only_the_first_process_writes(tmp_path):
    run_in_processes(vis_workers.record_to_tensorboard, 2, str(tmp_path))
    assert len(list(tmp_path.rglob("events.out.tfevents.*"))) == 1
    assert [e.value for e in events(tmp_path / "vis_data").Scalars("loss")] == [1]


@pytest.mark.parametrize("backend", [TensorboardVisBackend, WandbVisBackend])
@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("add_config", (Config({"a": 1}),)),
        ("add_scalar", ("loss", 1)),
        ("add_scalars", ({"loss": 1},)),
        ("add_image", ("image", np.zeros((2, 2, 3), np.uint8))),
        ("add_graph", (torch.nn.Linear(1, 1), torch.zeros(1, 1))),
    ],
)
def test_a_missing_package_is_named_at_first_use(tmp_path, monkeypatch, backend, method, args):
    package = backend.__name__.removesuffix("VisBackend").lower()
    monkeypatch.setitem(sys.modules, package, None)
    visualizer = Visualizer("missing", vis_backends=backend(str(tmp_path)))
    for _ in range(2):
        with pytest.raises(
            ModuleNotFoundError, match=rf"\"pip install {package}\".*vis\[{package}\]"
        ):
            getattr(visualizer, method)(*args)
    visualizer.close()


class StandIn(ModuleType):
    """What `WandbVisBackend` uses of wandb. Each run is a file in its directory."""

    def __init__(self):
        super().__init__("wandb")
        self.__spec__ = ModuleSpec("wandb", None)
        self.runs = []

    class Image:
        def __init__(self, pixels):
            self.pixels = pixels

    def init(self, **settings):
        run = SimpleNamespace(
            settings=settings, configs=[], records=[], commits=[], metrics={}, finished=0,
            codes=[], watched=[],
        )  # fmt: skip
        run.config = SimpleNamespace(update=lambda cfg, **how: run.configs.append((cfg, how)))
        run.define_metric = lambda name, **how: run.metrics.update({name: how})
        run.log_code = lambda name: run.codes.append(name)
        run.watch = lambda model, **how: run.watched.append((model, how))

        def log(record, commit):
            assert not run.finished
            run.records.append(record)
            run.commits.append(commit)

        def finish():
            run.finished += 1
            plain = (int, float, self.Image)
            records = [
                {k: v for k, v in record.items() if isinstance(v, plain)} for record in run.records
            ]
            path = Path(settings["dir"]) / f"{len(self.runs)}.json"
            path.write_text(json.dumps(records, default=lambda image: image.pixels.tolist()))

        run.log, run.finish = log, finish
        self.runs.append(run)
        return run


@pytest.fixture
def wandb(monkeypatch):
    module = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


@pytest.mark.usefixtures("wandb")
class TestWandb(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "WandbVisBackend"}

    def read(self, save_dir, name):
        records = [
            r for path in sorted(save_dir.glob("*.json")) for r in json.loads(path.read_text())
        ]
        return [record[name] for record in records if name in record]

    def read_images(self, save_dir, name):
        return self.read(save_dir, name)


class Moved:
    """What a tensor on another device does, as far as it matters here: each move is a wait."""

    moves = 0

    def tolist(self):
        self.moves += 1
        return [0.5]


@pytest.mark.usefixtures("wandb")
@pytest.mark.parametrize("kind", [LocalVisBackend, TensorboardVisBackend, WandbVisBackend])
def test_a_value_is_moved_from_its_device_once(tmp_path, kind):
    backend = kind(str(tmp_path))
    one, other = Moved(), Moved()
    backend.add_scalar("one", one)
    backend.add_scalars({"other": other})
    assert (one.moves, other.moves) == (1, 1)
    backend.close()


def test_wandb_is_given_what_its_arguments_say(tmp_path, wandb):
    settings = {"project": "digits", "mode": "offline"}
    backend = WandbVisBackend(
        str(tmp_path), settings, define_metric_cfg={"coco/bbox_mAP": "max"}, commit=False
    )
    assert not wandb.runs
    backend.add_config(Config({"a": 1, "b": {"c": [2]}}))
    backend.add_scalars({"loss": torch.tensor([0.5]), "step": 3}, step=7)
    image = np.full((2, 3, 3), 200)
    backend.add_image("image", image)
    assert backend.experiment is wandb
    backend.close()
    (run,) = wandb.runs
    assert run.settings == {"dir": str(tmp_path), **settings}
    assert settings == {"project": "digits", "mode": "offline"}
    assert run.metrics == {"coco/bbox_mAP": {"summary": "max"}}
    assert run.codes == []
    assert run.configs == [({"a": 1, "b": {"c": [2]}}, {"allow_val_change": True})]
    assert run.records[0] == {"loss": 0.5, "step": 3}
    assert run.records[1]["image"].pixels.dtype == np.uint8
    assert run.commits == [False, False]
    assert run.finished == 1


def test_wandb_has_the_directory_of_its_own_settings(tmp_path, wandb):
    backend = WandbVisBackend(str(tmp_path / "a"), {"dir": str(tmp_path / "b")})
    backend.add_scalar("loss", 1)
    backend.close()
    assert wandb.runs[0].settings == {"dir": str(tmp_path / "b")}
    assert not (tmp_path / "a").exists()


def test_wandb_defines_metrics_and_records_code_and_gradients(tmp_path, wandb):
    metrics = [{"name": "acc", "step_metric": "epoch"}, {"name": "loss", "summary": "min"}]
    backend = WandbVisBackend(
        str(tmp_path),
        define_metric_cfg=metrics,
        log_code_name="digits",
        watch_kwargs={"log": "all"},
    )
    model = nn.Linear(1, 1)
    backend.add_config(Config({"a": 1}))
    backend.add_graph(model, None)
    backend.close()
    (run,) = wandb.runs
    assert run.metrics == {"acc": {"step_metric": "epoch"}, "loss": {"summary": "min"}}
    assert run.codes == ["digits"]
    assert run.watched == [(model, {"log": "all"})]


@pytest.mark.parametrize("metrics", ["loss", ["loss"], 3, [{"name": "loss"}, "acc"]])
def test_wandb_refuses_other_definitions_of_metrics(tmp_path, metrics):
    with pytest.raises(ValueError, match="define_metric_cfg must be a dict"):
        WandbVisBackend(str(tmp_path), define_metric_cfg=metrics)


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("wandb") is None, reason="wandb is large, so that the test extra leaves it out"
)
class TestRealWandb(VisBackendConformance):
    @pytest.fixture
    def cfg(self):
        return {"type": "WandbVisBackend", "init_kwargs": {"mode": "offline", "project": "test"}}

    def read(self, save_dir, name):
        from wandb.proto.wandb_internal_pb2 import Record

        values = []
        paths = save_dir.glob("wandb/offline-run-*/*.wandb")
        for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns):
            for content in log_records(path.read_bytes()[7:], 7):
                for item in Record.FromString(content).history.item:
                    if name in (item.key, *item.nested_key[-1:]):
                        values.append(float(json.loads(item.value_json)))
        return values

    def read_images(self, save_dir, name):
        (folder,) = save_dir.glob("wandb/offline-run-*/files/media/images")
        paths = folder.glob(f"{name}_*.png")
        paths = sorted(paths, key=lambda path: int(path.stem.split("_")[-2]))
        return [np.asarray(Image.open(path)) for path in paths]


def log_records(content, start):
    """Records of a log of LevelDB, in blocks of 32 KiB: parts with a checksum, length and kind."""
    record, at = b"", 0
    while at + 7 <= len(content):
        left = 32768 - (at + start) % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


@pytest.mark.parametrize("name", ["../x.json", "/x.json", "a/../../x.json"])
def test_names_stay_in_the_directory(tmp_path, name):
    backend = LocalVisBackend(str(tmp_path / "vis"))
    with pytest.raises(ValueError, match="file_path is outside"):
        backend.add_scalars({"a": 1}, file_path=name)
    for argument in ("scalar_save_file", "config_save_file", "img_save_dir"):
        with pytest.raises(ValueError, match=f"{argument} is outside"):
            LocalVisBackend(str(tmp_path / "vis"), **{argument: name})
    assert not list(tmp_path.rglob("*.json"))

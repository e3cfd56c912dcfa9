import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eng.config import Config
from eng.registry import VISBACKENDS, VISUALIZERS
from eng.vis import BaseVisBackend, LocalVisBackend, Visualizer


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@given(
    st.dictionaries(
        st.text(max_size=9) | st.sampled_from(["%", "%s", '"', "a/b", "lr"]),
        st.integers() | st.floats() | st.sampled_from([10**400, -0.0, 1e16, 1e-7]),
        min_size=1,
    )
)
def test_numbers_are_written_as_json_writes_them(numbers):
    with TemporaryDirectory() as folder:
        LocalVisBackend(folder).add_scalars(numbers, step=3)
        written = Path(folder, "scalars.json").read_text("utf-8")
    assert written == json.dumps({"step": 3, **numbers}) + "\n"


class Item:
    """What a tensor can do, as far as it matters here."""

    def __init__(self, value):
        self.value = value

    def tolist(self):
        return self.value


def test_local_backend_writes_config_and_scalars(tmp_path):
    backend = LocalVisBackend(str(tmp_path / "vis_data"))
    assert not (tmp_path / "vis_data").exists()
    assert backend.experiment is backend
    config = Config({"model": {"type": "Net", "depth": 3}, "lrs": [0.1, 0.2]})
    backend.add_config(config)
    assert Config.fromfile(str(tmp_path / "vis_data" / "config.py")) == config
    backend.add_scalar("loss", 0.5, step=1)
    backend.add_scalar("loss", np.float32(0.25), step=2)
    backend.add_scalars({"acc": 1, "name": "x"}, step=3)
    backend.add_scalars({"acc": 2, "step": 9}, step=3)
    assert lines(tmp_path / "vis_data" / "scalars.json") == [
        {"loss": 0.5, "step": 1},
        {"loss": 0.25, "step": 2},
        {"acc": 1, "name": "x", "step": 3},
        {"acc": 2, "step": 9},
    ]
    backend.close()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.array(2.0), 2),
        (np.array([[3.0]]), 3),
        (np.array([1, 2]), [1, 2]),
        (np.int64(4), 4),
        (np.bool_(True), True),
        (Item(5.5), 5.5),
        (Item([6]), 6),
        ([7, 8], [7, 8]),
    ],
)
def test_arrays_and_tensors_are_numbers(tmp_path, value, plain):
    LocalVisBackend(str(tmp_path)).add_scalar("value", value)
    assert lines(tmp_path / "scalars.json") == [{"value": plain, "step": 0}]


def test_tensors_are_numbers(tmp_path):
    torch = pytest.importorskip("torch")
    backend = LocalVisBackend(str(tmp_path))
    backend.add_scalar("value", torch.tensor([1.5], requires_grad=True))
    backend.add_scalar("value", torch.tensor(2.5, dtype=torch.bfloat16))
    assert [line["value"] for line in lines(tmp_path / "scalars.json")] == [1.5, 2.5]


def test_scalars_also_go_to_another_file(tmp_path):
    backend = LocalVisBackend(str(tmp_path), scalar_save_file="all.json")
    backend.add_scalars({"acc": 1}, step=1)
    backend.add_scalars({"acc": 2}, step=2, file_path="val.json")
    assert [line["acc"] for line in lines(tmp_path / "all.json")] == [1, 2]
    assert lines(tmp_path / "val.json") == [{"step": 2, "acc": 2}]
    with pytest.raises(ValueError, match="must differ from scalar_save_file"):
        backend.add_scalars({"acc": 3}, file_path="all.json")
    with pytest.raises(ValueError, match=r"file_path must end in \.json, not 'val\.txt'"):
        backend.add_scalars({"acc": 3}, file_path="val.txt")
    assert len(lines(tmp_path / "all.json")) == 2


def test_bad_file_names(tmp_path):
    with pytest.raises(AssertionError, match="scalar_save_file"):
        LocalVisBackend(str(tmp_path), scalar_save_file="scalars.txt")
    with pytest.raises(ValueError, match="config_save_file"):
        LocalVisBackend(str(tmp_path), config_save_file="config.txt")


class Recorder(BaseVisBackend):
    def __init__(self, save_dir="unused"):
        super().__init__(save_dir)
        self.calls = []

    @property
    def experiment(self):
        return self.calls

    def add_graph(self, model, data_batch, **kwargs):
        self.calls.append(("graph", model, data_batch))

    def add_image(self, name, image, step=0, **kwargs):
        self.calls.append(("image", name, image.shape, step))

    def add_scalar(self, name, value, step=0, **kwargs):
        self.calls.append(("scalar", name, value, step))

    def close(self):
        self.calls.append(("close",))


def test_visualizer_sends_everything_to_every_backend(tmp_path):
    recorder = Recorder()
    visualizer = VISUALIZERS.build(
        {
            "type": "Visualizer",
            "name": "sends_everything",
            "vis_backends": [{"type": "LocalVisBackend"}, recorder],
            "save_dir": str(tmp_path),
        }
    )
    visualizer.dataset_meta = {"classes": ("a",)}
    assert visualizer.dataset_meta == {"classes": ("a",)}
    visualizer.add_config(Config({"a": 1}))
    visualizer.add_graph("model", "batch")
    visualizer.add_image("image", np.zeros((2, 3, 3), np.uint8), step=4)
    visualizer.add_scalar("loss", 1.0, step=5)
    visualizer.add_scalars({"acc": 2}, step=6, file_path="val.json")
    visualizer.close()
    assert recorder.calls == [
        ("graph", "model", "batch"),
        ("image", "image", (2, 3, 3), 4),
        ("scalar", "loss", 1.0, 5),
        ("close",),
    ]
    data = tmp_path / "vis_data"
    written = ["config.origins", "config.py", "scalars.json", "val.json", "vis_image"]
    assert sorted(path.name for path in data.iterdir()) == written
    assert lines(data / "scalars.json") == [{"loss": 1.0, "step": 5}, {"step": 6, "acc": 2}]
    assert visualizer.get_backend("Recorder") is recorder
    assert visualizer.get_backend("WandbVisBackend") is None


def test_backends_may_have_names_and_need_a_folder(tmp_path):
    folder = str(tmp_path)
    configs = [
        {"type": "LocalVisBackend", "save_dir": folder},
        {"type": LocalVisBackend, "save_dir": folder, "name": "b"},
    ]
    visualizer = Visualizer("names", vis_backends=configs)
    assert isinstance(visualizer.get_backend("b"), LocalVisBackend)
    assert configs[1]["name"] == "b"
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind, match="duplicate backend name 'LocalVisBackend'"):
            Visualizer("twice", vis_backends=[configs[0], configs[0]])
    one = Visualizer("one", vis_backends=configs[1])
    assert isinstance(one.get_backend("b"), LocalVisBackend)
    assert Visualizer("two", vis_backends=one.get_backend("b")).get_backend("LocalVisBackend")
    for kind in (TypeError, AssertionError):
        with pytest.raises(kind, match="vis_backends must be backends or their configs, not str"):
            Visualizer("bad", vis_backends=["LocalVisBackend"])
    with pytest.warns(UserWarning, match="LocalVisBackend is skipped"):
        Visualizer("no_folder", vis_backends=[{"type": "LocalVisBackend"}])
    assert VISBACKENDS.get("LocalVisBackend") is LocalVisBackend


def test_an_instance_of_a_subclass_is_found_through_the_base():
    class Own(Visualizer):
        pass

    own = Own.get_instance("of_a_subclass")
    assert Visualizer.get_instance("of_a_subclass") is own
    assert Visualizer.get_current_instance() is own

import json
import warnings

import numpy as np
import pytest

from eng.config import Config
from eng.vis import LocalVisBackend, Visualizer

IMAGE = np.zeros((4, 4, 3), dtype=np.uint8)


class Broken(LocalVisBackend):
    """Fails a number of times with an error, then writes."""

    def __init__(self, save_dir, error, times=10**9):
        super().__init__(save_dir)
        self.error, self.left, self.calls = error, times, 0

    def _fail(self):
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error

    def add_config(self, config, **kwargs):
        self._fail()

    def add_graph(self, model, data_batch, **kwargs):
        self._fail()

    def add_image(self, name, image, step=0, **kwargs):
        self._fail()

    def add_scalar(self, name, value, step=0, **kwargs):
        self._fail()
        super().add_scalar(name, value, step)

    def add_scalars(self, scalar_dict, step=0, file_path=None, **kwargs):
        self._fail()
        super().add_scalars(scalar_dict, step)

    def close(self):
        self._fail()


def record(visualizer, steps=3):
    visualizer.add_config(Config(dict(a=1)))
    visualizer.add_graph(None, None)
    for step in range(steps):
        visualizer.add_image("a", IMAGE, step)
        visualizer.add_scalar("a", 1, step)
        visualizer.add_scalars({"b": 2}, step)
    visualizer.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        PermissionError("no"),
        ConnectionError("gone"),
        RuntimeError("writer died"),
        ValueError("I/O operation on closed file"),
        type("CommError", (Exception,), {})("no network"),
    ],
)
def test_a_backend_that_cannot_write_is_warned_of_once(tmp_path, error):
    broken, whole = Broken(str(tmp_path / "a"), error), LocalVisBackend(str(tmp_path / "b"))
    with pytest.warns(UserWarning, match="Broken cannot record") as caught:
        record(Visualizer(vis_backends=[broken, whole]))
    assert len(caught) == 1
    lines = (tmp_path / "b" / "scalars.json").read_text().splitlines()
    assert len(lines) == 6
    assert len(list((tmp_path / "b" / "vis_image").iterdir())) == 3


def test_an_unreachable_tracker_is_asked_less_and_less_often(tmp_path):
    broken = Broken(str(tmp_path), ConnectionError("gone"))
    visualizer = Visualizer(vis_backends=[broken])
    with pytest.warns(UserWarning, match="cannot record"):
        visualizer.add_scalar("a", 1, 0)
    for step in range(1, 10_000):
        visualizer.add_scalar("a", 1, step)
    assert 10 < broken.calls < 40


def test_a_backend_that_writes_again_is_used_again(tmp_path):
    visualizer = Visualizer(vis_backends=[Broken(str(tmp_path), OSError("full"), times=2)])
    with pytest.warns(UserWarning, match="cannot record"):
        visualizer.add_scalar("a", 1, 0)
    for step in range(1, 100):
        visualizer.add_scalar("a", 1, step)
    steps = [json.loads(x)["step"] for x in (tmp_path / "scalars.json").read_text().splitlines()]
    assert steps[0] < 10
    assert steps == list(range(steps[0], 100))


def test_wrong_arguments_are_raised(tmp_path):
    visualizer = Visualizer(vis_backends=[LocalVisBackend(str(tmp_path))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError):
            visualizer.add_image("a", IMAGE.astype(float))
        with pytest.raises(ValueError, match="file_path"):
            visualizer.add_scalars({"a": 1}, file_path="../x.json")


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path, monkeypatch):
    backend = LocalVisBackend(str(tmp_path))
    backend.add_scalar("a", 1, 0)

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, text):
            self.file.write(text[:5])
            raise OSError(28, "No space left on device")

    from pathlib import Path

    with monkeypatch.context() as patched:
        real = Path.open
        patched.setattr(Path, "open", lambda path, *a, **k: Full(real(path, *a, **k)))
        with pytest.raises(OSError, match="No space"):
            backend.add_scalar("a", 1, 1)
    backend.add_scalar("a", 1, 2)
    lines = (tmp_path / "scalars.json").read_text().splitlines()
    assert [json.loads(lines[0])["step"], json.loads(lines[-1])["step"]] == [0, 2]

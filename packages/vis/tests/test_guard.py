import copy
import json
import pickle
import resource
import shutil
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


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path):
    backend = LocalVisBackend(str(tmp_path))
    backend.add_scalar("a", 1, 0)

    file = tmp_path / "scalars.json"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 5, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            backend.add_scalar("a", 1, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text().endswith('\n{"a":')
    backend.add_scalar("a", 1, 2)
    lines = (tmp_path / "scalars.json").read_text().splitlines()
    assert [json.loads(lines[0])["step"], json.loads(lines[-1])["step"]] == [0, 2]


@pytest.mark.parametrize("change", ["unlink", "rename", "remove_folder", "close"])
def test_a_file_that_is_moved_between_lines_begins_again(tmp_path, change):
    folder = tmp_path / "records"
    backend = LocalVisBackend(str(folder))
    backend.add_scalar("a", 1, 0)
    file = folder / "scalars.json"
    if change == "unlink":
        file.unlink()
    elif change == "rename":
        file.rename(tmp_path / "earlier.json")
        file.write_text('{"a": 5, "step": 5}\n')  # of somebody else
    elif change == "remove_folder":
        shutil.rmtree(folder)
    else:
        backend.close()
    backend.add_scalar("a", 2, 1)
    steps = [json.loads(line)["step"] for line in file.read_text().splitlines()]
    assert steps == {"rename": [5, 1], "close": [0, 1]}.get(change, [1])


def test_a_copy_of_a_backend_writes_to_the_same_files(tmp_path):
    backend = LocalVisBackend(str(tmp_path))
    backend.add_scalar("a", 1, 0)
    pickle.loads(pickle.dumps(backend)).add_scalar("a", 1, 1)
    copy.deepcopy(backend).add_scalar("a", 1, 2)
    backend.add_scalar("a", 1, 3)
    lines = (tmp_path / "scalars.json").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 1, 2, 3]

"""Backends of other people that begin to record at their first use."""

import json
from pathlib import Path

import numpy as np
import pytest

from eng.registry import VISBACKENDS
from eng.vis import (
    BaseVisBackend,
    LocalVisBackend,
    TensorboardVisBackend,
    Visualizer,
    force_init_env,
)


class Counted(BaseVisBackend):
    failures = 0

    def __init__(self, save_dir):
        super().__init__(save_dir)
        self.begun = 0
        self.calls = []

    def _init_env(self):
        self.begun += 1
        if self.begun <= self.failures:
            raise OSError("out of reach")
        self.note("from the beginning")

    @property
    @force_init_env
    def experiment(self):
        return self

    @force_init_env
    def note(self, word):
        self.calls.append(word)

    @force_init_env
    def add_scalar(self, name, value, step=0, **kwargs):
        """Keep a number."""
        self.calls.append((name, value, step))
        return value


def test_a_backend_begins_once_before_its_first_use():
    backend = Counted("work_dir")
    assert backend.begun == 0
    assert not backend._env_initialized
    assert backend.add_scalar("loss", 0.5, step=2) == 0.5
    assert backend.add_scalar("loss", 0.25) == 0.25
    assert backend.experiment is backend
    assert backend.begun == 1
    assert backend._env_initialized
    assert backend.calls == ["from the beginning", ("loss", 0.5, 2), ("loss", 0.25, 0)]
    assert Counted("other").begun == 0


def test_a_decorated_method_keeps_its_name_and_text():
    assert Counted.add_scalar.__name__ == "add_scalar"
    assert Counted.add_scalar.__doc__ == "Keep a number."


def test_what_could_not_begin_tries_again():
    backend = Counted("work_dir")
    backend.failures = 1
    with pytest.raises(OSError, match="out of reach"):
        backend.add_scalar("loss", 1)
    assert not backend._env_initialized
    backend.add_scalar("loss", 2)
    assert backend.calls == ["from the beginning", ("loss", 2, 0)]


def test_an_object_without_a_beginning_is_named():
    class Other:
        @force_init_env
        def work(self):
            return 1

    with pytest.raises(AttributeError, match="Other must have a method _init_env, which work"):
        Other().work()


def test_a_local_backend_of_a_subclass_finds_its_folder(tmp_path):
    class Numbered(LocalVisBackend):
        @force_init_env
        def add_image(self, name, image, step=0, **kwargs):
            Path(self._img_save_dir, f"{name}_{step:03}.txt").write_text(str(image.shape))
            Path(self._save_dir, "names.txt").write_text(name)

    visualizer = Visualizer("subclass", vis_backends=Numbered(str(tmp_path / "a" / "b")))
    visualizer.add_image("cat", np.zeros((2, 3, 3), np.uint8), step=4)
    visualizer.add_scalar("loss", 0.5)
    visualizer.close()
    assert (tmp_path / "a/b/vis_image/cat_004.txt").read_text() == "(2, 3, 3)"
    assert (tmp_path / "a/b/names.txt").read_text() == "cat"
    assert json.loads((tmp_path / "a/b/scalars.json").read_text()) == {"loss": 0.5, "step": 0}


def test_a_subclass_records_by_the_writer_of_tensorboard(tmp_path):
    class Texts(TensorboardVisBackend):
        @force_init_env
        def add_text(self, name, text, step=0):
            self._tensorboard.add_text(name, text, step)

    backend = Texts(str(tmp_path))
    assert not list(tmp_path.iterdir())
    backend.add_text("note", "first")
    backend.add_scalar("loss", 1)
    backend.close()
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1


def test_a_backend_that_needs_no_folder_is_not_left_out(recwarn):
    @VISBACKENDS.register_module(force=True)
    class NoFolder(BaseVisBackend):
        def __init__(self, save_dir=None):
            super().__init__(save_dir)
            self.numbers = []

        @property
        def experiment(self):
            return self.numbers

        def add_scalar(self, name, value, step=0, **kwargs):
            self.numbers.append(value)

    try:
        visualizer = Visualizer("no_folder", vis_backends={"type": "NoFolder"})
        other = Visualizer("class", vis_backends=[{"type": NoFolder, "name": "mine"}])
    finally:
        VISBACKENDS.module_dict.pop("NoFolder")
    visualizer.add_scalar("loss", 3)
    assert visualizer.get_backend("NoFolder").experiment == [3]
    assert isinstance(other.get_backend("mine"), NoFolder)
    assert not recwarn.list

# The names of tests say what they check.
# ruff: noqa: D102
"""Conformance tests for backends of a visualizer; needs ``pip install eng-vis[test]``.

Subclass the class in a test file::

    class TestMyBackend(VisBackendConformance):
        @pytest.fixture
        def cfg(self):
            return dict(type="MyBackend")

        def read(self, save_dir, name):
            return my_reader(save_dir)[name]
"""

import copy
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from eng.config import Config
from eng.registry import VISBACKENDS, PartConfig

from .backend import BaseVisBackend
from .types import Scalar
from .visualizer import Visualizer

__all__ = ["VisBackendConformance"]


class VisBackendConformance:
    """Tests of the behaviour that every backend must have.

    Fixtures to define:
        cfg: Config of the backend without ``save_dir``, such as ``dict(type="MyBackend")``.

    Methods to define:
        read: Return the recorded numbers.
        read_images: Return the recorded images.
    """

    @pytest.fixture
    def cfg(self) -> PartConfig:
        """Config of the backend."""
        raise NotImplementedError("define a fixture `cfg`, such as dict(type='MyBackend')")

    def read(self, save_dir: Path, name: str) -> list[float]:
        """Return the numbers that closed backends recorded under a name, in their order.

        Args:
            save_dir: Directory of the backends.
            name: The name.

        Returns:
            The numbers; empty if there are none.
        """
        raise NotImplementedError

    def read_images(self, save_dir: Path, name: str) -> list[np.ndarray]:
        """Return the images that closed backends recorded under a name, by their step.

        Args:
            save_dir: Directory of the backends.
            name: The name.

        Returns:
            The images, of shape (height, width, 3).
        """
        raise NotImplementedError

    @pytest.fixture
    def save_dir(self, tmp_path: Path) -> Path:
        """A directory that does not exist yet."""
        return tmp_path / "work" / "vis_data"

    @pytest.fixture
    def backend(self, cfg: PartConfig, save_dir: Path) -> Iterator[BaseVisBackend]:
        """The backend, closed after the test."""
        backend = VISBACKENDS.build({**cfg, "save_dir": str(save_dir)})
        yield backend
        backend.close()

    def test_it_is_a_backend_that_begins_nothing_by_itself(
        self, backend: BaseVisBackend, save_dir: Path
    ) -> None:
        assert isinstance(backend, BaseVisBackend)
        backend.close()
        assert not save_dir.exists()

    def test_experiment_is_what_records(self, backend: BaseVisBackend) -> None:
        assert backend.experiment is not None
        assert backend.experiment is backend.experiment

    def test_any_config_is_taken(self, backend: BaseVisBackend) -> None:
        backend.add_config(Config({"a": None, "b": {"c": [1, (2, 3)], "d": {"4": 5}}}))
        backend.add_config(Config({"act": torch.nn.ReLU, "init": lambda x: x, "of": {1: "one"}}))

    @pytest.mark.parametrize(
        ("value", "number"),
        [
            (3, 3),
            (0.5, 0.5),
            (np.float32(0.25), 0.25),
            (np.int64(4), 4),
            (np.array(2.0), 2),
            (np.array([[6.0]]), 6),
            (torch.tensor(7), 7),
            (torch.tensor([1.5], dtype=torch.bfloat16), 1.5),
            (torch.tensor(2.5, requires_grad=True), 2.5),
            (math.inf, math.inf),
            (math.nan, math.nan),
        ],
    )
    def test_whatever_holds_one_number_is_recorded(
        self, backend: BaseVisBackend, save_dir: Path, value: Scalar, number: float
    ) -> None:
        backend.add_scalar("train/loss", value, step=1)
        backend.add_scalars({"acc": value}, step=1)
        backend.close()
        assert self.read(save_dir, "train/loss") == pytest.approx([number], nan_ok=True)
        assert self.read(save_dir, "acc") == pytest.approx([number], nan_ok=True)

    def test_numbers_come_back_in_their_order(
        self, backend: BaseVisBackend, save_dir: Path
    ) -> None:
        for step in range(50):
            backend.add_scalars({"loss": 50 - step, "lr": step}, step=step)
        backend.close()
        assert self.read(save_dir, "loss") == list(range(50, 0, -1))
        assert self.read(save_dir, "lr") == list(range(50))
        assert self.read(save_dir, "none") == []

    @pytest.mark.filterwarnings("ignore")  # of values that a backend skips
    def test_what_is_given_stays_as_it_is(self, backend: BaseVisBackend) -> None:
        scalars = {"loss": 0.5, "step": 3, "weights": np.arange(3)}
        config = Config({"lr": 0.1, "hooks": [{"type": "A"}]})
        image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
        before = copy.deepcopy((scalars, config, image))
        backend.add_config(config)
        backend.add_image("image", image)
        backend.add_scalars(scalars, step=1)
        for was, now in zip(before[0].values(), scalars.values(), strict=True):
            np.testing.assert_array_equal(was, now)
        assert list(scalars) == list(before[0])
        assert config == before[1]
        np.testing.assert_array_equal(image, before[2])

    @pytest.mark.filterwarnings("ignore")  # of values that a backend skips
    def test_what_is_no_number_does_not_keep_numbers_out(
        self, backend: BaseVisBackend, save_dir: Path
    ) -> None:
        backend.add_scalars({"word": "best", "many": [1, 2], "loss": 1}, step=0)
        backend.add_scalar("many", np.arange(3), step=0)
        backend.add_scalar("loss", 2, step=1)
        backend.close()
        assert self.read(save_dir, "loss") == [1, 2]

    def test_settings_of_other_backends_are_no_matter(
        self, backend: BaseVisBackend, save_dir: Path
    ) -> None:
        backend.add_config(Config({"lr": 0.1}), other=1)
        backend.add_image("image", np.zeros((2, 2, 3), np.uint8), 1, other=1)
        backend.add_scalar("loss", 1, 1, other=1)
        backend.add_scalars({"loss": 2}, 2, "other.json", other=1)
        backend.close()
        assert self.read(save_dir, "loss") == [1, 2]

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64])
    def test_images_come_back_by_their_step(
        self, backend: BaseVisBackend, save_dir: Path, dtype: type[np.generic]
    ) -> None:
        images = np.random.default_rng(0).integers(0, 256, (2, 10, 12, 3))
        for step, image in enumerate(images):
            backend.add_image("val/image", image.astype(dtype), step)
        backend.close()
        np.testing.assert_array_equal(self.read_images(save_dir, "val/image"), images)

    @pytest.mark.parametrize(
        ("image", "fault"),
        [
            (np.zeros((2, 2, 4), np.uint8), r"shape \(height, width, 3\).*\(2, 2, 4\)"),
            (np.zeros((0, 2, 3), np.uint8), r"\(0, 2, 3\)"),
            (np.zeros(3, np.uint8), r"\(3,\)"),
            (np.full((2, 2, 3), 0.5), "integers of 0 to 255, not float64"),
            (np.full((2, 2, 3), 256), "not 256 to 256"),
            (np.full((2, 2, 3), -1), "not -1 to -1"),
        ],
    )
    def test_what_is_no_image_is_named(
        self, backend: BaseVisBackend, save_dir: Path, image: np.ndarray, fault: str
    ) -> None:
        with pytest.raises((TypeError, ValueError), match=f"'val/0' must .*{fault}"):
            backend.add_image("val/0", image)
        assert not save_dir.exists()

    def test_it_closes_twice_and_records_on(self, backend: BaseVisBackend, save_dir: Path) -> None:
        backend.add_scalar("loss", 1, step=1)
        backend.close()
        backend.close()
        backend.add_scalar("loss", 2, step=2)
        backend.close()
        assert self.read(save_dir, "loss") == [1, 2]

    def test_a_visualizer_records_with_it(
        self, cfg: PartConfig, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        visualizer = Visualizer(
            request.node.nodeid, vis_backends=[{**cfg, "name": "mine"}], save_dir=str(tmp_path)
        )
        visualizer.add_config(Config({"lr": 0.1}))
        visualizer.add_scalar("loss", 1, step=1)
        visualizer.add_scalars({"loss": 2}, step=2, file_path="other.json")
        visualizer.close()
        assert isinstance(visualizer.get_backend("mine"), BaseVisBackend)
        assert self.read(tmp_path / "vis_data", "loss") == [1, 2]

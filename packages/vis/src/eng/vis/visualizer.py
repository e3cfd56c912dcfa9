"""What a run records, sent to every backend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.dist import master_only
from eng.registry import VISBACKENDS, VISUALIZERS
from eng.utils import ManagerMixin

from .backend import BaseVisBackend

__all__ = ["Visualizer"]


@VISUALIZERS.register_module()
class Visualizer(ManagerMixin):
    """Sends configs, scalars and images of a run to its backends, from the first process alone.

    Args:
        name: Name of the instance, see :class:`eng.utils.ManagerMixin`. Defaults to
            ``'visualizer'``.
        image: An image to draw on, RGB of shape (height, width, 3). Defaults to None.
        vis_backends: Backends, or configs of backends, each perhaps with a ``name``; without
            one the name is the type. Defaults to None, no backend.
        save_dir: Directory whose folder ``vis_data`` the backends write to. Defaults to None:
            configs of backends without a ``save_dir`` of their own are left out.
        fig_save_cfg: Settings of the figure that images are drawn with. Defaults to no frame.
        fig_show_cfg: Settings of the figure that images are shown with. Defaults to no frame.

    Raises:
        ValueError: If two backends have the same name.
    """

    def __init__(
        self,
        name: str = "visualizer",
        image: np.ndarray | None = None,
        vis_backends: Sequence[dict[str, Any] | BaseVisBackend] | None = None,
        save_dir: str | None = None,
        fig_save_cfg: dict[str, Any] = {"frameon": False},  # noqa: B006 - never changed
        fig_show_cfg: dict[str, Any] = {"frameon": False},  # noqa: B006 - never changed
    ) -> None:
        super().__init__(name)
        self._dataset_meta: dict[str, Any] | None = None
        self._image = image
        self.fig_save_cfg = fig_save_cfg
        self.fig_show_cfg = fig_show_cfg
        self._vis_backends = dict(_build_backends(vis_backends or [], save_dir))

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Meta information of the dataset, such as names of classes."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        self._dataset_meta = dataset_meta

    def get_backend(self, name: str) -> BaseVisBackend:
        """The backend of a name.

        Args:
            name: The name.

        Returns:
            The backend.

        Raises:
            KeyError: If there is none of this name.
        """
        if name not in self._vis_backends:
            raise KeyError(f"no backend {name!r}; there are {sorted(self._vis_backends)}")
        return self._vis_backends[name]

    @master_only
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record a config.

        Args:
            config: The config.
            **kwargs: Settings of the backends.
        """
        for backend in self._vis_backends.values():
            backend.add_config(config, **kwargs)

    @master_only
    def add_graph(self, model: Any, data_batch: Any, **kwargs: Any) -> None:
        """Record the graph of a model.

        Args:
            model: The model.
            data_batch: A batch to run it on.
            **kwargs: Settings of the backends.
        """
        for backend in self._vis_backends.values():
            backend.add_graph(model, data_batch, **kwargs)

    @master_only
    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB, of shape (height, width, 3), uint8.
            step: Step of the run. Defaults to 0.
        """
        for backend in self._vis_backends.values():
            backend.add_image(name, image, step)

    @master_only
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Record a number.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backends.
        """
        for backend in self._vis_backends.values():
            backend.add_scalar(name, value, step, **kwargs)

    @master_only
    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Record numbers.

        Args:
            scalar_dict: Numbers by name.
            step: Step of the run. Defaults to 0.
            file_path: Another file that also gets them, where a backend writes files. Defaults to
                None.
            **kwargs: Settings of the backends.
        """
        for backend in self._vis_backends.values():
            backend.add_scalars(scalar_dict, step, file_path, **kwargs)

    def close(self) -> None:
        """Finish recording in every backend."""
        for backend in self._vis_backends.values():
            backend.close()

    @classmethod
    def get_instance(cls, name: str, **kwargs: Any) -> Any:
        """The visualizer of a name, created if there is none.

        An instance of a subclass is found through :class:`Visualizer` as well.

        Args:
            name: The name.
            **kwargs: Arguments of the constructor.

        Returns:
            The visualizer.
        """
        instance = super().get_instance(name, **kwargs)
        Visualizer._instance_dict[name] = instance
        return instance


def _build_backends(
    backends: Sequence[dict[str, Any] | BaseVisBackend], save_dir: str | None
) -> Iterator[tuple[str, BaseVisBackend]]:
    seen: set[str] = set()
    folder = None if save_dir is None else str(Path(save_dir) / "vis_data")
    for given in backends:
        if isinstance(given, BaseVisBackend):
            name, backend = type(given).__name__, given
        else:
            cfg = dict(given)
            kind = cfg["type"] if isinstance(cfg["type"], str) else cfg["type"].__name__
            name = cfg.pop("name", kind)
            cfg.setdefault("save_dir", folder)
            if cfg["save_dir"] is None:
                warnings.warn(
                    f"{kind} is left out: neither it nor the visualizer has a save_dir",
                    stacklevel=3,
                )
                continue
            backend = VISBACKENDS.build(cfg)
        if name in seen:
            raise ValueError(f"two backends have the name {name!r}: give one another name=...")
        seen.add(name)
        yield name, backend

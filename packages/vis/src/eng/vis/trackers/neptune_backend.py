"""Record to Neptune."""

from __future__ import annotations

from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from ..types import Arguments
from .tracker import TrackerBackend

__all__ = ["NeptuneVisBackend"]


@VISBACKENDS.register_module()
class NeptuneVisBackend(TrackerBackend):
    """Records to a run of Neptune.

    It needs ``pip install eng-vis[neptune]``.

    Args:
        save_dir: Ignored: Neptune has its own directory. Defaults to None.
        init_kwargs: Arguments of ``neptune.init_run``, such as ``project``. Defaults to None: the
            run is recorded offline.
    """

    package = "neptune"

    def __init__(self, save_dir: str | None = None, init_kwargs: Arguments | None = None) -> None:
        super().__init__(save_dir)
        self._init_kwargs = {"mode": "offline"} if init_kwargs is None else dict(init_kwargs)

    @override
    def _open(self) -> Any:
        import neptune

        return neptune.init_run(**self._init_kwargs)

    @override
    def _write_config(self, config: Config) -> None:
        from neptune.types import File

        self._run["config"].upload(File.from_content(config.pretty_text, extension="py"))

    @override
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._run[name].append(value, step=step)

    @override
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        from neptune.types import File

        # Neptune takes floats of 0 to 1; depending on the version, also integers of 0 to 255.
        self._run["images"].append(File.as_image(image / 255), name=name, step=step)

    @override
    def _finish(self) -> None:
        self._run.stop()

"""Record to ClearML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from ..types import Arguments
from .tracker import TrackerBackend, plain_config

__all__ = ["ClearMLVisBackend"]


@VISBACKENDS.register_module()
class ClearMLVisBackend(TrackerBackend):
    """Records to a task of ClearML.

    It needs ``pip install eng-vis[clearml]``.

    Args:
        save_dir: Ignored: ClearML has its own directory. Defaults to None.
        init_kwargs: Arguments of ``clearml.Task.init``, such as ``project_name``. Defaults to None.
        artifact_suffix: Suffixes of files in the work directory, not in its subdirectories, that
            :meth:`close` uploads.
    """

    package = "clearml"

    def __init__(
        self,
        save_dir: str | None = None,
        init_kwargs: Arguments | None = None,
        artifact_suffix: Sequence[str] = (".py", ".pth"),
    ) -> None:
        super().__init__(save_dir)
        self._init_kwargs = dict(init_kwargs or {})
        self._artifact_suffix = artifact_suffix

    @override
    def _open(self) -> Any:
        import clearml

        return clearml.Task.init(**self._init_kwargs)

    @override
    def _write_config(self, config: Config) -> None:
        self._run.connect_configuration(plain_config(config.without_secrets()))

    @override
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        logger = self._run.get_logger()
        for name, value in numbers.items():
            logger.report_scalar(title=name, series=name, value=value, iteration=step)

    @override
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        self._run.get_logger().report_image(title=name, series=name, iteration=step, image=image)

    @override
    def _finish(self) -> None:
        folder = self._work_folder()
        files = sorted(Path(folder).iterdir()) if folder and Path(folder).is_dir() else []
        for path in files:
            if path.is_file() and path.name.endswith(tuple(self._artifact_suffix)):
                self._run.upload_artifact(path.name, str(path))
        self._run.close()

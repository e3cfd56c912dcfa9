"""Record to DVCLive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from ..types import Arguments
from .tracker import TrackerBackend, find_artifacts, plain_config

__all__ = ["DVCLiveVisBackend"]

#: Files that DVCLive writes itself.
_OWN = ("dvc.yaml", "metrics.json", "params.yaml")


@VISBACKENDS.register_module()
class DVCLiveVisBackend(TrackerBackend):
    """Records to files of DVCLive, and to an experiment of DVC inside of a DVC repository.

    It needs ``pip install eng-vis[dvclive]``. It does not create a repository.

    Args:
        save_dir: Directory of the files.
        artifact_suffix: Suffixes of files in ``save_dir`` that :meth:`close` records as artifacts.
        init_kwargs: Arguments of ``dvclive.Live``. Defaults to None.
    """

    package = "dvclive"

    def __init__(
        self,
        save_dir: str,
        artifact_suffix: Sequence[str] = (".json", ".py", "yaml"),
        init_kwargs: Arguments | None = None,
    ) -> None:
        super().__init__(save_dir)
        self._artifact_suffix = artifact_suffix
        self._init_kwargs = dict(init_kwargs or {})
        self._has_started = False

    @override
    def _open(self) -> Any:
        from dvclive import Live

        is_repository = any(
            (folder / ".dvc").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)
        )
        arguments = {
            "dir": self._save_dir,
            "save_dvc_exp": is_repository,
            "cache_images": is_repository,
            # The default is in the current directory.
            "dvcyaml": str(Path(self._save_dir) / "dvc.yaml"),
            **self._init_kwargs,
        }
        if self._has_started:  # otherwise DVCLive removes the records from before close()
            arguments["resume"] = True
        self._has_started = True
        return Live(**arguments)

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        # A resumed training keeps the records of its earlier start in the same directory.
        self._has_started = self._has_started or step > 0
        return super().start_run(run_id, step, work_dir)

    @override
    def _write_config(self, config: Config) -> None:
        self._run.log_params(plain_config(config.without_secrets()))

    @override
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        self._run.step = step
        for name, value in numbers.items():
            self._run.log_metric(name, value)

    @override
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        self._run.step = step
        self._run.log_image(f"{name}/{step}.png", image)  # a directory is shown as steps

    @override
    def _finish(self) -> None:
        if getattr(self._run, "_dvc_repo", None) is not None:
            folder = Path(self._save_dir)
            for path in find_artifacts(str(folder), self._artifact_suffix, [str(folder / "plots")]):
                if path.parent != folder or path.name not in _OWN:
                    self._run.log_artifact(path)
        self._run.end()

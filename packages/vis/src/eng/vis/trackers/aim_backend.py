"""Record to Aim."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from ..types import Arguments
from .tracker import TrackerBackend, plain_config

__all__ = ["AimVisBackend"]


@VISBACKENDS.register_module()
class AimVisBackend(TrackerBackend):
    """Records to a run of Aim, which ``aim up`` shows.

    It needs ``pip install eng-vis[aim]``.

    Args:
        save_dir: Path whose last two parts name the experiment. Defaults to None: it is named by
            the time.
        init_kwargs: Arguments of ``aim.Run``, such as ``repo`` and ``experiment``. Defaults to
            None: the repository of the current directory.
    """

    package = "aim"

    def __init__(self, save_dir: str | None = None, init_kwargs: Arguments | None = None) -> None:
        super().__init__(save_dir)
        self._init_kwargs = dict(init_kwargs or {})
        self._hash: str | None = None

    @override
    def _open(self) -> Any:
        import aim

        parts = Path(self._save_dir).absolute().parts[-2:] if self._save_dir else ()
        name = "_".join(parts) or datetime.now().strftime("%Y%m%d_%H%M%S")
        arguments = {"experiment": name, **self._init_kwargs}
        if self._hash is not None:  # records after close() belong to the same run
            arguments.setdefault("run_hash", self._hash)
        run = aim.Run(**arguments)
        self._hash = run.hash
        return run

    @override
    def _write_config(self, config: Config) -> None:
        self._run["hparams"] = plain_config(config.without_secrets())

    @override
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._run.track(name=name, value=value, step=step)

    @override
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        import aim

        self._run.track(name=name, value=aim.Image(image), step=step)

    @override
    def _finish(self) -> None:
        self._run.close()

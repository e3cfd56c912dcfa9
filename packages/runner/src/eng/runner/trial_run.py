"""Build a run that is only tried: its folder is removed afterwards."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from eng.config import Config
from eng.utils import UserError

from .model_features import prepare_model
from .runner import Runner

__all__ = ["trial_runner"]


@contextmanager
def trial_runner(cfg: Config, purpose: str) -> Iterator[Runner]:
    """Build a run in a folder of its own, which is removed at the end.

    Training is prepared, and checkpoints that the config names are loaded.

    Args:
        cfg: The config. It stays as it is.
        purpose: The option or command that needs it, for the error.

    Yields:
        The runner.

    Raises:
        UserError: If there are several processes.
    """
    if (cfg.get("launcher") or "none") != "none":
        raise UserError(f"{purpose} is for a single process: leave out the launcher")
    cfg = copy.deepcopy(cfg)
    if cfg.get("resume") and not cfg.get("load_from"):
        cfg["load_from"], cfg["resume"] = None, False  # not the files of the real work directory
    with TemporaryDirectory() as folder:
        cfg["work_dir"] = folder
        cfg["log_level"] = "ERROR"
        runner = Runner.from_cfg(cfg)
        runner._prepare_training()
        prepare_model(runner)
        runner.load_or_resume()
        yield runner

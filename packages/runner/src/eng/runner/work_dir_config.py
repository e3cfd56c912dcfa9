"""Find the config of a run in its work directory."""

from __future__ import annotations

import re
from pathlib import Path

from eng.config import Config, ConfigError
from eng.utils import UserError

__all__ = ["CONFIG_SUFFIXES", "find_config"]

_START = re.compile(r"\d{8}_\d{6}(_\d+)?")
#: Suffixes of the files that a config may be dumped to.
CONFIG_SUFFIXES = (".py", ".yaml", ".yml", ".json", ".toml")


def find_config(work_dir: str) -> Config:
    """Read the config of the newest start of a run that can train.

    Args:
        work_dir: Its work directory.

    Returns:
        The config.

    Raises:
        UserError: If there is none, or none can be read.
    """
    starts = [path for path in Path(work_dir).iterdir() if _START.fullmatch(path.name)]
    problem = "no config was written"
    for start in sorted(starts, key=lambda path: (path.name[:15], len(path.name)), reverse=True):
        for path in sorted(start.iterdir()):
            if path.suffix not in CONFIG_SUFFIXES:
                continue
            try:
                cfg = Config.fromfile(path)
            except ConfigError as error:
                problem = f"{path} cannot be read ({error})"
                continue
            if cfg.get("train_dataloader") is not None:
                return cfg
            problem = f"{path} has no train_dataloader"
    raise UserError(
        f"no config to build the data of {work_dir} from: {problem}. Give it by --config, or, of a "
        "run from Python, the data loader: rebuild_batch(work_dir, iteration, dataloader)"
    )

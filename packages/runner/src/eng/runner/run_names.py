"""Names that a run goes by."""

from __future__ import annotations

import time
from pathlib import Path

from eng.dist import broadcast_object_list, is_distributed, is_main_process
from eng.logging import MessageHub

__all__ = ["experiment_name", "shared_timestamp", "unused_instance_name"]


def shared_timestamp(work_dir: str) -> str:
    """The time, the same in all processes, as a name not yet taken in the work directory.

    Args:
        work_dir: The work directory.

    Returns:
        Such as ``20240131_235959``, or ``20240131_235959_2`` for the second start in one second.
    """
    shared = [""]
    if is_main_process():
        now = time.strftime("%Y%m%d_%H%M%S")
        count = 1
        shared[0] = now
        while Path(work_dir, shared[0]).exists():
            count += 1
            shared[0] = f"{now}_{count}"
    if is_distributed():
        broadcast_object_list(shared)
    return shared[0]


def experiment_name(config_file: str | None, timestamp: str) -> str:
    """The name of a run: that of its config file, if it has one, and the time.

    Args:
        config_file: Path of the config file.
        timestamp: When the run started.

    Returns:
        The name.
    """
    return f"{Path(config_file).stem}_{timestamp}" if config_file else timestamp


def unused_instance_name(name: str) -> str:
    """A name under which no other runner of this process has its logger and message hub.

    Args:
        name: The name wanted.

    Returns:
        The name, with a number behind it where it is taken.
    """
    candidate, count = name, 1
    while MessageHub.check_instance_created(candidate):
        count += 1
        candidate = f"{name}_{count}"
    return candidate

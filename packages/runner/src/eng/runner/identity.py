"""The identity of a run: its names, its time and its folders."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from eng.dist import broadcast_object_list, is_distributed, is_main_process
from eng.logging import MessageHub

__all__ = ["RunIdentity"]


@dataclass(frozen=True)
class RunIdentity:
    """Names and folders that a run has from its start to its end, the same in all processes.

    Attributes:
        work_dir: Absolute path of the directory for checkpoints.
        timestamp: When the run started, such as ``20240131_235959``; the second start in one
            second has ``_2`` behind it.
        experiment_name: Name of the experiment.
        instance_name: Name of its logger, message hub and visualizer, which no other run of this
            process has.
    """

    work_dir: str
    timestamp: str
    experiment_name: str
    instance_name: str

    @classmethod
    def create(
        cls, work_dir: str, experiment_name: str | None, config_file: str | None
    ) -> RunIdentity:
        """Name a run that starts now. To be called in all processes.

        Args:
            work_dir: Directory for checkpoints and logs.
            experiment_name: Name of the experiment; None names it after the config file, if there
                is one, and the time.
            config_file: Path of the config file.

        Returns:
            The identity. No folder is made.
        """
        folder = str(Path(work_dir).expanduser().absolute())
        timestamp = _shared_timestamp(folder)
        if experiment_name is None:
            stem = f"{Path(config_file).stem}_" if config_file else ""
            experiment_name = f"{stem}{timestamp}"
        return cls(folder, timestamp, experiment_name, _unused_instance_name(experiment_name))

    @property
    def log_dir(self) -> str:
        """Folder of the work directory for the logs of this start of the run."""
        return str(Path(self.work_dir) / self.timestamp)

    def make_folders(self) -> None:
        """Make the work directory and the folder for logs in it."""
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)


def _shared_timestamp(work_dir: str) -> str:
    """The time as a name that is not taken in the work directory yet."""
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


def _unused_instance_name(name: str) -> str:
    """The name, with a number behind it where another run of this process has it."""
    candidate, count = name, 1
    while MessageHub.check_instance_created(candidate):
        count += 1
        candidate = f"{name}_{count}"
    return candidate

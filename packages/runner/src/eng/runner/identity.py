"""The identity of a run: its names, its time and its folders."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eng.dist import broadcast_object_list
from eng.logging import MessageHub, MMLogger
from eng.registry import DefaultScope

__all__ = ["RunIdentity", "folders_of"]


@dataclass(frozen=True)
class RunIdentity:
    """Names and folders that a run has from its start to its end, the same in all processes.

    Attributes:
        work_dir: Absolute path of the directory for checkpoints.
        timestamp: When the run started, such as ``20240131_235959``; the second start in one
            second has ``_2`` behind it.
        experiment_name: Name of the experiment with the time.
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
        """Name a run that starts now.

        Args:
            work_dir: Directory for checkpoints and logs.
            experiment_name: Name of the experiment, which gets the time behind it. None takes the
                name of the config file, if any.
            config_file: Path of the config file.

        Returns:
            The identity, of this process alone. No folder is made.
        """
        folder = str(Path(work_dir).expanduser().absolute())
        timestamp = _choose_timestamp(folder)
        if experiment_name is None and config_file:
            experiment_name = Path(config_file).stem
        name = f"{experiment_name}_{timestamp}" if experiment_name else timestamp
        return cls(folder, timestamp, name, _choose_instance_name(name))

    def shared(self) -> RunIdentity:
        """The identity as the first process has it. To be called in all processes.

        Returns:
            The same in every process, but for the instance name.
        """
        boxes = [(self.work_dir, self.timestamp, self.experiment_name)]
        broadcast_object_list(boxes)
        (shared,) = boxes
        return RunIdentity(*shared, _choose_instance_name(shared[2]))

    @property
    def log_dir(self) -> str:
        """Folder of the work directory for the logs of this start of the run."""
        return str(Path(self.work_dir) / self.timestamp)

    def make_folders(self) -> list[Path]:
        """Make the work directory and the folder for logs in it.

        Returns:
            The folders that did not exist before, the innermost first.
        """
        log_dir = Path(self.log_dir)
        new = [folder for folder in (log_dir, *log_dir.parents) if not folder.exists()]
        log_dir.mkdir(parents=True, exist_ok=True)
        return new


@contextmanager
def folders_of(identity: RunIdentity) -> Iterator[None]:
    """Make the folders of a run, and remove the new ones if the run is refused after all.

    Args:
        identity: Names and folders of the run.

    Yields:
        Nothing.
    """
    new = identity.make_folders()
    try:
        yield
    except BaseException:
        for folder in new:
            if folder == Path(identity.log_dir):
                shutil.rmtree(folder, ignore_errors=True)
            else:
                with suppress(OSError):  # another process has written into it
                    folder.rmdir()
        raise


def _choose_timestamp(work_dir: str) -> str:
    """The time as a name that is not taken in the work directory yet."""
    now = time.strftime("%Y%m%d_%H%M%S")
    name, count = now, 1
    while Path(work_dir, name).exists():
        count += 1
        name = f"{now}_{count}"
    return name


def _choose_instance_name(name: str) -> str:
    """The name, with a number behind it where another run of this process has it."""
    candidate, count = name, 1
    # A run that was refused may have left some of them alone.
    kinds = (MessageHub, MMLogger, DefaultScope)
    while any(kind.check_instance_created(candidate) for kind in kinds):
        count += 1
        candidate = f"{name}_{count}"
    return candidate

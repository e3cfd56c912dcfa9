"""Record which points of training were validated, in a small file of the work directory."""

from __future__ import annotations

import json
import logging
import numbers
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from eng.dist import broadcast_object_list, is_main_process
from eng.fileio import get_file_backend
from eng.logging import MessageHub, print_log

from .progress import Progress

__all__ = ["Validation", "Validations"]

#: Name of the file in a work directory.
VALIDATIONS = "validations.json"
#: Of more than these, the oldest are left out: a run is resumed from its newest checkpoints.
_MOST = 100


@dataclass(frozen=True)
class Validation:
    """A validation that has ended.

    Attributes:
        epoch: Epochs done by then.
        iter: Iterations done by then.
        metrics: Its metrics that are numbers, by name.
    """

    epoch: int
    iter: int
    metrics: dict[str, float]


class Validations:
    """The validations of a run, each written when it has ended.

    A checkpoint that is saved before the validation of its epoch or iteration does not know of it.
    A run that is resumed from it finds the results here, instead of validating again.

    Args:
        work_dir: The work directory, which the first process reads and writes.
        hub: The message hub, which has the identifier of the run, so that records of another run
            in the same folder are not taken for those of this one.
    """

    def __init__(self, work_dir: str, hub: MessageHub) -> None:
        self._backend = get_file_backend(work_dir)
        self._path = self._backend.join_path(work_dir, VALIDATIONS)
        self._hub = hub

    def find(self, point: Progress) -> Validation | None:
        """The validation at a point of training. To be called in all processes.

        Args:
            point: The point.

        Returns:
            The validation, None if it has not ended there.
        """
        boxes = [self._read() if is_main_process() else None]
        broadcast_object_list(boxes)
        for each in boxes[0] or []:
            if (each.epoch, each.iter) == (point.epoch, point.iter):
                return each
        return None

    def add(self, point: Progress, metrics: Mapping[str, Any] | None) -> None:
        """Write that a validation has ended. To be called in all processes.

        Args:
            point: The point of training.
            metrics: Its metrics by name. What is not a number is left out.
        """
        run = self._run_id()
        if not is_main_process():
            return
        found = {str(k): float(v) for k, v in (metrics or {}).items() if _is_number(v)}
        # Later ones were of another course: this run was resumed from before them.
        kept = [each for each in self._read() or [] if each.iter < point.iter]
        entries = [*kept, Validation(point.epoch, point.iter, found)][-_MOST:]
        content = {"run": run, "validations": [asdict(entry) for entry in entries]}
        self._backend.put_text(f"{json.dumps(content, indent=1)}\n", self._path)

    def _run_id(self) -> str:
        """Identifier of the run, which its checkpoints hold, so that it stays when resumed."""
        if "run_id" not in self._hub.runtime_info:
            boxes = [uuid.uuid4().hex]
            broadcast_object_list(boxes)
            self._hub.update_info("run_id", boxes[0])
        return str(self._hub.runtime_info["run_id"])

    def _read(self) -> list[Validation] | None:
        run = self._hub.runtime_info.get("run_id")
        if run is None or not self._backend.isfile(self._path):
            return None
        try:
            content = json.loads(self._backend.get_text(self._path))
            if content["run"] != run:
                return None
            names = [field.name for field in fields(Validation)]
            return [
                Validation(**{name: entry[name] for name in names})
                for entry in content["validations"]
            ]
        except (ValueError, TypeError, KeyError) as error:
            print_log(
                f"{self._path} is not a record of validations ({type(error).__name__}: {error}) "
                "and is left out: the point of training is validated again.",
                logger="current",
                level=logging.WARNING,
            )
            return None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return (
        isinstance(value, numbers.Real)
        or getattr(value, "size", None) == 1
        or (callable(getattr(value, "numel", None)) and value.numel() == 1)
    )

"""Record which points of training were validated, in a small file of the work directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from eng.dist import broadcast_object_list, is_main_process
from eng.fileio import BaseStorageBackend, get_file_backend
from eng.hooks import read_record, run_id_of, scalar_of
from eng.utils import StateDict

from .progress import Progress
from .protocol import LoopRunner

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
        runner: The runner, in whose work directory the file is. Its message hub has the identifier
            of the run, so that records of another one in the same folder are not taken for its own.
    """

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    @property
    def path(self) -> str:
        """The file."""
        return self._backend.join_path(self._runner.work_dir, VALIDATIONS)

    @property
    def _backend(self) -> BaseStorageBackend:
        return get_file_backend(self._runner.work_dir)

    def begin(self) -> None:
        """Give the run its identifier before the first checkpoint. Called in all processes."""
        run_id_of(self._runner.message_hub)

    def find(self, point: Progress) -> Validation | None:
        """The validation at a point of training. To be called in all processes.

        Args:
            point: The point.

        Returns:
            The validation, or None.
        """
        boxes = [self.read() if is_main_process() else []]
        broadcast_object_list(boxes)
        for each in boxes[0]:
            if (each.epoch, each.iter) == (point.epoch, point.iter):
                return each
        return None

    def add(self, point: Progress, metrics: Mapping[str, object] | None) -> None:
        """Record the end of a validation. To be called in all processes.

        Args:
            point: The point of training.
            metrics: Its metrics by name. Values that are not numbers are left out.
        """
        run = run_id_of(self._runner.message_hub)
        if not is_main_process():
            return
        values = {str(name): scalar_of(value) for name, value in (metrics or {}).items()}
        found = {name: value for name, value in values.items() if value is not None}
        # Later ones were of another course: this run was resumed from before them.
        kept = [each for each in self.read() if each.iter < point.iter]
        entries = [*kept, Validation(point.epoch, point.iter, found)][-_MOST:]
        content = {"run": run, "validations": [asdict(entry) for entry in entries]}
        self._backend.put_text(f"{json.dumps(content, indent=1)}\n", self.path)

    def read(self) -> list[Validation]:
        """Return the validations of the run that are recorded, the oldest first."""
        found = read_record(
            self._runner.work_dir,
            VALIDATIONS,
            self._parse,
            "validations",
            ": the point of training is validated again.",
        )
        return found or []

    def _parse(self, content: StateDict) -> list[Validation]:
        if content["run"] != self._runner.message_hub.runtime_info.get("run_id"):
            return []
        names = [field.name for field in fields(Validation)]
        return [
            Validation(**{name: entry[name] for name in names}) for entry in content["validations"]
        ]

"""Record batches and losses of each iteration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from eng.dist import get_data_world_size, is_main_process
from eng.registry import HOOKS
from eng.utils import DataBatch, StateDict, override

from .batch_hash import find_sample_indices, hash_batch
from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs
from .values import is_scalar, scalar_of

__all__ = ["BatchRecordHook"]

#: Length up to which a value of the metainfo is recorded as it is.
_LONGEST = 200


@HOOKS.register_module()
class BatchRecordHook(Hook):
    """Records a hash of each training batch, the indices of its samples, and the losses.

    With the record of two runs, ``eng diff`` finds the first iteration at which samples or losses
    differ. It is the file ``batches.jsonl`` in the folder of logs, of the main process. The hook
    waits for the accelerator in each iteration, to read the losses.

    Args:
        interval: Iterations between two that are recorded. Defaults to 1.

    Raises:
        ValueError: If the interval is below 1.
    """

    # Before hooks that may change a batch.
    priority = "VERY_HIGH"

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f"interval must be at least 1, got {interval}")
        self.interval = interval
        self._file: TextIO | None = None
        self._record: StateDict = {}

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Describe the training data."""
        if not is_main_process():
            return
        path = Path(runner.log_dir, "batches.jsonl")
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._write({"data": _describe_data(runner)})

    @override
    def before_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: DataBatch = None
    ) -> None:
        """Describe the batch, before the model may change it."""
        if self._file is None or (runner.iter + 1) % self.interval:
            return
        self._record = {"iter": runner.iter + 1, "batch": hash_batch(data_batch)}
        if indices := find_sample_indices(data_batch):
            self._record["samples"] = indices

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Write the record of the iteration."""
        if not self._record:
            return
        losses = {
            name: scalar_of(value)
            for name, value in (outputs.items() if isinstance(outputs, Mapping) else ())
            if "loss" in name and is_scalar(value)
        }
        self._write({**self._record, "losses": losses})
        self._record = {}

    @override
    def after_run(self, runner: HookRunner) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, record: StateDict) -> None:
        if self._file is not None:
            self._file.write(f"{json.dumps(record)}\n")


def _describe_data(runner: HookRunner) -> StateDict:
    """Describe the training data: numbers of samples, batches and processes, and the metainfo."""
    loader = runner.train_dataloader
    dataset = getattr(loader, "dataset", None)
    found: StateDict = {"dataset": type(dataset).__name__, "processes": get_data_world_size()}
    for name, value in (("samples", dataset), ("batches", loader)):
        if hasattr(value, "__len__"):
            found[name] = len(value)  # type: ignore[arg-type]
    found["batch_size"] = getattr(loader, "batch_size", None)
    metainfo = getattr(dataset, "metainfo", None)
    if isinstance(metainfo, Mapping):
        found |= {f"metainfo.{key}": _shorten(repr(value)) for key, value in metainfo.items()}
    return found


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{text[: _LONGEST - 40]}... ({digest})"

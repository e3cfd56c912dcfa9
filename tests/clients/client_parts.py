"""Parts that a client's code registers, named by `custom_imports` in its configs."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class WriteLosses(Hook):
    """Append the loss of each iteration, to the bit, into `losses.txt` of the work_dir.

    Ends the process after the iteration that the variable KILL_AFTER names."""

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.last = int(os.environ.get("KILL_AFTER", -1))

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Write `iteration loss`."""
        with Path(runner.work_dir, "losses.txt").open("a", encoding="utf-8") as file:
            file.write(f"{runner.iter} {float(outputs['loss']).hex()}\n")
        if runner.iter == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

"""A small stand-in for the runner, which the protocol of hooks allows."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from torch import nn

from eng.logging import MessageHub


class FakeRunner(SimpleNamespace):
    def __init__(self, work_dir: Path, **settings: Any) -> None:
        super().__init__(
            **{
                "work_dir": str(work_dir),
                "epoch": 0,
                "iter": 0,
                "max_epochs": 4,
                "max_iters": 8,
                "message_hub": MessageHub.get_instance(f"{work_dir}-{time.perf_counter_ns()}"),
                "logger": logging.getLogger("hooks-test"),
                "is_resuming": False,
                "model": nn.Linear(1, 1),
                **settings,
            }
        )
        self.saved: list[str] = []

    def save_checkpoint(self, out_dir: str, filename: str, **settings: Any) -> None:
        Path(out_dir).mkdir(parents=True, exist_ok=True)
        (Path(out_dir) / filename).write_text(str(settings["meta"]))
        self.saved.append(filename)

"""Folders of runs as this engine and the original one leave them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def record_start(
    work_dir: Path,
    name: str,
    records: list[dict[str, Any]],
    run_id: str | None = "run",
    log: str = "",
) -> Path:
    """Write the folder of one start of a run.

    Args:
        work_dir: The work directory.
        name: Name of the folder.
        records: Records of scalars.
        run_id: Identifier of the run; None, as the original engine.
        log: Text of the log.
    """
    folder = work_dir / name
    (folder / "vis_data").mkdir(parents=True)
    text = "".join(f"{json.dumps(record)}\n" for record in records)
    (folder / "vis_data" / "scalars.json").write_text(text)
    (folder / f"{name}.log").write_text(log)
    if run_id is None:
        (folder / "vis_data" / f"{name}.json").write_text(text)
    else:
        (folder / "vis_data" / "run_id.txt").write_text(f"{run_id}\n0\n")
    return folder


def train(iteration: int, epoch: int, **scalars: float) -> dict[str, Any]:
    """A record of training."""
    return {"step": iteration, **scalars, "epoch": epoch, "iter": iteration}


def validate(step: int, **scalars: float) -> dict[str, Any]:
    """A record of validation."""
    return {"step": step, "data_time": 0.1, "time": 0.2, **scalars}

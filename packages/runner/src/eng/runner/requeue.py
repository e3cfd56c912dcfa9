"""Have Slurm start a job again."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterable

from .errors import RunnerConfigError
from .signals import TIME_LIMIT, number_of

__all__ = ["requeue_job", "signals_to_requeue"]

#: By which Slurm warns of the end of a job. SIGTERM is that of scancel as well, after which a job
#: that came back could not be got rid of.
_WARNINGS = ("SIGUSR1", "SIGUSR2")


def signals_to_requeue(setting: object) -> set[int]:
    """Causes after which a job is started again.

    Args:
        setting: True for the warnings of Slurm and the time limit, False for none, or names of
            signals, beside which the time limit counts.

    Returns:
        Numbers of signals, and that of the time limit.

    Raises:
        RunnerConfigError: If it is something else.
    """
    if setting is False or setting is None:
        return set()
    names: object = _WARNINGS if setting is True else setting
    if isinstance(names, str):
        names = (names,)
    numbers: set[int | None] = {None}
    if isinstance(names, Iterable):
        numbers = {number_of(name) if isinstance(name, str) else None for name in names}
    if None in numbers and setting is not True:
        raise RunnerConfigError(
            "interruption: requeue must be True, False or names of signals such as "
            f"['SIGUSR1', 'SIGTERM'], got {setting!r}"
        )
    return {TIME_LIMIT, *(number for number in numbers if number is not None)}


def requeue_job(logger: logging.Logger) -> None:
    """Have Slurm queue the job of this process again; of an array, this task of it.

    Args:
        logger: Where it is reported, also if it fails: the checkpoint is saved already.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if "SLURM_ARRAY_JOB_ID" in os.environ and "SLURM_ARRAY_TASK_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    if job is None:
        logger.warning("interruption: requeue is set, but SLURM_JOB_ID is not: no job to requeue.")
        return
    command = ["scontrol", "requeue", job]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        problem = ended.stderr.strip() or ended.stdout.strip() if ended.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem, ended = str(error), None
    if ended is not None and ended.returncode == 0:
        logger.info(f"Requeued Slurm job {job}.")
    else:
        logger.error(f"Slurm job {job} was not requeued: {' '.join(command)}: {problem}")

"""Run ``eng train`` and ``eng test``."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from eng.checkpoint import find_newest_checkpoint, is_checkpoint_folder
from eng.config import Config
from eng.dist import report_failure
from eng.hooks import find_best_checkpoint
from eng.registry import RUNNERS
from eng.utils import UserError

from .check import find_config_problems, refuse_problems
from .failed_start import FailedStart
from .interrupted import TrainingInterrupted
from .runner import Runner
from .work_dir_lock import take_over_work_dirs

__all__ = ["test", "train"]


def train(args: Namespace, cfg: Config) -> int:
    """Train.

    Args:
        args: The arguments of ``eng train``.
        cfg: The config that they name. Changed.

    Returns:
        The exit status: 0, or 128 and the number of the signal that ended it.
    """
    _apply_running_arguments(cfg, args)
    refuse_problems(find_config_problems(cfg, ("train", "val")))
    if args.resume:
        cfg["resume"], cfg["load_from"] = True, args.resume
    elif args.resume is not None and not cfg.get("resume"):
        cfg["resume"] = "auto"
    if args.dry_run:
        from .dry_run import try_run

        print(f"Trying {args.config}; nothing is written.")
        for line in try_run(cfg):
            print(line)
        print("Ready to train.")
        return 0
    start = FailedStart(cfg["work_dir"])
    try:
        with _report_failures(), take_over_work_dirs() if args.force else nullcontext():
            runner = _build_runner(cfg)
            with start.removed(runner), _traceback_kept(args, start):
                runner.train()
    except TrainingInterrupted as interrupted:
        if runner.rank == 0 and not _shows_warnings(runner.logger):
            print(f"eng: {interrupted}", file=sys.stderr)
        return interrupted.status
    except KeyboardInterrupt as error:
        if not start.has_begun:
            raise
        raise KeyboardInterrupt(
            f"interrupted; resume with --resume (checkpoints are in {cfg['work_dir']})"
        ) from error
    return 0


def test(args: Namespace, cfg: Config) -> int:
    """Test.

    Args:
        args: The arguments of ``eng test``.
        cfg: The config that they name. Changed.

    Returns:
        The exit status, 0.
    """
    _apply_running_arguments(cfg, args)
    refuse_problems(find_config_problems(cfg, ("test",)))
    cfg["load_from"], cfg["resume"] = _find_checkpoint(args.checkpoint), False
    start = FailedStart(cfg["work_dir"])
    with _report_failures():
        runner = _build_runner(cfg)
        with start.removed(runner), _traceback_kept(args, start):
            runner.test()
    for name, place in (("predictions", args.out), ("images", args.show_dir)):
        if place is not None and runner.rank == 0:
            print(f"{name}: {place}")
    return 0


def _find_checkpoint(given: str) -> str:
    """Find the checkpoint of a work directory; a checkpoint or address is returned as it is."""
    # An address is not a path.
    if not os.path.isdir(given) or is_checkpoint_folder(given):  # noqa: PTH112
        return given
    found = find_best_checkpoint(given) or find_newest_checkpoint(given).path
    if found is None:
        raise UserError(f"no checkpoint in {given}: name the file, or the work_dir of a training")
    if os.environ.get("RANK", "0") == "0":
        print(f"Testing {found}")
    return found


def _apply_running_arguments(cfg: Config, args: Namespace) -> None:
    cfg["work_dir"] = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    if args.launcher is not None:
        cfg["launcher"] = args.launcher
    if args.log_level is not None or args.debug:
        cfg["log_level"] = args.log_level or "DEBUG"
    if args.no_progress:
        cfg["progress_bar"] = False


def _shows_warnings(logger: logging.Logger) -> bool:
    """Whether warnings of a log are displayed where errors are, such as on the same terminal."""
    is_shown = logger.isEnabledFor(logging.WARNING) and any(
        isinstance(each, logging.StreamHandler)
        and not isinstance(each, logging.FileHandler)
        and each.level <= logging.WARNING
        for each in logger.handlers
    )
    try:
        return is_shown and os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):  # closed, missing, or not a file
        return False


def _build_runner(cfg: Config) -> Runner:
    return RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)


@contextmanager
def _traceback_kept(args: Namespace, start: FailedStart) -> Iterator[None]:
    """Show the traceback of a failure within a loop, unless the message alone says what to do."""
    try:
        yield
    except Exception as error:
        if start.has_begun and not isinstance(error, UserError):
            args.debug = True
        raise


@contextmanager
def _report_failures() -> Iterator[None]:
    """Report a failure to the other processes, and destroy the process group."""
    try:
        yield
    except Exception as error:
        report_failure(error)
        raise
    finally:
        # Left to the end of the process, threads of the group may be cut off while they run.
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

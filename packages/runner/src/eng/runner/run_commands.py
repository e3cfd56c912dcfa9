"""Run ``eng train`` and ``eng test``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from eng.config import Config
from eng.dist import report_failure
from eng.registry import RUNNERS

from .check import find_config_problems, refuse_problems
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
    _set_place(cfg, args)
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
    try:
        with _report_failures(), take_over_work_dirs() if args.force else nullcontext():
            runner = _build_runner(cfg)
            runner.train()
    except TrainingInterrupted as interrupted:
        print(f"eng: {interrupted}", file=sys.stderr)
        return interrupted.status
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(
            f"interrupted; resume with --resume (checkpoints are in {cfg['work_dir']})"
        ) from error
    runner.logger.info(
        f"Done. Checkpoints: {runner.work_dir}; log: {runner.log_dir}/{runner.timestamp}.log; "
        f"curves: {runner.log_dir}/vis_data/scalars.json"
    )
    return 0


def test(args: Namespace, cfg: Config) -> int:
    """Test.

    Args:
        args: The arguments of ``eng test``.
        cfg: The config that they name. Changed.

    Returns:
        The exit status, 0.
    """
    _set_place(cfg, args)
    cfg["load_from"], cfg["resume"] = args.checkpoint, False
    with _report_failures():
        _build_runner(cfg).test()
    return 0


def _set_place(cfg: Config, args: Namespace) -> None:
    cfg["work_dir"] = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    if args.launcher is not None:
        cfg["launcher"] = args.launcher


def _build_runner(cfg: Config) -> Runner:
    return RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)


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

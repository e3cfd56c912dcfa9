"""The commands ``eng train`` and ``eng test``: their arguments, which need no torch."""

from __future__ import annotations

import argparse

from eng.cli import Command
from eng.config import add_config_arguments, config_from_arguments
from eng.utils import importing

from .evaluation_options import add_test_options, apply_test_options
from .train_options import add_train_options, apply_train_options

__all__ = ["TEST", "TRAIN"]


def _add_train_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    _add_running_arguments(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="FILE",
        help="resume from the newest whole checkpoint in the work directory; with FILE, from FILE "
        "until the run has one of its own. Without any, the run starts as the config says",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="train even if another job seems to train in the work directory",
    )
    add_train_options(parser)


def _add_test_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT|WORK_DIR",
        help="path or address of its weights; of a work directory, the best checkpoint if the run "
        "has chosen one, else the newest",
    )
    _add_running_arguments(parser)
    add_test_options(parser)


def _add_running_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--work-dir",
        metavar="DIR",
        help="where checkpoints and logs go (default: work_dir of the config, else "
        "work_dirs/<name of the config>)",
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "mpi", "slurm"],
        help="launcher of several processes, such as torchrun: pytorch (default: launcher of "
        "the config, else none)",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        type=str.upper,
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        help="debug, info, warning or error; debug shows config and hooks on the terminal, too "
        "(default: log_level of the config, else info)",
    )
    parser.add_argument(
        "--no-progress", action="store_true", help="show no progress bar on a terminal"
    )


def _run_train(args: argparse.Namespace) -> int:
    with importing():
        cfg = config_from_arguments(args)  # before torch, so that errors are reported at once
        apply_train_options(args, cfg)
        from .run_commands import train

    return train(args, cfg)


def _run_test(args: argparse.Namespace) -> int:
    with importing():
        cfg = config_from_arguments(args)
        apply_test_options(args, cfg)
        from .run_commands import test

    return test(args, cfg)


TRAIN = Command("train a model", _add_train_arguments, _run_train)
TEST = Command("test a model", _add_test_arguments, _run_test)

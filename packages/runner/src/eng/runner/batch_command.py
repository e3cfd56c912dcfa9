"""The command ``eng batch``: its arguments, which need no torch."""

from __future__ import annotations

import argparse
from pathlib import Path

from eng.cli import Command
from eng.config import DictAction, config_from_arguments
from eng.utils import UserError, add_module_folders, importing

__all__ = ["BATCH"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Rebuild the batch of an iteration from the seed of a run and its position in the data: "
        "indices, shapes, dtypes, and samples with values that are NaN or infinite."
    )
    parser.add_argument("work_dir", metavar="WORK_DIR", help="work directory of the run")
    parser.add_argument(
        "iteration", type=int, metavar="ITER", help="number of the iteration, from 1 as in the log"
    )
    parser.add_argument(
        "--rank", type=int, metavar="RANK", help="the part of one process (default: all parts)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="save the batch, to be read by torch.load: batch.pt"
    )
    parser.add_argument(
        "--config", metavar="CONFIG", help="config of the run (default: the one in WORK_DIR)"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="change settings of --config",
    )
    parser.add_argument("--no-code", action="store_true", help="reject a --config with code")


def _run(args: argparse.Namespace) -> int:
    if args.config is None and (args.cfg_options or args.no_code):
        raise UserError("--cfg-options and --no-code are for the config given by --config")
    if args.out is not None and not Path(args.out).absolute().parent.is_dir():
        raise UserError(f"--out {args.out}: its directory does not exist")
    if args.config is None:
        add_module_folders(Path.cwd())  # modules of the config, as eng train finds them
    with importing():
        cfg = None if args.config is None else config_from_arguments(args)
        from .rebuilt_batch import rebuild_batch

    batch = rebuild_batch(args.work_dir, args.iteration, cfg=cfg, rank=args.rank)
    for line in batch.describe():
        print(line)
    if args.out is not None:
        batch.save(args.out)
        print(f"saved: {args.out}")
    return 0


BATCH = Command("rebuild the batch of an iteration, to look at its samples", _add_arguments, _run)

"""The command ``eng batch-find``, which needs no torch itself."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from eng.cli import Command
from eng.config import add_config_arguments, config_from_arguments
from eng.utils import UserError, importing

from .train_options import check_device, choose_device

__all__ = ["BATCH_FIND"]

_BOUNDS = {
    "memory": "",
    "samples": "; all samples of the data are one batch",
    "most": "; larger ones were not tried",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "--most", type=int, metavar="N", help="largest size to try (default: number of samples)"
    )
    parser.add_argument(
        "--multiple-of", type=int, default=1, metavar="N", help="try multiples of N (default: 1)"
    )
    parser.add_argument(
        "--memory",
        type=float,
        metavar="GIB",
        help="memory that training may take (default: all of the device; on a CPU what is "
        "available)",
    )
    parser.add_argument(
        "--device", metavar="cpu|cuda|cuda:N", help="device to train on (default: a GPU)"
    )


def _run(args: argparse.Namespace) -> int:
    if args.memory is not None and not 0 < args.memory < float("inf"):
        raise UserError(f"--memory must be a number of GiB above 0, not {args.memory:g}")
    with importing():
        from .batch_find import search_batch_size

    # Each trial imports what the config names; this process only reads the batch size.
    cfg = config_from_arguments(args, import_custom_modules=False)
    if args.device is not None:
        choose_device(args.device, cfg.get("launcher") or "none")
        check_device(args.device)
    found = search_batch_size(
        cfg,
        partial(config_from_arguments, args),
        most=args.most,
        multiple_of=args.multiple_of,
        memory_limit=None if args.memory is None else int(args.memory * 2**30),
        report=partial(print, flush=True),
    )
    if found.size is None:
        print("eng: no batch size fits", file=sys.stderr)
        return 1
    print(f"largest batch size that fits: {found.size}{_BOUNDS[found.bound]}")
    return 0


BATCH_FIND = Command("find the largest batch size that fits", _add_arguments, _run)

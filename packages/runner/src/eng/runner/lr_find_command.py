"""The command ``eng lr-find``: its arguments, which need no torch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eng.cli import Command
from eng.config import add_config_arguments, config_from_arguments
from eng.utils import UserError, importing

from .train_options import check_device, choose_device

if TYPE_CHECKING:
    from eng.config import Config

__all__ = ["LR_FIND"]

_FORMATS = (".png", ".svg", ".pdf", ".jpg")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "--start", type=float, default=1e-7, metavar="LR", help="first rate (default: 1e-7)"
    )
    parser.add_argument(
        "--end", type=float, default=10.0, metavar="LR", help="last rate (default: 10)"
    )
    parser.add_argument(
        "--iters", type=int, default=100, metavar="N", help="number of updates (default: 100)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="the plot (default: lr_find.png in the work directory)"
    )
    parser.add_argument("--work-dir", metavar="DIR", help="work directory, as of eng train")
    parser.add_argument(
        "--device", metavar="cpu|cuda|cuda:N", help="device to train on (default: a GPU)"
    )


def _run(args: argparse.Namespace) -> int:
    with importing():
        cfg = config_from_arguments(args)  # before torch, so that errors are reported at once
        if args.device is not None:
            choose_device(args.device, cfg.get("launcher") or "none")
        if args.out is not None and Path(args.out).suffix not in _FORMATS:
            raise UserError(f"--out must end in {', '.join(_FORMATS)}, not {args.out!r}")
        plot = args.out or str(Path(_find_work_dir(args, cfg)) / "lr_find.png")
        from .lr_find import try_learning_rates
        from .trial_run import trial_runner

    if args.device is not None:
        check_device(args.device)
    with trial_runner(cfg, "eng lr-find") as runner:
        curve = try_learning_rates(runner, args.start, args.end, args.iters)
    for line in curve.describe():
        print(line)
    if curve.rates:
        curve.plot(plot)
        print(f"plot: {plot}")
    return 0 if curve.suggestion is not None else 1


def _find_work_dir(args: argparse.Namespace, cfg: Config) -> str:
    return args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"


LR_FIND = Command("find a learning rate by a range test", _add_arguments, _run)

"""The command ``eng plot``."""

from __future__ import annotations

import argparse
from pathlib import Path

from eng.cli import Command
from eng.utils import UserError

__all__ = ["PLOT"]

_PICTURES = (".png", ".svg", ".pdf", ".jpg")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Plot losses, learning rates and metrics of runs to a PNG file and to an HTML page that "
        "needs no network. Runs may be in progress, or of the original engine."
    )
    parser.add_argument(
        "work_dirs",
        nargs="+",
        metavar="WORK_DIR",
        help="work directory of a run, folder of one start, or file of scalars",
    )
    parser.add_argument(
        "--out",
        default="curves",
        metavar="FILE",
        help="write FILE.html and FILE.png; with the suffix .html, .png, .svg, .pdf or .jpg that "
        "one only (default: curves)",
    )
    parser.add_argument("--names", metavar="REGEX", help="plot the scalars whose names match")
    parser.add_argument(
        "--smoothing",
        type=float,
        default=0.0,
        metavar="WEIGHT",
        help="weight of the past in the moving average, from 0 to below 1 (default: 0)",
    )
    parser.add_argument("--log-y", action="store_true", help="plot values on logarithmic axes")


def _run(args: argparse.Namespace) -> None:
    if not 0 <= args.smoothing < 1:
        raise UserError(f"--smoothing must be from 0 to below 1, got {args.smoothing:g}")
    from .curves import read_curves
    from .panels import list_panels, name_runs

    names = name_runs([str(Path(each).resolve()) for each in args.work_dirs])
    runs = [read_curves(each, name) for each, name in zip(args.work_dirs, names, strict=True)]
    panels = list_panels(runs, args.names)
    for file in _choose_files(args.out):
        if file.suffix in _PICTURES:
            from .picture import plot_picture

            plot_picture(runs, panels, file, args.smoothing, args.log_y)
        else:
            from .page import write_page

            write_page(runs, panels, file, args.smoothing, args.log_y)
        print(file)


def _choose_files(out: str) -> list[Path]:
    path = Path(out)
    if path.suffix in (*_PICTURES, ".html"):
        return [path]
    if path.is_dir():
        path = path / "curves"
    return [path.with_name(f"{path.name}.html"), path.with_name(f"{path.name}.png")]


PLOT = Command("plot losses and metrics of runs", _add_arguments, _run)

"""The command ``eng list``: its arguments."""

from __future__ import annotations

import argparse

from eng.cli import Command

__all__ = ["LIST"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        nargs="?",
        metavar="KIND",
        help="hooks, models, metrics, ... or commands, functions, settings (default: all kinds)",
    )
    parser.add_argument(
        "--why", metavar="NAME", help="say where NAME is defined, and its arguments"
    )
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a module first, which registers names of your own",
    )


def _run(args: argparse.Namespace) -> None:
    from .listings import print_listing

    print_listing(args)


LIST = Command(
    "list what is registered, and commands, functions and settings", _add_arguments, _run
)

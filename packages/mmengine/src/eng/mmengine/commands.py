"""The command ``eng migrate``: its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from eng.cli import Command

__all__ = ["MIGRATE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="folder or file with Python code")
    parser.add_argument(
        "--write",
        action="store_true",
        help="rewrite imports to eng where eng has the names",
    )


def _run(args: argparse.Namespace) -> int:
    from .migration import migrate

    return migrate(args)


MIGRATE = Command("list uses of mmengine in code, and rewrite them to eng", _add_arguments, _run)

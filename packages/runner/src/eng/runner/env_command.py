"""The command ``eng env``."""

from __future__ import annotations

import argparse

from eng import cli

__all__ = ["ENV"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Report versions, devices and compilers, to paste into an issue."


def _run(args: argparse.Namespace) -> None:
    from eng.dl_utils import collect_env

    cli.main(["--version"])
    for name, value in collect_env().items():
        lines = str(value).strip().splitlines() or [""]
        print(f"{name}: {lines[0]}")
        for line in lines[1:]:
            print(f"  {line.strip()}")


ENV = cli.Command("report the environment, to paste into an issue", _add_arguments, _run)

"""Command-line options for the values of a config."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from .action import DictAction
from .types import ConfigValue

__all__ = ["add_args"]


def add_args(
    parser: argparse.ArgumentParser, cfg: Mapping[str, ConfigValue], prefix: str = ""
) -> argparse.ArgumentParser:
    """Add an option for each value of a config to a parser.

    Args:
        parser: The parser.
        cfg: Config, or a dictionary inside it.
        prefix: Keys that lead to ``cfg``, each followed by a dot.

    Returns:
        The parser.

    Examples:
        >>> parser = add_args(argparse.ArgumentParser(), {"model": {"depth": 18}})
        >>> vars(parser.parse_args(["--model.depth", "50"]))
        {'model.depth': 50}
    """
    for key, value in cfg.items():
        option = f"--{prefix}{key}"
        if isinstance(value, bool):
            parser.add_argument(option, action="store_true", default=None)
        elif isinstance(value, (str, int, float)):
            parser.add_argument(option, type=type(value))
        elif isinstance(value, dict):
            add_args(parser, value, f"{prefix}{key}.")
        elif isinstance(value, (list, tuple)) and value:
            parser.add_argument(option, type=type(value[0]), nargs="+")
        else:
            parser.add_argument(option, nargs="+", action=DictAction)
    return parser

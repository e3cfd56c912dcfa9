"""Parsers of the arguments of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from .command import Command

__all__ = ["add_arguments", "make_parser"]


def make_parser(name: str, command: Command) -> ArgumentParser:
    """Make the parser of a command.

    Args:
        name: Name of the command.
        command: The command.

    Returns:
        The parser.
    """
    parser = ArgumentParser(
        prog=f"eng {name}", description=f"{command.help[:1].upper()}{command.help[1:]}."
    )
    add_arguments(parser, command)
    return parser


def add_arguments(parser: ArgumentParser, command: Command) -> None:
    """Add the arguments of a command, and those that all commands have.

    Args:
        parser: The parser.
        command: The command.
    """
    command.add_arguments(parser)
    parser.add_argument(
        "--debug", action="store_true", help="show tracebacks of errors, and the log of level DEBUG"
    )

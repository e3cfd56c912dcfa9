"""Run the command line: select a sub-command, parse its arguments, report errors."""

from __future__ import annotations

import codecs
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from typing import TYPE_CHECKING

from .command import Command
from .completion import complete, is_completing
from .find import CommandLoadError, find_commands, load_command
from .message import format_line, is_of_the_user
from .parser import make_parser

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["main"]

BAD_INPUT = 2
INTERRUPTED = 130
_HEAD = "usage: eng COMMAND ... | --help | --version"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the eng command.

    Args:
        argv: Command-line arguments. Defaults to None: those of the process.

    Returns:
        Exit status: 0, 2 for user errors, 130 after Ctrl-C, or the status of the sub-command.
    """
    _print_any_text()
    try:
        try:
            return _run_line(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # a help text, or few lines, are not written before
    except BrokenPipeError:
        # The reader, such as head, has closed the pipe. With the old stdout, Python would report
        # an error when it flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _print_any_text() -> None:
    """Let the output take what its encoding does not have, such as a path in another one."""
    if isinstance(sys.stdout, TextIOWrapper):
        codecs.register_error("eng.cli", _escape)
        sys.stdout.reconfigure(errors="eng.cli")


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Print bytes of a path as they are, and other characters as escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def _run_line(given: list[str]) -> int:
    commands = find_commands()
    if is_completing():
        complete(commands)
    if given[:1] == ["--debug"]:  # before the command as well as after it
        given = [*given[1:2], "--debug", *given[2:]] if given[1:] else []
    if not given:
        print(_format_overview(commands), file=sys.stderr)
        return BAD_INPUT
    name, *rest = given
    if name in ("-h", "--help", "help"):
        print(_format_overview(commands))
        return 0
    if name in ("-V", "--version"):
        from .versions import versions

        print(versions())
        return 0
    if name not in commands:
        print(f"eng: {_explain_unknown(name, commands)}", file=sys.stderr)
        return BAD_INPUT
    try:
        command = load_command(commands[name])
    except CommandLoadError as error:
        if "--debug" in rest:
            raise
        print(f"eng: {format_line(error)}", file=sys.stderr)
        return BAD_INPUT
    return _run(command, make_parser(name, command).parse_args(rest))


def _run(command: Command, args: Namespace) -> int:
    try:
        return command.run(args) or 0
    except BrokenPipeError:
        raise  # see main()
    except KeyboardInterrupt as error:
        if args.debug:
            raise
        print(f"\neng: {format_line(error) if error.args else 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if args.debug or not is_of_the_user(error):
            raise
        print(f"eng: {format_line(error)}", file=sys.stderr)
        return BAD_INPUT


def _format_overview(commands: Mapping[str, EntryPoint]) -> str:
    """List the commands with their descriptions."""
    if not commands:
        return f"{_HEAD}\n\nNo commands are installed: pip install eng-all"
    width = max(map(len, commands))
    lines = [f"  {name:{width}}  {_read_help(found)}" for name, found in commands.items()]
    return "\n".join(
        [
            _HEAD,
            "",
            "Commands:",
            *lines,
            "",
            "See eng COMMAND --help for its arguments.",
        ]
    )


def _read_help(found: EntryPoint) -> str:
    try:
        return load_command(found).help
    except CommandLoadError as error:
        return f"({format_line(error)})"


def _explain_unknown(name: str, commands: Mapping[str, EntryPoint]) -> str:
    if name.startswith("-"):
        return f"unknown option {name}; options follow a command: eng COMMAND ..., see eng --help"
    near = get_close_matches(name, commands, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(commands) or 'none'}"
    return f"unknown command {name!r}; {hint}"

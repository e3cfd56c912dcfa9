"""Complete the command line in bash, zsh and fish."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from eng.utils import UserError

from .command import Command
from .find import CommandLoadError, load_command
from .parser import add_arguments

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["COMPLETION", "complete", "is_completing"]

_HINT = "shell completion needs argcomplete: pip install 'eng-cli[completion]'"
_SHELLS = ("bash", "zsh", "fish")


def is_completing() -> bool:
    """Return whether the shell has started this process for completions alone."""
    return "_ARGCOMPLETE" in os.environ


def complete(commands: Mapping[str, EntryPoint]) -> None:
    """Write the completions that the shell asks for, and end the process.

    Args:
        commands: Commands by name. Those that cannot be imported are left out.
    """
    try:
        import argcomplete
    except ImportError:  # uninstalled since: nothing is completed
        raise SystemExit(1) from None
    parser = ArgumentParser(prog="eng")
    parser.add_argument("--version", action="store_true", help="print the versions of packages")
    names = parser.add_subparsers()
    for name, found in commands.items():
        try:
            command = load_command(found)
        except CommandLoadError:
            continue
        add_arguments(names.add_parser(name, help=command.help), command)
    argcomplete.autocomplete(parser)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, help="the shell, whose code is printed")
    parser.epilog = (
        'To use it: eval "$(eng completion bash)" in ~/.bashrc, the same with zsh in ~/.zshrc '
        "after compinit, or eng completion fish > ~/.config/fish/completions/eng.fish"
    )


def _run(args: Namespace) -> None:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError as error:
        raise UserError(_HINT) from error
    print(shellcode(["eng"], shell=args.shell))


COMPLETION = Command("print code that completes eng in a shell", _add_arguments, _run)

"""Sub-commands that packages advertise."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Command"]


@dataclass(frozen=True)
class Command:
    """A sub-command of ``eng``.

    A package advertises it in the entry-point group ``eng.commands``, under the name of the
    command. Its module is imported for ``eng --help``, so that large imports belong in
    :attr:`run`.

    Attributes:
        help: Description of the command in one line.
        add_arguments: Function that adds arguments to a parser. ``--debug`` is reserved.
        run: Function that runs the command and returns the exit status, or None for 0. User errors
            are reported in one line, without a traceback: :class:`eng.utils.UserError`, OSError,
            SyntaxError and ImportError.
    """

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int | None]

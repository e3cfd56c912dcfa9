"""A sub-command, as a package advertises it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Command"]


@dataclass(frozen=True)
class Command:
    """A sub-command of ``eng``.

    A package advertises it in the entry-point group ``eng.commands``, under the name that people
    type. The module is imported for ``eng --help``, so that it should import what is large only in
    :attr:`run`.

    Attributes:
        help: What the command does, in a line.
        add_arguments: Adds its arguments to a parser. ``--debug`` is taken.
        run: Does it. Returns the exit status, or None for 0. What the person can mend is raised as
            a :class:`eng.utils.UserError`, an OSError, a SyntaxError or an ImportError, and told in
            one line.
    """

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int | None]

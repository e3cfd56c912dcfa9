"""Find and load the commands of installed packages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eng.utils import UserError

from .command import Command

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "CommandLoadError", "find_commands", "load_command"]

#: Entry-point group in which packages advertise commands.
GROUP = "eng.commands"


class CommandLoadError(UserError):
    """An advertised command cannot be loaded."""


def find_commands() -> dict[str, EntryPoint]:
    """Find the commands of installed packages, without importing them.

    Returns:
        Entry points by command name, in alphabetical order. Of several packages with a command of
        the same name the first is used, which is reported on stderr.
    """
    from importlib.metadata import entry_points  # slow, and packages import this module for Command

    commands: dict[str, EntryPoint] = {}
    for found in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        first = commands.setdefault(found.name, found)
        if first.value != found.value:
            print(
                f"eng: duplicate command {found.name!r}: using {first.value}, "
                f"ignoring {found.value}",
                file=sys.stderr,
            )
    return commands


def load_command(found: EntryPoint) -> Command:
    """Import a command.

    Args:
        found: Entry point of the command.

    Raises:
        CommandLoadError: If it cannot be imported, or is not a :class:`Command`.
    """
    of_package = f"of the package {found.dist.name} " if found.dist is not None else ""
    try:
        command = found.load()
    except Exception as error:
        raise CommandLoadError(
            f"the command {found.name} {of_package}cannot be imported from {found.value}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(command, Command):
        raise CommandLoadError(
            f"the command {found.name} {of_package}must be an eng.cli.Command, but "
            f"{found.value} is {command!r}"
        )
    return command

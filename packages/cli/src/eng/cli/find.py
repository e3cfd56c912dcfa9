"""Find the commands that installed packages advertise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eng.utils import UserError

from .command import Command

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "CommandLoadError", "find_commands", "load_command"]

#: The group of entry points in which packages advertise commands.
GROUP = "eng.commands"


class CommandLoadError(UserError):
    """A package advertises a command that cannot be loaded."""


def find_commands() -> dict[str, EntryPoint]:
    """Find the commands of the packages that are installed, without importing them.

    Returns:
        Where each is, by the name that people type, in alphabetical order. Of two packages with a
        command of the same name the first counts that is found, which is said on stderr.
    """
    from importlib.metadata import entry_points  # packages import this one for Command alone

    commands: dict[str, EntryPoint] = {}
    for found in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        first = commands.setdefault(found.name, found)
        if first.value != found.value:
            print(
                f"eng: two packages bring a command {found.name!r}: {first.value} is used, "
                f"{found.value} is not",
                file=sys.stderr,
            )
    return commands


def load_command(found: EntryPoint) -> Command:
    """Import a command.

    Args:
        found: Where it is.

    Returns:
        The command.

    Raises:
        CommandLoadError: If it cannot be imported, or is something else.
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
            f"the command {found.name} {of_package}should be an eng.cli.Command, but "
            f"{found.value} is {command!r}"
        )
    return command

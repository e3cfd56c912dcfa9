"""Commands, functions and settings for ``eng list``, beside what registries hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from eng.cli import find_commands
from eng.utils import UserError

from .run_settings import RUN_SETTINGS

__all__ = ["KINDS", "ListedPart", "load_function"]

#: Entry-point group in which packages advertise functions for people's programs.
FUNCTIONS = "eng.functions"


@dataclass(frozen=True)
class ListedPart:
    """A part that is not registered.

    Attributes:
        name: Its name.
        package: Package that defines it.
        summary: One line; empty without one.
        source: Where it is defined, as ``module:name``; empty for a setting.
    """

    name: str
    package: str
    summary: str
    source: str


def _list_commands() -> list[ListedPart]:
    return [_describe(name, found, "help") for name, found in find_commands().items()]


def _list_functions() -> list[ListedPart]:
    found = sorted(entry_points(group=FUNCTIONS), key=lambda each: each.name)
    return [_describe(each.name, each, "__doc__") for each in found]


def _list_settings() -> list[ListedPart]:
    return [ListedPart(name, "eng-runner", text, "") for name, text in RUN_SETTINGS.items()]


#: Functions that list the parts of a kind.
KINDS: dict[str, Callable[[], list[ListedPart]]] = {
    "commands": _list_commands,
    "functions": _list_functions,
    "settings": _list_settings,
}


def load_function(source: str) -> object:
    """Import a function.

    Args:
        source: Its ``module:name``.

    Returns:
        The function.
    """
    return EntryPoint("", source, FUNCTIONS).load()


def _describe(name: str, found: EntryPoint, attribute: str) -> ListedPart:
    try:
        text = getattr(found.load(), attribute, None) or ""
    except (ImportError, AttributeError, UserError) as error:  # of an extra that is not installed
        text = f"(cannot be imported: {error})"
    package = "" if found.dist is None else found.dist.name
    summary = text.strip().partition("\n")[0]
    return ListedPart(name, package, summary, found.value)

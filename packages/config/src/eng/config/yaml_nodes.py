"""Prepare the nodes of a YAML file before its values are constructed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .errors import ConfigError
from .origins import Origin, Origins
from .repeats import Repeats
from .types import ConfigValue
from .variables import Variables

if TYPE_CHECKING:  # imported late by files in YAML alone
    from yaml import Mark

__all__ = ["Node", "check_no_cycle", "fill_scalars", "trace_lines"]

# Types of a variable without quotes, besides text. YAML has more, such as merge keys.
_TYPED = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "null", "timestamp")}
_TEXT = "tag:yaml.org,2002:str"


class Node(Protocol):
    """Members of the nodes of PyYAML; ``value`` is text, or the nodes in a collection."""

    id: str
    tag: str
    value: ConfigValue
    style: str | None
    start_mark: Mark
    end_mark: Mark


class Resolver(Protocol):
    """The member of the loaders of PyYAML that is used."""

    def resolve(self, kind: type, value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a scalar."""


def check_no_cycle(root: Node, name: str) -> None:
    """Raise ``ConfigError`` if a value contains itself, by an alias of a value around it.

    Args:
        root: Root node of the file.
        name: Path of the file, for the message.
    """
    inside, done = [(root, iter(_list_children(root)))], set()
    above = {id(root)}
    while inside:
        node, rest = inside[-1]
        child = next(rest, None)
        if child is None:
            inside.pop()
            above.discard(id(node))
            done.add(id(node))
        elif id(child) in above:
            raise ConfigError(
                "a value contains itself, by an alias of a value around it",
                Origin(name, child.start_mark.line + 1),
            )
        elif id(child) not in done:
            above.add(id(child))
            inside.append((child, iter(_list_children(child))))


def fill_scalars(root: Node, variables: Variables, loader: Resolver, text: str) -> None:
    """Set the types of scalars without quotes that consist of a variable, by its value.

    Text is kept as the word of its variable, marked as one that is alone.

    Args:
        root: Root node of the file.
        variables: Variables of the file.
        loader: Loader, which resolves the types of scalars.
        text: Text that was parsed.
    """
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        for inner in _list_children(node):
            if id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
        if node.id != "scalar" or not variables.has_word(node.value):
            continue
        if node.tag != _TEXT:  # set by a tag in the file
            node.value = variables.fill(node.value)
        elif variables.is_word(node.value) and _is_bare(node, text):
            value = str(variables.fill(node.value))
            tag = loader.resolve(type(node), value, (True, False))
            if tag in _TYPED and variables.may_be_typed(node.value):
                node.tag, node.value = tag, value
            else:
                node.value = variables.mark(node.value)


def trace_lines(root: Node, name: str, lines: Origins, variables: Variables) -> None:
    """Record the line of each value.

    Args:
        root: Root node of the file.
        name: Path of the file.
        lines: Origins by path, which are added to.
        variables: Variables of the file, for messages.

    Raises:
        ConfigError: A mapping has a duplicate key.
    """
    repeats = Repeats()

    def trace(node: Node, path: tuple[str, ...]) -> None:
        if node.id == "scalar" or repeats.find(node.value) is not None:
            return
        repeats.add(node.value, node)
        if node.id == "sequence":
            for index, value in enumerate(node.value):
                note(value, (*path, str(index)), value.start_mark.line + 1)
            return
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            text = variables.show(str(key.value))
            # The tag distinguishes the string "1" from the number.
            if key.value != "<<" and (key.tag, str(key.value)) in seen:
                raise ConfigError(f"duplicate key {text!r}", Origin(name, line))
            seen.add((key.tag, str(key.value)))
            note(value, (*path, str(key.value)), line)

    def note(node: Node, path: tuple[str, ...], line: int) -> None:
        lines[path] = Origin(name, line)
        trace(node, path)

    trace(root, ())


def _list_children(node: Node) -> list[Node]:
    if node.id == "scalar":
        return []
    return [
        inner for each in node.value for inner in (each if isinstance(each, tuple) else (each,))
    ]


def _is_bare(node: Node, text: str) -> bool:
    """Return whether a scalar is written without quotes, and without the tag of text."""
    written = text[node.start_mark.index : node.end_mark.index]
    return not node.style and "!" not in written.partition(node.value)[0]

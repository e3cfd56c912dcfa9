"""Options of the form KEY=VALUE on the command line."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Sequence
from typing import Any

__all__ = ["CommandLineOptions", "DictAction"]

_CLOSING = {"(": ")", "[": "]"}


class CommandLineOptions(dict[str, Any]):
    """Options that a :class:`DictAction` has collected, by dotted key."""


class DictAction(argparse.Action):
    """Collect ``KEY=VALUE`` options in a dictionary.

    Lists are given as ``KEY=V1,V2`` or ``KEY=[V1,V2]``, tuples as ``KEY=(V1,V2)``; both may be
    nested. Numbers, ``True``, ``False`` and ``None`` (in any case) are what they look like, and
    everything else is a string.

    Examples:
        >>> parser = argparse.ArgumentParser()
        >>> _ = parser.add_argument("--options", nargs="+", action=DictAction)
        >>> parser.parse_args(["--options", "a=[(1,2),(3,4)]"]).options
        {'a': [(1, 2), (3, 4)]}
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add options to the dictionary of the namespace."""
        options = CommandLineOptions(getattr(namespace, self.dest, None) or {})
        for text in [values] if isinstance(values, str) else values or []:
            key, equals, value = text.partition("=")
            if not equals or not key:
                parser.error(f"argument {option_string}: {text!r} is not of the form KEY=VALUE")
            try:
                options[key] = _parse(value)
            except ValueError as error:
                parser.error(f"argument {option_string}: {text!r}: {error}")
        setattr(namespace, self.dest, options)


def _parse(text: str) -> Any:
    text = text.strip()
    parts = _split(text)
    if len(parts) > 1:
        return [_parse(part) for part in parts if part.strip()]
    if text[:1] in _CLOSING and text.endswith(_CLOSING[text[0]]):
        items = [_parse(part) for part in _split(text[1:-1]) if part.strip()]
        return tuple(items) if text[0] == "(" else items
    return _parse_scalar(text)


def _split(text: str) -> list[str]:
    """Cut at the commas that lie in no bracket and no quotes."""
    parts, word, open_brackets, quote = [], "", [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _CLOSING:
            open_brackets.append(_CLOSING[letter])
        elif letter in ")]" and (not open_brackets or open_brackets.pop() != letter):
            raise ValueError(f"the bracket {letter!r} closes none")
        if letter == "," and not open_brackets and not quote:
            parts.append(word)
            word = ""
        else:
            word += letter
    if open_brackets:
        raise ValueError(f"a bracket is not closed by {open_brackets[-1]!r}")
    return [*parts, word]


def _parse_scalar(text: str) -> Any:
    named = {"true": True, "false": False, "none": None}
    if text.lower() in named:
        return named[text.lower()]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return text[1:-1]
    return text

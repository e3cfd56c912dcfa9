"""Parse ``KEY=VALUE`` options of the command line."""

from __future__ import annotations

import argparse
import ast
import itertools
import re
from collections.abc import Sequence

from eng.utils import override

from .types import ConfigValue, ConfigValues

__all__ = ["CommandLineOptions", "DictAction", "read_not_finite"]

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class CommandLineOptions(dict[str, ConfigValue]):
    """Options collected by :class:`DictAction`, by dotted key."""


class DictAction(argparse.Action):
    """Collect ``KEY=VALUE`` options in a dictionary.

    Lists are written as ``KEY=V1,V2`` or ``KEY=[V1,V2]``, tuples as ``KEY=(V1,V2)``, dictionaries
    as ``KEY={K1:V1,K2:V2}`` or ``KEY=dict(K1=V1,K2=V2)``; all may be nested. Numbers, ``True`` and
    ``False`` (case-insensitive) and ``None`` are parsed, and everything else is a string, including
    ``2024_10_05`` and ``none``. Quoted strings keep their commas and spaces. ``nan`` and ``inf``
    become numbers if :meth:`Config.merge_from_dict` replaces a float by them.

    Examples:
        >>> parser = argparse.ArgumentParser()
        >>> _ = parser.add_argument("--options", nargs="+", action=DictAction)
        >>> parser.parse_args(["--options", "a=[(1,2),(3,4)]", "b={'type':'X'}"]).options
        {'a': [(1, 2), (3, 4)], 'b': {'type': 'X'}}
    """

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[str] | None,
        option_string: str | None = None,
    ) -> None:
        """Add options to the dictionary in the namespace."""
        options = CommandLineOptions(getattr(namespace, self.dest, None) or {})
        for text in [values] if isinstance(values, str) else values or []:
            key, equals, value = text.partition("=")
            if not equals or not key:
                parser.error(f"argument {option_string}: {text!r} is not of the form KEY=VALUE")
            try:
                options[key] = _parse(value)
            except ValueError as error:
                parser.error(
                    f"argument {option_string}: invalid value {value!r} of {key}: {error}; "
                    "put strings with brackets in quotes"
                )
        setattr(namespace, self.dest, options)

    @staticmethod
    def _parse_iterable(val: str) -> ConfigValue:
        """Parse a value; packages of the OpenMMLab family call it."""
        return _parse(val)

    @staticmethod
    def _parse_int_float_bool(val: str) -> ConfigValue:
        """Parse a scalar; see :meth:`_parse_iterable`."""
        return _parse_scalar(val.strip())


def read_not_finite(new: ConfigValue, old: ConfigValue) -> ConfigValue:
    """Convert ``nan`` and ``inf`` in an option to numbers where the old value is a float."""
    if isinstance(new, str) and isinstance(old, float) and _NOT_FINITE.fullmatch(new):
        return float(new)
    if isinstance(old, (list, tuple)) and isinstance(new, dict):
        old = {str(index): each for index, each in enumerate(old)}
    if isinstance(new, dict) and isinstance(old, dict):
        return {k: read_not_finite(v, old[k]) if k in old else v for k, v in new.items()}
    if type(new) in (list, tuple) and isinstance(old, (list, tuple)):
        pairs = itertools.zip_longest(new, old[: len(new)])
        return type(new)(read_not_finite(each, there) for each, there in pairs)
    return new


def _parse(text: str) -> ConfigValue:
    text = text.strip()
    parts = _split(text, ",")
    if len(parts) > 1:
        return [_parse(part) for part in parts if part.strip()]
    call = text.startswith("dict(") and _is_enclosed(text[4:])
    if call or (text[:1] == "{" and _is_enclosed(text)):
        return _parse_dict(text[5 if call else 1 : -1], "=" if call else ":")
    if text[:1] in ("(", "[") and _is_enclosed(text):
        items = [_parse(part) for part in _split(text[1:-1], ",") if part.strip()]
        return tuple(items) if text[0] == "(" else items
    return _parse_scalar(text)


def _parse_dict(text: str, separator: str) -> ConfigValues:
    found: ConfigValues = {}
    for part in _split(text, ","):
        if not part.strip():
            continue
        key, *rest = _split(part, separator)
        name = key.strip()
        if not rest or not name or (separator == "=" and not name.isidentifier()):
            raise ValueError(f"{part.strip()!r} is not of the form KEY{separator}VALUE")
        found[name if separator == "=" else _parse_scalar(name)] = _parse(separator.join(rest))
    return found


def _split(text: str, separator: str) -> list[str]:
    """Split at the separators outside of brackets and quotes."""
    parts, word, open_brackets, quote = [], "", [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _CLOSING:
            open_brackets.append(_CLOSING[letter])
        elif letter in ")]}" and (not open_brackets or open_brackets.pop() != letter):
            raise ValueError(f"unmatched bracket {letter!r}")
        if letter == separator and not open_brackets and not quote:
            parts.append(word)
            word = ""
        else:
            word += letter
    if open_brackets:
        raise ValueError(f"missing closing bracket {open_brackets[-1]!r}")
    return [*parts, word]


def _is_enclosed(text: str) -> bool:
    """Return whether the first bracket of a text is closed by its last character."""
    if not text.endswith(_CLOSING[text[0]]):
        return False
    try:
        _split(text[1:-1], ",")
    except ValueError:
        return False
    return True


def _parse_scalar(text: str) -> ConfigValue:
    if text == "None":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return text[1:-1]
    return text

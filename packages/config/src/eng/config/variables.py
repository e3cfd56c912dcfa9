"""Substitute the variables of a config file: its path, the environment, values of its bases."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .errors import ConfigError
from .keys import value_at
from .origins import Origin
from .secret_values import keep_secret
from .types import ConfigValue

__all__ = ["BASE_VARIABLE", "FILLED_IN", "Variables", "base_value", "is_filled_in"]

_VARIABLE = re.compile(
    r"\{\{\s*(?:(?P<own>fileDirname|fileBasenameNoExtension|fileBasename|fileExtname)"
    # Quotes make a variable that is a literal valid Python, as in ``port = {{'$PORT:80'}}``.
    r"|(?P<quote>['\"]?)(?P<secret>secret\s+)?\$(?P<name>\w+)"
    r"\s*(?::\s*(?P<default>[^{}\n]*?))?\s*(?P=quote))\s*\}\}"
)
BASE_VARIABLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
# Private-use character before the word of a variable that is alone, outside of quotes.
_MARK = "\ue000"
# Reason why such a string cannot be dumped.
FILLED_IN = "it contains a variable that loading would substitute"


class _Variable(NamedTuple):
    """A variable of a file; ``value`` is None if an environment variable is not set."""

    name: str
    value: str | None
    origin: Origin
    is_quoted: bool
    is_text: bool


class Variables:
    """The variables of a file, each replaced by a word while the file is parsed.

    Their values never become source text: quotes, backslashes and newlines in them stay
    characters in all formats.

    Args:
        text: Content of the file.
        path: Path of the file.
        is_used: Whether to substitute variables of the path.
        uses_environment: Whether to substitute environment variables.

    Attributes:
        text: The content, with words in place of the variables.
        pattern: Regular expression of the words.
        environment: Environment variables that are set, with their values, or
            ``{{ secret $NAME }}`` for secret ones.
    """

    def __init__(
        self, text: str, path: Path, is_used: bool = True, uses_environment: bool = True
    ) -> None:
        self._found: list[_Variable] = []
        word = "variable_"
        while word in text:
            word += "_"
        self.pattern = rf"{word}\d+_"
        self._words = re.compile(rf"{word}(\d+)_")
        self._mark = _MARK
        while self._mark in text:
            self._mark += _MARK
        self.text = text
        self.environment: dict[str, str] = {}
        if not (is_used or uses_environment) or "{{" not in text:
            return
        line, at = 1, 0

        def hide(match: re.Match[str]) -> str:
            nonlocal line, at
            name = match["name"]
            if not (uses_environment if name else is_used):
                return match[0]
            if name and name in os.environ:
                secret = f"{{{{ secret ${name} }}}}"
                self.environment[name] = secret if match["secret"] else os.environ[name]
            line, at = line + text.count("\n", at, match.start()), match.start()
            self._found.append(_read_variable(match, path, Origin(str(path), line)))
            return f"{word}{len(self._found) - 1}_"

        self.text = _VARIABLE.sub(hide, text)

    def __bool__(self) -> bool:
        return bool(self._found)

    def is_word(self, text: str) -> bool:
        """Return whether a text is the word of a variable."""
        return bool(self._found) and self._words.fullmatch(text) is not None

    def has_word(self, text: str) -> bool:
        """Return whether a text contains the word of a variable."""
        return bool(self._found) and self._words.search(text) is not None

    def mark(self, word: str) -> str:
        """Mark a word as one that is alone, outside of quotes."""
        return f"{self._mark}{word}"

    def is_marked(self, text: str) -> bool:
        """Return whether a text is a word marked by :meth:`mark`."""
        return text.startswith(self._mark) and self.is_word(self.unmark(text))

    def unmark(self, text: str) -> str:
        """Remove the mark of a word."""
        return text.removeprefix(self._mark)

    def may_be_typed(self, word: str) -> bool:
        """Return whether the value of a variable may be parsed as something other than text."""
        return not self._found[int(word.rpartition("_")[0].rpartition("_")[2])].is_text

    def fill(self, text: str) -> str:
        """Substitute the variables in a text.

        Raises:
            ConfigError: An environment variable is not set, and has no default.
        """
        if not self._found:
            return text
        return self._words.sub(lambda match: _get_value(self._found[int(match[1])]), text)

    def show(self, text: str) -> str:
        """Return a text as it is in the file, except for spaces and defaults, for messages."""
        return self._words.sub(lambda match: f"{{{{ {self._found[int(match[1])].name} }}}}", text)

    def literal(self, word: str, is_data: bool = False) -> ConfigValue:
        """Return the value of a variable that is alone, outside of any text.

        Args:
            word: Word of the variable.
            is_data: Whether the format is data, in which values that are not literals are text.

        Returns:
            The value as a literal, or else as text. ``{{ $N }}`` without quotes keeps quotes in
            the value: it is text, or a literal of another type.

        Raises:
            ConfigError: An environment variable is not set, and has no default; or it is written
                in quotes in Python, which requires a literal, but its value is not one.
        """
        match = self._words.fullmatch(word)
        assert match is not None, "literal takes words of variables only"
        variable = self._found[int(match[1])]
        text = _get_value(variable)
        if variable.is_text:
            return text
        try:
            value = _read_literal(text.strip(), is_data)
        except ValueError:
            if not variable.is_quoted or is_data:
                return text
            raise ConfigError(
                f"the environment variable {variable.name[1:]} is {text!r}, which is not a literal "
                f"of Python, such as a number or a list; for text, put the quotes outside, as in "
                f"'{{{{ {variable.name} }}}}'",
                variable.origin,
            ) from None
        return text if isinstance(value, (str, bytes)) and not variable.is_quoted else value


def is_filled_in(text: str) -> bool:
    """Return whether loading would substitute a variable in this string."""
    return any(each.search(text) for each in (_VARIABLE, BASE_VARIABLE))


def base_value(base: Mapping[str, ConfigValue], key: str, origin: Origin) -> ConfigValue:
    """Return the value of ``{{ _base_.key }}``.

    Raises:
        ConfigError: The bases do not have the key.
    """
    try:
        return value_at(base, key)
    except KeyError:
        raise ConfigError(
            f"undefined variable _base_.{key}: no base has this key", origin
        ) from None


def _read_variable(match: re.Match[str], path: Path, origin: Origin) -> _Variable:
    own = match["own"]
    if own is not None:
        known = {
            # With slashes on Windows, too.
            "fileDirname": path.parent.as_posix(),
            "fileBasename": path.name,
            "fileBasenameNoExtension": path.stem,
            "fileExtname": path.suffix,
        }
        return _Variable(own, known[own], origin, is_quoted=False, is_text=True)
    name, is_secret = match["name"], match["secret"] is not None
    value = os.environ.get(name)
    if is_secret and value:
        keep_secret(value, name)
    # An empty default is none: this is how configs require a variable to be set.
    value = (match["default"] or None) if value is None else value
    return _Variable(f"${name}", value, origin, bool(match["quote"]), is_text=is_secret)


def _get_value(variable: _Variable) -> str:
    if variable.value is None:
        name = variable.name[1:]
        raise ConfigError(
            f"the environment variable {name} is not set; set it, or add a default as "
            f"{{{{ ${name}:default }}}}",
            variable.origin,
        )
    return variable.value


def _read_literal(text: str, is_data: bool) -> ConfigValue:
    """Parse a literal, or raise ``ValueError``."""
    if is_data:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a literal") from error

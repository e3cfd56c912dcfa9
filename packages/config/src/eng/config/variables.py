"""Fill in the variables of a config file: its path, the environment, values of its bases."""

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
    # Quotes let Python read a variable that stands for a literal, as in ``port = {{'$PORT:80'}}``.
    r"|(?P<quote>['\"]?)(?P<secret>secret\s+)?\$(?P<name>\w+)"
    r"\s*(?::\s*(?P<default>[^{}\n]*?))?\s*(?P=quote))\s*\}\}"
)
BASE_VARIABLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
# Stands before the word of a variable that is alone, outside of quotes; for private use.
_MARK = "\ue000"
# Why a dump refuses a text in which one of these stands.
FILLED_IN = "it has a variable that loading would fill in"


class _Variable(NamedTuple):
    """A variable of a file; ``value`` is None for one of the environment that is not set."""

    name: str
    value: str | None
    origin: Origin
    is_quoted: bool
    is_text: bool


class Variables:
    """The variables of a file, behind a word each while the file is parsed.

    So their values never become source text: quotes, backslashes and newlines in them stay
    characters, whatever the format.

    Args:
        text: Content of the file.
        path: The file.
        is_used: Whether variables of the path are filled in. Otherwise the text stays as it is.
        uses_environment: The same for those of the environment.

    Attributes:
        text: The content, with words in place of the variables.
        pattern: Regular expression of the words.
        environment: The variables of the environment that are set, with their values; a secret
            one has ``{{ secret $NAME }}`` for its value.
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
        """Whether a text is the word of one variable."""
        return bool(self._found) and self._words.fullmatch(text) is not None

    def has_word(self, text: str) -> bool:
        """Whether the word of a variable stands in a text."""
        return bool(self._found) and self._words.search(text) is not None

    def mark(self, word: str) -> str:
        """Return a word as one that stands alone, outside of quotes."""
        return f"{self._mark}{word}"

    def is_marked(self, text: str) -> bool:
        """Whether a text is a word that :meth:`mark` has marked."""
        return text.startswith(self._mark) and self.is_word(self.unmark(text))

    def unmark(self, text: str) -> str:
        """Return the word that :meth:`mark` has marked."""
        return text.removeprefix(self._mark)

    def may_be_typed(self, word: str) -> bool:
        """Whether a variable may stand for something else than text."""
        return not self._found[int(word.rpartition("_")[0].rpartition("_")[2])].is_text

    def fill(self, text: str) -> str:
        """Return a text with the values of its variables.

        Raises:
            ConfigError: A variable of the environment is not set, and has no default.
        """
        if not self._found:
            return text
        return self._words.sub(lambda match: _value_of(self._found[int(match[1])]), text)

    def show(self, text: str) -> str:
        """Return a text as the file has it, apart from spaces and defaults, for messages."""
        return self._words.sub(lambda match: f"{{{{ {self._found[int(match[1])].name} }}}}", text)

    def literal(self, word: str, is_data: bool = False) -> ConfigValue:
        """Return the value of a variable that stands alone, outside of any text.

        Args:
            word: The word of the variable.
            is_data: Whether the format has no code, in which what is no literal is text.

        Returns:
            The literal that the value is, else the value as text. ``{{ $N }}`` without quotes
            keeps quotes: it gives text, or a literal of another type.

        Raises:
            ConfigError: A variable of the environment is not set, and has no default; or it is
                written in quotes in Python, which is for literals, and holds none.
        """
        match = self._words.fullmatch(word)
        assert match is not None, "literal is asked for words alone"
        variable = self._found[int(match[1])]
        text = _value_of(variable)
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
    """Whether loading would replace a part of this string, which then came back as another one."""
    return any(each.search(text) for each in (_VARIABLE, BASE_VARIABLE))


def base_value(base: Mapping[str, ConfigValue], key: str, origin: Origin) -> ConfigValue:
    """Return the value of ``{{ _base_.key }}``.

    Raises:
        ConfigError: The bases have no such value.
    """
    try:
        return value_at(base, key)
    except KeyError:
        raise ConfigError(f"no base has the variable _base_.{key}", origin) from None


def _read_variable(match: re.Match[str], path: Path, origin: Origin) -> _Variable:
    own = match["own"]
    if own is not None:
        known = {
            # With slashes on Windows too.
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
    # An empty default is none: so configs say that a variable has to be set.
    value = (match["default"] or None) if value is None else value
    return _Variable(f"${name}", value, origin, bool(match["quote"]), is_text=is_secret)


def _value_of(variable: _Variable) -> str:
    if variable.value is None:
        name = variable.name[1:]
        raise ConfigError(
            f"the environment variable {name} is not set; set it, or give a default as "
            f"{{{{ ${name}:default }}}}",
            variable.origin,
        )
    return variable.value


def _read_literal(text: str, is_data: bool) -> ConfigValue:
    """Return the value of a literal; raise ValueError for anything else."""
    if is_data:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a literal") from error

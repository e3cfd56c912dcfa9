"""Parse TOML, with the line of each value."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterator
from types import ModuleType

from .errors import ConfigError
from .origins import Origin, Origins
from .types import ConfigValues

__all__ = ["NULL", "TOML_TEXT", "parse_toml", "trace_toml"]

#: The text that stands for None in TOML, which has no null.
NULL = re.compile(r"\{\{\s*null\s*\}\}")

# A string ends at the first three quotes, with at most two more that are part of it.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")' + r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
#: Strings and comments, in which variables are left alone or are text.
TOML_TEXT = re.compile(rf"{_STRING.pattern}|#[^\n]*", re.DOTALL)
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(rf"[ \t]*(?P<part>[A-Za-z0-9_-]+|{_STRING.pattern})[ \t]*", re.DOTALL)
_ATOM = re.compile(r"[^,\]}\n#]*")
_PLACE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_HINTS = {
    r"=\s*(null|none|nil|~)\s*(#|$)": "TOML has no null; write {{ null }}",
    r"=\s*(True|False)\b": "booleans are true and false",
    r"=\s*[A-Za-z_./]": "strings have quotes",
}


def parse_toml(text: str, name: str) -> ConfigValues:
    """Parse a document.

    Args:
        text: Text of the document.
        name: Path of the file, for messages.

    Raises:
        ConfigError: The text is invalid.
    """
    toml = _import_parser()
    try:
        values: ConfigValues = toml.loads(text)
    except ValueError as error:  # TOMLDecodeError, and numbers with too many digits
        place = _PLACE.search(str(error))
        lines = text.splitlines()
        line = int(place[1]) if place and place[1] else len(lines)
        reason = _PLACE.sub("", str(error)).partition("\n")[0]
        raise ConfigError(
            f"invalid TOML: {reason}{_find_hint(lines, line)}", Origin(name, line)
        ) from error
    return values


def trace_toml(text: str, name: str, lines: Origins) -> None:
    """Record the line of each value of a valid document, which parsers of TOML do not keep.

    Args:
        text: Text of the document.
        name: Path of the file.
        lines: Origins by path, which are added to.
    """
    for path, line in _Scanner(text).scan():
        lines.setdefault(path, Origin(name, line))


class _Scanner:
    """A pass over a valid document that finds keys and items with their lines.

    Args:
        text: The document.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._at = 0
        self._counts: dict[tuple[str, ...], int] = {}  # tables in arrays of tables

    def scan(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the paths of all values with their lines."""
        table: tuple[str, ...] = ()
        while self._skip():
            line = self._line()
            brackets = next(n for n in (2, 1, 0) if self._text.startswith("[" * n, self._at))
            if not brackets:
                yield from self._scan_pair(table)
                continue
            self._at += brackets
            table = ()
            parts = self._read_key()
            for index, part in enumerate(parts, 1):
                table = (*table, part)
                yield table, line
                if brackets == 2 and index == len(parts):
                    self._counts[table] = self._counts.get(table, 0) + 1
                if table in self._counts:
                    table = (*table, str(self._counts[table] - 1))
                    yield table, line
            self._at += brackets

    def _scan_pair(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
        line = self._line()
        for part in self._read_key():
            path = (*path, part)
            yield path, line
        self._at += 1  # the equals sign
        yield from self._scan_value(path)

    def _scan_value(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
        self._skip()
        string = _STRING.match(self._text, self._at)
        opening = self._text[self._at]
        if string is not None:
            self._at = string.end()
        elif opening not in "[{":
            atom = _ATOM.match(self._text, self._at)
            self._at = atom.end() if atom else self._at + 1
        else:
            yield from self._scan_items(path, opening)

    def _scan_items(
        self, path: tuple[str, ...], opening: str
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        self._at += 1
        index = 0
        while self._skip() and self._text[self._at] not in "]}":
            if opening == "{":
                yield from self._scan_pair(path)
            else:
                yield (*path, str(index)), self._line()
                yield from self._scan_value((*path, str(index)))
                index += 1
            self._skip()
            self._at += self._text[self._at] == ","
        self._at += 1

    def _read_key(self) -> list[str]:
        """Read a dotted key."""
        parts = []
        while True:
            match = _PART.match(self._text, self._at)
            assert match is not None, "the document is valid"
            written = match["part"]
            quoted = written[0] in "\"'"
            parts.append(_import_parser().loads(f"k={written}")["k"] if quoted else written)
            self._at = match.end()
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _skip(self) -> bool:
        """Skip spaces and comments, and return whether something follows."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at < len(self._text)

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1


def _find_hint(lines: list[str], line: int) -> str:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    for pattern, hint in _HINTS.items():
        if re.search(pattern, text, 0 if "True" in pattern else re.IGNORECASE):
            return f"; {hint}"
    return ""


def _import_parser() -> ModuleType:
    # Imported late, so that `import eng.config` stays fast.
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib
    import tomli

    return tomli

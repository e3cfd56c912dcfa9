"""Config files in YAML and JSON."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from typing import Any

from .errors import ConfigError
from .keys import BASE
from .origins import Origin, Origins, trace
from .variables import BASE_VARIABLE, base_value

__all__ = ["DataFile"]

_JSON_STRING_OR_VARIABLE = re.compile(r'"(?:[^"\\\n]|\\.)*"|' + BASE_VARIABLE.pattern)


class DataFile:
    """A config file in YAML or JSON.

    Args:
        text: Content of the file.
        name: Path of the file, for messages.
        is_json: Whether it is JSON.

    Raises:
        ConfigError: The text is of another format, holds no mapping, has a key twice or one at
            the top that is no string.
    """

    def __init__(self, text: str, name: str, is_json: bool) -> None:
        self.name = name
        self.lines: Origins = {}
        self.values = self._parse_json(text) if is_json else self._parse_yaml(text)
        if not isinstance(self.values, dict):
            raise ConfigError("the file must hold a mapping", Origin(name))
        for key in self.values:
            if not isinstance(key, str):
                raise ConfigError(
                    f"the key {key!r} must be a string", self.lines.get((str(key),), Origin(name))
                )
        self.base_line = self.lines.get((BASE,), Origin(None)).line

    def bases(self) -> Any:
        """Return what the file has for ``_base_``."""
        return self.values.get(BASE, [])

    def load(self, base: dict[str, Any]) -> tuple[dict[str, Any], Origins]:
        """Return the values with their origins.

        Args:
            base: The merged bases, for base variables.
        """

        def fill(value: Any, path: tuple[str, ...]) -> Any:
            if isinstance(value, dict):
                return {k: fill(v, (*path, str(k))) for k, v in value.items()}
            if isinstance(value, list):
                return [fill(v, (*path, str(i))) for i, v in enumerate(value)]
            if not isinstance(value, str) or "_base_" not in value:
                return value
            origin = self.lines.get(path, Origin(self.name))
            whole = BASE_VARIABLE.fullmatch(value.strip())
            if whole:
                return base_value(base, whole[1], origin)
            return BASE_VARIABLE.sub(lambda m: str(base_value(base, m[1], origin)), value)

        return fill(self.values, ()), self.lines

    def _parse_json(self, text: str) -> Any:
        quoted = _JSON_STRING_OR_VARIABLE.sub(
            lambda m: m[0] if m[0].startswith('"') else f'"{m[0]}"', text
        )
        twice: list[str] = []

        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            counts = Counter(key for key, _ in pairs)
            twice.extend(key for key, count in counts.items() if count > 1)
            return dict(pairs)

        try:
            values = json.loads(quoted, object_pairs_hook=unique)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"no valid json: {error.msg}", Origin(self.name, error.lineno)
            ) from error
        tree = _parse_json_as_python(quoted)
        if twice:
            raise ConfigError(
                f"the key {twice[0]!r} is there twice",
                Origin(self.name, _find_second_line(tree, twice[0])),
            )
        if isinstance(values, dict):
            if tree is not None:
                trace(tree, self.name, (), 1, self.lines)
            for key in values:
                self.lines.setdefault((key,), Origin(self.name))
        return values

    def _parse_yaml(self, text: str) -> Any:
        import yaml

        # Unquoted braces are a flow mapping in yaml: quote a value that is a base variable.
        text = re.sub(
            r"(?m)([:\-,\[]\s+)(\{\{\s*_base_\.[\w.]+\s*\}\})(?=\s*(?:$|[,\]#]))", r'\1"\2"', text
        )
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self._trace(node, ())
            return yaml.safe_load(text) if node is not None else {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise ConfigError(f"no valid yaml: {error.problem}", Origin(self.name, line)) from error

    def _trace(self, node: Any, path: tuple[str, ...]) -> None:
        if getattr(node, "id", None) == "mapping":
            seen = set()
            for key, value in node.value:
                line = key.start_mark.line + 1
                # The tag tells the string "1" from the number.
                if key.value != "<<" and (key.tag, str(key.value)) in seen:
                    raise ConfigError(
                        f"the key {key.value!r} is there twice", Origin(self.name, line)
                    )
                seen.add((key.tag, str(key.value)))
                at = (*path, str(key.value))
                self.lines[at] = Origin(self.name, line)
                self._trace(value, at)
        elif getattr(node, "id", None) == "sequence":
            for index, value in enumerate(node.value):
                at = (*path, str(index))
                self.lines[at] = Origin(self.name, value.start_mark.line + 1)
                self._trace(value, at)


def _parse_json_as_python(text: str) -> ast.expr | None:
    """Parse JSON as the Python expression that it looks like, for the line of each value.

    The parser of the standard library keeps no lines. Where Python cannot read the text, such as
    in nestings of more than 200 levels, no lines are known.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes of JSON that Python does not have
            # Within brackets the indentation of the first line does not matter.
            return ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _find_second_line(tree: ast.expr | None, key: str) -> int | None:
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Dict):
            lines = [k.lineno for k in node.keys if isinstance(k, ast.Constant) and k.value == key]
            if len(lines) > 1:
                return lines[1]
    return None

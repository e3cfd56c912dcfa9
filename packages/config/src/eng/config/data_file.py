"""Config files in YAML and JSON."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from .config_dict import to_plain
from .errors import ConfigError
from .keys import BASE
from .origins import Origin, Origins, Values, trace
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

    def load(self, base: Values) -> tuple[Values, Values]:
        """Fill in the base variables.

        Args:
            base: The merged bases.

        Returns:
            The file's own values, and those of its bases.
        """
        origins: Origins = {}
        return Values(self._fill(self.values, (), (), base, origins), origins), base

    def _fill(
        self,
        value: Any,
        path: tuple[str, ...],
        new_path: tuple[str, ...],
        base: Values,
        origins: Origins,
    ) -> Any:
        """Fill in the base variables of a value and its keys.

        Args:
            value: The value.
            path: Keys that lead to it in the file.
            new_path: Those keys, filled in.
            base: The merged bases.
            origins: The origins so far; they are added to.
        """
        origin = self.lines.get(path)
        if origin is not None:
            origins[new_path] = origin

        def look_up(key: str) -> Any:
            return base_value(base.values, key, origin or Origin(self.name))

        if isinstance(value, dict):
            filled = {}
            for key, each in value.items():
                name = _fill_text(key, look_up) if isinstance(key, str) else key
                inner = (*path, str(key)), (*new_path, str(name))
                filled[name] = self._fill(each, *inner, base, origins)
            return filled
        if isinstance(value, list):
            return [
                self._fill(each, (*path, str(i)), (*new_path, str(i)), base, origins)
                for i, each in enumerate(value)
            ]
        if not isinstance(value, str):
            return value
        whole = BASE_VARIABLE.fullmatch(value.strip())
        if not whole:
            return _fill_text(value, look_up)
        taken = tuple(whole[1].split("."))
        for at, each in base.origins.items():
            if at[: len(taken)] == taken and at != taken:
                origins[new_path + at[len(taken) :]] = each
        return to_plain(look_up(whole[1]))

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

        from eng.fileio import YamlHandler

        text, variables = _hide_variables(text)
        loader = YamlHandler.loader()(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}
            _restore_variables(node, variables)
            self._trace(node, ())
            return loader.construct_document(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            # The end of a file is on the line behind the last one.
            line = min(mark.line + 1, len(text.splitlines())) if mark else None
            raise ConfigError(
                f"no valid yaml: {getattr(error, 'problem', error)}", Origin(self.name, line)
            ) from error
        finally:
            loader.dispose()

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


def _fill_text(text: str, look_up: Callable[[str], Any]) -> str:
    return BASE_VARIABLE.sub(lambda match: str(look_up(match[1])), text)


def _hide_variables(text: str) -> tuple[str, dict[str, str]]:
    """Put a word in place of each base variable: the braces of one mean something else in YAML.

    Returns:
        The text, and the variable that each word stands for.
    """
    word = "base_variable"
    while word in text:
        word += "_"
    variables: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        hidden = f"{word}{len(variables)}."
        variables[hidden] = match[0]
        return hidden

    return BASE_VARIABLE.sub(hide, text), variables


def _restore_variables(node: Any, variables: Mapping[str, str]) -> None:
    if not variables:
        return
    if node.id == "scalar":
        for hidden, variable in variables.items():
            node.value = node.value.replace(hidden, variable)
    else:
        for each in node.value:
            for inner in each if isinstance(each, tuple) else [each]:
                _restore_variables(inner, variables)


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

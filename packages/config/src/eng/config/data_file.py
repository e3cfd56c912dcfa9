"""Parse config files in YAML, JSON and TOML."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Mapping

from .config_dict import to_plain
from .errors import ConfigError
from .keys import BASE
from .origins import Origin, Origins, Values, trace
from .repeats import Repeats
from .types import ConfigValue, ConfigValues
from .variables import BASE_VARIABLE, Variables, base_value
from .yaml_nodes import Node, check_no_cycle, fill_scalars, trace_lines

__all__ = ["DataFile"]

_JSON_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


class DataFile:
    """A config file in YAML, JSON or TOML.

    Args:
        variables: Content of the file, and its variables.
        name: Path of the file, for messages.
        suffix: Suffix of the format.

    Raises:
        ConfigError: The text is invalid or not a mapping, has a duplicate key or a top-level key
            that is not a string, or a value contains itself.
    """

    def __init__(self, variables: Variables, name: str, suffix: str) -> None:
        self.name = name
        self.lines: Origins = {}
        self._variables = variables
        parse = {".json": self._parse_json, ".toml": self._parse_toml}.get(suffix, self._parse_yaml)
        #: Text that stands for None, in a format without null.
        self.null: re.Pattern[str] | None = None
        self.values = parse(variables.text)
        if not isinstance(self.values, dict):
            raise ConfigError("the top level of the file must be a mapping", Origin(name))
        for key in self.values:
            if not isinstance(key, str):
                raise ConfigError(
                    f"the key {key!r} must be a string", self.lines.get((str(key),), Origin(name))
                )
        self.base_line = self.lines.get((BASE,), Origin(None)).line

    def bases(self) -> ConfigValue:
        """Return the value of ``_base_``."""
        fill = _Filling(self, Values({}, {}), {})
        return fill.fill(self.values.get(BASE, []), (BASE,), (BASE,))

    @property
    def variables(self) -> Variables:
        """The variables of the file."""
        return self._variables

    def load(self, base: Values) -> tuple[Values, Values]:
        """Substitute the variables.

        Args:
            base: The merged bases.

        Returns:
            Values of the file itself, and of its bases.
        """
        origins: Origins = {}
        values = {key: value for key, value in self.values.items() if key != BASE}
        return Values(_Filling(self, base, origins).fill(values, (), ()), origins), base

    def _parse_json(self, text: str) -> ConfigValue:
        quoted = _quote_variables(text, self._variables, _JSON_STRING)
        twice: list[str] = []

        def unique(pairs: list[tuple[str, ConfigValue]]) -> dict[str, ConfigValue]:
            counts = Counter(key for key, _ in pairs)
            twice.extend(key for key, count in counts.items() if count > 1)
            return dict(pairs)

        try:
            values = json.loads(quoted, object_pairs_hook=unique)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"invalid JSON: {error.msg}", Origin(self.name, error.lineno)
            ) from error
        tree = _parse_json_as_python(quoted)
        if twice:
            raise ConfigError(
                f"duplicate key {self._variables.show(twice[0])!r}",
                Origin(self.name, _find_second_line(tree, twice[0])),
            )
        if isinstance(values, dict):
            if tree is not None:
                trace(tree, self.name, (), 1, self.lines)
            for key in values:
                self.lines.setdefault((key,), Origin(self.name))
        return values

    def _parse_toml(self, text: str) -> ConfigValue:
        # Imported late, as few configs are in TOML.
        from .toml_file import NULL, TOML_TEXT, parse_toml, trace_toml

        self.null = NULL
        quoted = _quote_variables(text, self._variables, TOML_TEXT, NULL.pattern)
        values = parse_toml(quoted, self.name)
        trace_toml(quoted, self.name, self.lines)
        return values

    def _parse_yaml(self, text: str) -> ConfigValue:
        import yaml

        from eng.fileio import YamlHandler

        text, variables = _hide_variables(text)
        loader = YamlHandler.loader()(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}
            check_no_cycle(node, self.name)
            if self._variables:
                fill_scalars(node, self._variables, loader, text)
            _restore_variables(node, variables)
            trace_lines(node, self.name, self.lines, self._variables)
            return loader.construct_document(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            # The end of a file counts as the line after the last one.
            line = min(mark.line + 1, len(text.splitlines())) if mark else None
            raise ConfigError(
                f"invalid YAML: {getattr(error, 'problem', error)}", Origin(self.name, line)
            ) from error
        except ValueError as error:  # a value that does not fit its tag
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"invalid YAML: {error}", Origin(self.name)) from error
        finally:
            loader.dispose()


class _Filling:
    """A pass over a file that substitutes its variables, and those of its bases.

    Args:
        file: The file.
        base: The merged bases.
        origins: Origins by path, which are added to.
    """

    def __init__(self, file: DataFile, base: Values, origins: Origins) -> None:
        self._file = file
        self._variables = file.variables
        self._base = base
        self._origins = origins
        self._repeats = Repeats()

    def fill(self, value: object, path: tuple[str, ...], new_path: tuple[str, ...]) -> ConfigValue:
        """Substitute all variables in a value and its keys.

        Args:
            value: The value.
            path: Keys that lead to the value in the file.
            new_path: These keys after substitution.
        """
        origin = self._file.lines.get(path)
        if origin is not None:
            self._origins[new_path] = origin
        origin = origin or Origin(self._file.name)
        if isinstance(value, str):
            return self._fill_scalar(value, new_path, origin)
        if not isinstance(value, (dict, list)):
            return value
        made = self._repeats.find(value)
        if made is not None:
            return made
        if isinstance(value, list):
            made = [
                self.fill(each, (*path, str(i)), (*new_path, str(i)))
                for i, each in enumerate(value)
            ]
            return self._repeats.add(value, made)
        filled: ConfigValues = {}
        for key, each in value.items():
            name = self._fill_key(key, origin)
            if name in filled:
                raise ConfigError(f"duplicate key {name!r}", origin)
            filled[name] = self.fill(each, (*path, str(key)), (*new_path, str(name)))
        return self._repeats.add(value, filled)

    def _fill_key(self, key: object, origin: Origin) -> ConfigValue:
        if not isinstance(key, str):
            return key
        if self._variables.is_marked(key):
            return self._variables.fill(self._variables.unmark(key))
        return self._fill_text(key, origin)

    def _fill_scalar(self, value: str, new_path: tuple[str, ...], origin: Origin) -> ConfigValue:
        if self._variables.is_marked(value):
            return self._variables.literal(self._variables.unmark(value), is_data=True)
        if self._file.null is not None and self._file.null.fullmatch(value.strip()):
            return None
        whole = BASE_VARIABLE.fullmatch(value.strip())
        if not whole:
            return self._fill_text(value, origin)
        key = self._variables.fill(whole[1])
        taken = tuple(key.split("."))
        for at, each in self._base.origins.items():
            if at[: len(taken)] == taken and at != taken:
                self._origins[new_path + at[len(taken) :]] = each
        return to_plain(base_value(self._base.values, key, origin))

    def _fill_text(self, text: str, origin: Origin) -> str:
        # In one pass over the text of the file: substituted values are not searched for variables.
        parts = BASE_VARIABLE.split(text)
        return "".join(
            str(base_value(self._base.values, self._variables.fill(part), origin))
            if index % 2
            else self._variables.fill(part)
            for index, part in enumerate(parts)
        )


def _quote_variables(
    text: str, variables: Variables, kept: re.Pattern[str], also: str = "(?!)"
) -> str:
    """Quote the variables of JSON and TOML that are outside of strings.

    Args:
        text: Text of the file.
        variables: Its variables.
        kept: Pattern of strings and comments, which stay as they are.
        also: Pattern of what else is quoted. Default: nothing.
    """
    quoted = f"{BASE_VARIABLE.pattern}|{also}"
    pattern = f"(?P<kept>{kept.pattern})|{quoted}|(?P<word>{variables.pattern})"

    def quote(match: re.Match[str]) -> str:
        if match["word"] is not None:
            return f'"{variables.mark(match[0])}"'
        return match[0] if match["kept"] is not None else f'"{match[0]}"'

    return re.sub(pattern, quote, text, flags=kept.flags)


def _hide_variables(text: str) -> tuple[str, dict[str, str]]:
    """Replace each base variable by a word, since braces have another meaning in YAML.

    Returns:
        The text, and the variable of each word.
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


def _restore_variables(root: Node, variables: Mapping[str, str]) -> None:
    waiting, seen = [root] if variables else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "scalar":
            for hidden, variable in variables.items():
                node.value = node.value.replace(hidden, variable)
        else:
            for each in node.value:
                waiting.extend(each if isinstance(each, tuple) else [each])


def _parse_json_as_python(text: str) -> ast.expr | None:
    """Parse JSON as a Python expression, to find the line of each value.

    The JSON parser of the standard library does not keep lines. They stay unknown if Python cannot
    parse the text, such as values nested in more than 200 levels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes of JSON that are unknown to Python
            # In brackets the indentation of the first line does not matter.
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

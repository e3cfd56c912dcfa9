"""Load lazy config files, whose imports of libraries are delayed."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import types
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from eng.utils import override

from .config_dict import ConfigDict, to_plain
from .errors import (
    ConfigParsingError,
    MissingLazyBaseError,
    MissingLazyPackageError,
)
from .inherited import Inherited
from .lazy import LazyObject, LazyValue, merge_imports
from .lazy_syntax import CONFIG_IMPORT, LAZY_IMPORT, READ_BASE, replace_imports
from .origins import Origin, Origins, Values, origin_of, trace
from .python_file import CONFIG_MODULE, PythonFile
from .repeats import Repeats
from .types import ConfigValue
from .variables import Variables

__all__ = ["Extras", "LazyBase", "LazyFile"]


class Extras(NamedTuple):
    """Names of a lazy config that are not values.

    Attributes:
        imported: Objects that are only imported, by name.
        helpers: Functions, classes and modules, which other configs may import from it.
    """

    imported: dict[str, LazyValue]
    helpers: dict[str, ConfigValue]


class LazyBase(NamedTuple):
    """A base of a lazy config: its values with their origins, and its other names."""

    values: Values
    extras: Extras


class _Name(NamedTuple):
    value: object
    origin: Origin


class LazyFile(PythonFile):
    """A lazy config file.

    Args:
        tree: The parsed file.
        variables: Content of the file, and its variables.
        name: Path of the file, for messages and tracebacks.
        read_base: Function that reads a base from a path; the origin is that of its import.

    Attributes:
        extras: Names that are not values, after the file is loaded.

    Raises:
        ConfigParsingError: An import is not allowed at its place.
    """

    def __init__(
        self,
        tree: ast.Module,
        variables: Variables,
        name: str,
        read_base: Callable[[Path, Origin], LazyBase],
    ) -> None:
        super().__init__(replace_imports(tree, name), variables, name)
        self.extras = Extras({}, {})
        self._read = read_base
        self._imported: dict[str, LazyValue] = {}
        self._helpers: dict[str, ConfigValue] = {}
        # Names of this package, such as read_base, with their values in the config.
        self._of_configs: dict[str, tuple[object, LazyValue]] = {}
        self._names: dict[str, _Name] = {}
        self._uses_base = True
        functions = {
            LAZY_IMPORT: self._import,
            CONFIG_IMPORT: self._import_of_configs,
            READ_BASE: self._import_base,
        }
        self._scope.update(functions)
        self._added.update(functions)

    @override
    def bases(self) -> ConfigValue:
        """Return no bases: they are read when the file imports them."""
        return []

    @override
    def load(self, base: Values) -> tuple[Values, Values]:
        """Run the file.

        Args:
            base: Not used.

        Returns:
            Values of the file with those of its bases, and no further values.
        """
        self._inherited = Inherited(base, Origin(self.name))
        self._run(self.tree.body)
        self._note_changes(Origin(self.name), {})
        names, _ = self._trace_statements()
        names -= self._imported.keys()
        found = {
            key: value
            for key, value in self._scope.items()
            if key not in self._added and not (key.startswith("__") and key.endswith("__"))
        }
        imported = {k: v for k, v in self._imported.items() if found.get(k) is v}
        for key, (value, stand_in) in self._of_configs.items():
            if found.get(key) is value:
                imported[key] = stand_in
        values: dict[str, ConfigValue] = {}
        for key, value in found.items():
            if key in imported:
                continue
            if self._is_helper(key, value, names):
                self.extras.helpers[key] = value
            else:
                values[key] = value
        self.extras.imported.update(imported)
        origins = self._find_origins({**values, **imported})
        return Values(to_plain(values), origins), Values({}, {})

    def _is_helper(self, key: str, value: object, names: set[str]) -> bool:
        if isinstance(value, types.ModuleType):
            return True
        if isinstance(value, types.FunctionType) and value.__module__ == CONFIG_MODULE:
            return True
        return self._helpers[key] is value if key in self._helpers else key in names

    def _find_origins(self, values: Mapping[str, ConfigValue]) -> Origins:
        origins: Origins = {}
        for key, value in values.items():
            known = self._names.get(key)
            origins[(key,)] = known.origin if known else Origin(self.name)
            self._inherited.add_origins(value, (key,), origins)
        return origins

    @override
    def _note(self, number: int) -> None:
        """Record the changes of a statement to names and values."""
        node = self._statements[number]
        origin = Origin(self.name, node.lineno)
        written: Origins = {}
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if not any(isinstance(each, (ast.Tuple, ast.List)) for each in targets):
                trace(node.value, self.name, (), node.lineno, written, self._unpacked)
            for each in targets:  # also if it is assigned the same value again
                if isinstance(each, ast.Name):
                    self._names.pop(each.id, None)
        lines = _find_key_lines(node) if isinstance(node, ast.Expr) else {}
        self._note_changes(origin, written, lines)

    def _note_changes(
        self, origin: Origin, written: Origins, lines: Mapping[object, int] | None = None
    ) -> None:
        for key, value in self._scope.items():
            known = self._names.get(key)
            if key in self._added or (known is not None and known.value is value):
                continue
            self._names[key] = _Name(value, origin)
            self._inherited.register(value, origin, (), written)
        self._inherited.note_changes(origin, written, lines)

    def _import(
        self,
        module: str,
        imported: str | None,
        name: str,
        line: int,
        is_top: bool,
        is_tried: bool,
        is_global: bool,
    ) -> LazyObject:
        """Return the placeholder of an import of a library."""
        if is_tried and importlib.util.find_spec(module.partition(".")[0]) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        location = f"{self.name}, line {line}"
        if is_top:
            found = LazyObject([module], None, location)
            found = merge_imports(self._scope.get(name), found) if is_global else found
        else:
            found = LazyObject(module, imported, location)
        if is_global:
            self._imported[name] = found
        return found

    def _import_of_configs(self, module: str, imported: str, name: str) -> ConfigValue:
        """Return a name of this package, also if it is imported from an alias."""
        # This is the import of the config file: it names the package, whose modules need this one.
        package = importlib.import_module("eng.config")
        try:
            found = getattr(package, imported)
        except AttributeError as error:
            raise ImportError(f"cannot import name {imported!r} from {module!r}") from error
        self._of_configs[name] = (found, LazyObject("eng.config", imported))
        return found

    def _import_base(
        self, module: str, level: int, names: list[tuple[str, str]], line: int
    ) -> None:
        """Import names of a base."""
        origin = Origin(self.name, line)
        base = self._read(_find_base(module, level, Path(self.name), origin), origin)
        repeats = Repeats()
        known = {**base.extras.helpers, **base.extras.imported, **base.values.values}
        for name, bound in names:
            if name == "*":
                for each in known:
                    self._import_name(each, each, base, known, repeats)
            elif name in known:
                self._import_name(name, bound, base, known, repeats)
            else:
                close = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ConfigParsingError(f"the base {module!r} has no name {name!r}{hint}", origin)

    def _import_name(
        self,
        name: str,
        bound: str,
        base: LazyBase,
        known: Mapping[str, ConfigValue],
        repeats: Repeats,
    ) -> None:
        value = known[name]
        for names in (self._imported, self._helpers, self._of_configs):
            names.pop(bound, None)
        if name in base.values.values:
            value = ConfigDict._hook(value, repeats)
        elif name in base.extras.imported:
            self._imported[bound] = value
        else:
            self._helpers[bound] = value
        at = origin_of(base.values.origins, (name,), Origin(None))
        self._scope[bound] = value
        self._names[bound] = _Name(value, at)
        self._inherited.register(value, at, (name,), base.values.origins)


def _find_key_lines(node: ast.Expr) -> dict[object, int]:
    """Return the lines of the keys that occur once in an expression, such as ``x.update(a=1)``."""
    found: list[tuple[object, int]] = []
    for each in ast.walk(node):
        if isinstance(each, ast.keyword) and each.arg is not None:
            found.append((each.arg, each.lineno))
        elif isinstance(each, ast.Dict):
            found += [(k.value, k.lineno) for k in each.keys if isinstance(k, ast.Constant)]
    counts = Counter(key for key, _ in found)
    return {key: line for key, line in found if counts[key] == 1}


def _find_base(module: str, level: int, path: Path, origin: Origin) -> Path:
    """Return the path of a base: relative to the config, or in an installed package."""
    package, *parts = module.split(".")
    if level:
        folder = path.parent
        for _ in range(level - 1):
            folder = folder.parent
        folders = [folder / package if parts else folder]
        parts = parts or [package]
    else:
        if not parts:
            raise ConfigParsingError(
                f"the base {module!r} is a package: import a config in it, as package.config; "
                "a config in the directory of this file is imported as .config",
                origin,
            )
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise MissingLazyPackageError(
                f"the base {module!r} requires the package {package}, which is not installed",
                origin,
            )
        folders = [Path(each) for each in spec.submodule_search_locations or ()]
    places = [folder.joinpath(*parts[:-1], f"{parts[-1]}.py") for folder in folders]
    for place in places:
        if place.is_file():
            return place
    raise MissingLazyBaseError(
        f"the base {'.' * level}{module} does not exist (searched for "
        f"{', '.join(map(str, places)) or f'a directory of {package}'})",
        origin,
    )

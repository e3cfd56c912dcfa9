"""Read config files with their bases."""

from __future__ import annotations

import ast
import copy
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .config_dict import drop_markers, is_plain
from .data_file import DataFile
from .errors import (
    ConfigError,
    DeprecatedConfigWarning,
    FormatError,
    LazyUseError,
    MissingBaseError,
    MissingPackageError,
)
from .keys import BASE, DELETE, DEPRECATION, FORMATS, RESERVED, SCOPE
from .lazy import refuse_use
from .lazy_file import Extras, LazyBase, LazyFile
from .merge import merge
from .origins import Origin, Origins, Values
from .package_path import resolve_package_path
from .python_file import PythonFile, assigns_base, parse
from .python_kind import Kind, find_kind
from .repeats import Repeats
from .types import ConfigValue
from .variables import Variables

__all__ = ["Loaded", "Reader", "refuse_depth"]


class Loaded(NamedTuple):
    """A config file read with its bases.

    Attributes:
        values: Merged values.
        text: Text of all files.
        origins: Origins of the values, by path.
        extras: Names of a lazy config that are not values.
        environment: Environment variables that were substituted, with their values.
    """

    values: dict[str, ConfigValue]
    text: str
    origins: Origins
    extras: Extras
    environment: dict[str, str]


class Reader(NamedTuple):
    """Settings for reading a config.

    Attributes:
        use_variables: Whether to substitute variables of the path.
        use_environment: Whether to substitute environment variables.
        allow_code: Whether bases may be Python.
        lazy_import: Whether the config is lazy. None detects it from its statements.
        above: Real paths of the files that have this one as a base.
    """

    use_variables: bool = True
    use_environment: bool = True
    allow_code: bool = True
    lazy_import: bool | None = None
    above: tuple[str, ...] = ()

    def read(self, path: Path) -> Loaded:
        """Read a config file with its bases.

        Args:
            path: Path of the file.

        Raises:
            FileNotFoundError: The file does not exist.
            ConfigError: The file or one of its bases is invalid.
        """
        if not path.is_file():
            raise FileNotFoundError(f'file "{path}" does not exist')
        real = os.path.realpath(path)
        if real in self.above:
            chain = " -> ".join([*self.above[self.above.index(real) :], real])
            raise ConfigError(f"circular bases: {chain}", Origin(str(path)))
        try:
            source = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"the file is not encoded in UTF-8: {error}", Origin(str(path))
            ) from None
        return self._replace(above=(*self.above, real)).read_text(source, path)

    def read_text(self, source: str, path: Path) -> Loaded:
        """Read a config from the content of a file, which need not exist.

        Args:
            source: Content of the file.
            path: Path of the file, for messages and variables; bases are relative to it. Its
                suffix is the format.

        Raises:
            ConfigError: The text or one of its bases is invalid.
        """
        source = source.removeprefix("\ufeff")  # a byte order mark
        if path.suffix not in FORMATS:
            raise FormatError(
                f"unknown config format {path.suffix!r}: use py, yaml, yml, json or toml",
                Origin(str(path)),
            )
        variables = Variables(source, path, self.use_variables, self.use_environment)
        if path.suffix != ".py":
            document = DataFile(variables, str(path), path.suffix)
            return self._load(document, source, path, variables)
        return self._read_python(source, path, variables)

    def _read_python(self, source: str, path: Path, variables: Variables) -> Loaded:
        name = str(path)
        tree = parse(variables, name)
        kind = find_kind(tree, name) if self.lazy_import is None else Kind.TEXT
        if self.lazy_import:
            kind = Kind.TEXT if any(map(assigns_base, tree.body)) else Kind.LAZY
        if kind is Kind.TEXT:
            return self._load(PythonFile(tree, variables, name), source, path, variables)
        if kind is Kind.LAZY:
            return self._load_lazy(tree, source, path, variables)
        try:
            with refuse_use():
                return self._load_lazy(tree, source, path, variables)
        except Exception as error:
            # The file uses its imports, as configs did before lazy ones existed.
            tree = parse(variables, name)
            try:
                return self._load(PythonFile(tree, variables, name), source, path, variables)
            except Exception as second:
                if isinstance(error, LazyUseError):
                    raise type(error)(
                        f"{error}; with its imports it failed too: {type(second).__name__}: "
                        f"{second}"
                    ) from second
                raise

    def _load_lazy(self, tree: ast.Module, source: str, path: Path, variables: Variables) -> Loaded:
        texts: list[Loaded] = []
        as_base = self._replace(lazy_import=True)

        def read_base(base: Path, origin: Origin) -> LazyBase:
            with refuse_use(False):
                loaded = as_base.read(base)
            texts.append(loaded)
            return LazyBase(Values(loaded.values, loaded.origins), loaded.extras)

        document = LazyFile(tree, variables, str(path), read_base)
        loaded = self._load(document, source, path, variables)
        environment = {k: v for base in texts for k, v in base.environment.items()}
        return loaded._replace(
            # Its text is unchanged, without the name of the file in front.
            text=source,
            extras=document.extras,
            environment={**environment, **loaded.environment},
        )

    def _load(
        self, document: PythonFile | DataFile, source: str, path: Path, variables: Variables
    ) -> Loaded:
        name = str(path)
        entries = _list_bases(document)
        reader = self._replace(lazy_import=None if self.lazy_import else self.lazy_import)
        base, origins, loaded = _read_bases(entries, document, path, reader)
        (values, own_origins), (base, origins) = document.load(Values(base, origins))
        values.pop(BASE, None)
        deprecation = values.pop(DEPRECATION, None)
        if deprecation is not None:
            _warn(name, deprecation)
        for key in RESERVED:
            if key in values:
                raise ConfigError(
                    f"the key {key!r} is reserved: it is an attribute of Config",
                    own_origins.get((key,), Origin(name)),
                )
        text = "\n".join([*(each.text for each in loaded), f"{name}\n{source}"])
        environment = {k: v for each in loaded for k, v in each.environment.items()}
        environment.update(variables.environment)
        replaces = values.pop(DELETE, False)
        if entries and not replaces:
            values = merge(values, base, own_origins, origins, Origin(name))
            return Loaded(values, text, origins, Extras({}, {}), environment)
        return Loaded(drop_markers(values), text, own_origins, Extras({}, {}), environment)


@contextmanager
def refuse_depth(path: Path) -> Iterator[None]:
    """Report values of YAML, JSON and TOML that are nested too deeply as an error of the file.

    Raises:
        ConfigError: Values are nested too deeply.
    """
    try:
        yield
    except RecursionError:
        if path.suffix == ".py":  # an error of the code of the config
            raise
        raise ConfigError("values are nested too deeply", Origin(str(path))) from None


def _read_bases(
    entries: list[str], document: PythonFile | DataFile, path: Path, reader: Reader
) -> tuple[dict[str, ConfigValue], Origins, list[Loaded]]:
    here = Origin(str(path), document.base_line)
    base: dict[str, ConfigValue] = {}
    origins: Origins = {}
    found = []
    for entry in entries:
        if not reader.allow_code and "." in entry.partition("::")[0] and "::" in entry:
            raise ConfigError(
                f"the base {entry!r} imports its parent packages, which is not allowed",
                here,
            )
        base_path, scope = _locate(entry, path, here)
        if not reader.allow_code and base_path.suffix == ".py":
            raise ConfigError(f"the base {entry!r} is code, which is not allowed", here)
        loaded = reader.read(base_path)
        found.append(loaded)
        for key in (key for key in base if key in loaded.values):  # the first, not any
            raise ConfigError(
                f"duplicate key {key!r} in two bases: {origins.get((key,))} and "
                f"{loaded.origins.get((key,))}",
                here,
            )
        base.update(_add_scopes(loaded.values, scope) if scope else loaded.values)
        origins.update(loaded.origins)
    return base, origins, found


def _locate(entry: str, path: Path, here: Origin) -> tuple[Path, str | None]:
    """Return the path of a base, and the scope of its package."""
    package, colons, _ = entry.partition("::")
    if colons:
        try:
            return resolve_package_path(entry), package
        except (ValueError, ModuleNotFoundError, FileNotFoundError) as error:
            kinds = {ModuleNotFoundError: MissingPackageError, FileNotFoundError: MissingBaseError}
            kind = kinds.get(type(error), ConfigError)
            raise kind(f"the base {entry!r} cannot be read: {error}", here) from None
    found = path.parent / entry
    if not found.is_file():
        raise MissingBaseError(f"the base {entry!r} does not exist: {found}", here)
    return found, None


def _add_scopes(values: dict[str, ConfigValue], scope: str) -> dict[str, ConfigValue]:
    """Set the scope of the outermost dictionaries with a type, in which their contents are built.

    Inner ones, such as the config of a norm layer, are often passed to code that takes all of
    their keys as arguments.
    """
    repeats = Repeats()
    return {key: _add_scope(value, scope, repeats) for key, value in values.items()}


def _add_scope(value: ConfigValue, scope: str, repeats: Repeats) -> ConfigValue:
    if not isinstance(value, dict) and type(value) not in (list, tuple):
        return value
    made = repeats.find(value)
    if made is not None:
        return made
    if isinstance(value, dict) and "type" in value:
        marked = copy.copy(value)
        marked[SCOPE] = scope if value.get(SCOPE) is None else value[SCOPE]
        return repeats.add(value, marked)
    if isinstance(value, dict):
        if not is_plain(value):
            return value
        inner = {key: _add_scope(each, scope, repeats) for key, each in value.items()}
        return repeats.add(value, inner)
    return repeats.add(value, type(value)([_add_scope(item, scope, repeats) for item in value]))


def _list_bases(document: PythonFile | DataFile) -> list[str]:
    value = document.bases()
    bases = [value] if isinstance(value, str) else value
    if not isinstance(bases, (list, tuple)) or not all(isinstance(each, str) for each in bases):
        raise ConfigError(
            f"_base_ must be a string or a list of strings, but got {value!r}",
            Origin(document.name, document.base_line),
        )
    return list(bases)


def _warn(name: str, deprecation: Mapping[str, ConfigValue]) -> None:
    text = f"The config file {name} will be deprecated in the future."
    if "expected" in deprecation:
        text += f" Please use {deprecation['expected']} instead."
    if "reference" in deprecation:
        text += f" More information can be found at {deprecation['reference']}."
    warnings.warn(text, DeprecatedConfigWarning, stacklevel=5)

"""Reading config files with the files that they build on."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from .config_dict import is_plain
from .data_file import DataFile
from .errors import ConfigError, MissingBaseError, MissingPackageError
from .keys import BASE, DELETE, DEPRECATION, FORMATS, RESERVED, SCOPE
from .merge import merge, new_value
from .origins import Origin, Origins, Values
from .package_path import resolve_package_path
from .python_file import PythonFile
from .repeats import Repeats
from .variables import Variables

__all__ = ["read", "read_text", "refuse_depth"]


def read(
    path: Path,
    use_variables: bool = True,
    above: tuple[str, ...] = (),
    allow_code: bool = True,
) -> tuple[dict[str, Any], str, Origins]:
    """Read a config file with its bases.

    Args:
        path: The file.
        use_variables: Whether variables of the path and the environment are filled in.
        above: The real paths of the files that have this one as a base.
        allow_code: Whether a base may be Python.

    Returns:
        The merged config, the text of all its files, and the origin of each value by path.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigError: The file or one of its bases is wrong.
    """
    if not path.is_file():
        raise FileNotFoundError(f'file "{path}" does not exist')
    real = os.path.realpath(path)
    if real in above:
        chain = " -> ".join([*above[above.index(real) :], real])
        raise ConfigError(f"the base files form a cycle: {chain}", Origin(str(path)))
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not encoded in UTF-8: {error}", Origin(str(path))) from None
    return read_text(source, path, use_variables, (*above, real), allow_code)


def read_text(
    source: str,
    path: Path,
    use_variables: bool = True,
    above: tuple[str, ...] = (),
    allow_code: bool = True,
) -> tuple[dict[str, Any], str, Origins]:
    """Read a config from the content of a file, which need not be there.

    Args:
        source: The content.
        path: Path that stands for the file in messages and variables, and that bases are relative
            to. Its suffix is the format.
        use_variables: See :func:`read`.
        above: See :func:`read`; including the file itself.
        allow_code: See :func:`read`.

    Returns:
        See :func:`read`.

    Raises:
        ConfigError: The text or one of its bases is wrong.
    """
    name = str(path)
    source = source.removeprefix("\ufeff")  # a byte order mark
    if path.suffix not in FORMATS:
        raise ConfigError(
            f"no config format {path.suffix!r}: use py, yaml, yml or json", Origin(name)
        )
    variables = Variables(source, path, use_variables)
    document: PythonFile | DataFile = (
        PythonFile(variables, name)
        if path.suffix == ".py"
        else DataFile(variables, name, is_json=path.suffix == ".json")
    )
    entries = _list_bases(document)
    base, origins, texts = _read_bases(
        entries,
        document,
        path,
        partial(read, use_variables=use_variables, above=above, allow_code=allow_code),
        allow_code,
    )
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
    text = "\n".join([*texts, f"{name}\n{source}"])
    if entries and not values.pop(DELETE, False):
        return merge(values, base, own_origins, origins, Origin(name)), text, origins
    return new_value(values), text, own_origins


@contextmanager
def refuse_depth(path: Path) -> Iterator[None]:
    """Report values of YAML and JSON that are nested too deeply as a fault of the file.

    Raises:
        ConfigError: They are.
    """
    try:
        yield
    except RecursionError:
        if path.suffix == ".py":  # the code of a config may recurse, too
            raise
        raise ConfigError("values are nested too deeply", Origin(str(path))) from None


def _read_bases(
    entries: list[str],
    document: PythonFile | DataFile,
    path: Path,
    read_base: Callable[[Path], tuple[dict[str, Any], str, Origins]],
    allow_code: bool,
) -> tuple[dict[str, Any], Origins, list[str]]:
    here = Origin(str(path), document.base_line)
    base: dict[str, Any] = {}
    origins: Origins = {}
    texts = []
    for entry in entries:
        if not allow_code and "." in entry.partition("::")[0] and "::" in entry:
            raise ConfigError(
                f"the base {entry!r} imports the packages around its own, and no code is allowed",
                here,
            )
        base_path, scope = _locate(entry, path, here)
        if not allow_code and base_path.suffix == ".py":
            raise ConfigError(f"the base {entry!r} is code, and no code is allowed", here)
        values, text, base_origins = read_base(base_path)
        texts.append(text)
        for key in base.keys() & values.keys():
            raise ConfigError(
                f"the key {key!r} is in two bases: {origins.get((key,))} and "
                f"{base_origins.get((key,))}",
                here,
            )
        base.update(_add_scopes(values, scope) if scope else values)
        origins.update(base_origins)
    return base, origins, texts


def _locate(entry: str, path: Path, here: Origin) -> tuple[Path, str | None]:
    """Return the file that a base names, and the scope of its package."""
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
        raise MissingBaseError(f"the base {entry!r} does not exist (looked for {found})", here)
    return found, None


def _add_scopes(values: dict[str, Any], scope: str) -> dict[str, Any]:
    """Mark the outermost dictionaries that have a type: what is in them is built in their scope.

    Inner ones, such as the config of a norm layer, are often passed on whole to code that takes
    their keys as arguments.
    """
    repeats = Repeats()
    return {key: _add_scope(value, scope, repeats) for key, value in values.items()}


def _add_scope(value: Any, scope: str, repeats: Repeats) -> Any:
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
            f"_base_ must be a string or a list of strings, but it is {value!r}",
            Origin(document.name, document.base_line),
        )
    return list(bases)


def _warn(name: str, deprecation: Mapping[str, Any]) -> None:
    text = f"The config file {name} will be deprecated in the future."
    if "expected" in deprecation:
        text += f" Please use {deprecation['expected']} instead."
    if "reference" in deprecation:
        text += f" More information can be found at {deprecation['reference']}."
    warnings.warn(text, FutureWarning, stacklevel=5)

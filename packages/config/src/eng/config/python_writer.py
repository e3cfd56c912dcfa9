"""Write configs as Python."""

from __future__ import annotations

import datetime
import importlib
import keyword
import math
import sys
import unicodedata
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType

from .lazy import LazyValue, dotted_path, root_module
from .scalars import to_scalar
from .secret_values import has_secret, hide_secrets
from .types import ConfigValue, KeyPath
from .variables import FILLED_IN, is_filled_in

__all__ = ["PythonWriter", "Refusal", "is_name"]

# Handles a value that cannot be written: called with the keys that lead to it, the reason and the
# value, it raises an error, or returns the text to write instead.
Refusal = Callable[[tuple[object, ...], str, ConfigValue], str]

_WIDTH = 100
_PAIRS = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("frozenset({", "})")}
# Names that the text uses: a key of that name would shadow them.
_USED = ("dict", "float", "complex", "set", "frozenset", "range")


class PythonWriter:
    """Writes a config as Python that loads as an equal config.

    Classes, functions, paths, dates and enum members are written as expressions, with their
    imports at the top.

    Args:
        cfg: The config.
        refuse: Handler of values that cannot be written.
    """

    def __init__(self, cfg: Mapping[str, ConfigValue], refuse: Refusal) -> None:
        self._cfg = cfg
        self._refuse = refuse
        self._imports: dict[str, str] = {}

    def text(self) -> str:
        """Return the config as Python code."""
        lines = []
        for key, value in self._cfg.items():
            if not is_name(key) or key.startswith("__") or key in _USED:
                self._refuse((key,), "the key cannot be a name in a Python config", value)
            lines.append(f"{key} = {self._write_value(value, (key,), 0, len(key) + 3)}\n")
        imports = [
            f"import {module}\n" if module == alias else f"import {module} as {alias}\n"
            for module, alias in sorted(self._imports.items())
        ]
        return "".join([*imports, "\n", *lines] if imports else lines)

    def _write_value(self, value: object, path: KeyPath, indent: int, used: int) -> str:
        if not (isinstance(value, (dict, list, tuple, set, frozenset)) and value):
            return self._write_atom(value, path)
        start, items, end = self._write_items(value, path, indent + 4)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        flat = f"{start}{', '.join(items)}{comma}{end}"
        if indent + used + len(flat) <= _WIDTH and "\n" not in flat:
            return flat
        pad = " " * (indent + 4)
        return f"{start}\n{''.join(f'{pad}{item},{chr(10)}' for item in items)}{' ' * indent}{end}"

    def _write_items(
        self, value: ConfigValue, path: KeyPath, indent: int
    ) -> tuple[str, list[str], str]:
        if isinstance(value, dict):
            if all(is_name(key) for key in value):
                pairs = [
                    f"{key}={self._write_value(each, (*path, key), indent, len(key) + 2)}"
                    for key, each in value.items()
                ]
                return "dict(", pairs, ")"
            pairs = []
            for key, each in value.items():
                name = self._write_value(key, (*path, key), indent, 2)
                text = self._write_value(each, (*path, key), indent, len(name) + 3)
                pairs.append(f"{name}: {text}")
            return "{", pairs, "}"
        kind = next(kind for kind in _PAIRS if isinstance(value, kind))
        items = [self._write_value(each, (*path, i), indent, 1) for i, each in enumerate(value)]
        start, end = _PAIRS[kind]
        # The order of a set differs between processes.
        return start, sorted(items) if kind in (set, frozenset) else items, end

    def _write_atom(self, value: object, path: KeyPath) -> str:
        if isinstance(value, LazyValue):
            return self._write_lazy(value, path)
        if isinstance(value, dict):
            return "dict()"
        if isinstance(value, (list, tuple, set, frozenset)):
            return repr(next(kind() for kind in _PAIRS if isinstance(value, kind)))
        if isinstance(value, Enum) and value.name in type(value).__members__:
            return f"{self._write_reference(type(value), path)}.{value.name}"
        if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
            return self._write_reference(value, path)
        if isinstance(value, PurePath):
            kind = Path if isinstance(value, Path) else type(value)
            return f"{self._write_module('pathlib')}.{kind.__name__}({hide_secrets(str(value))!r})"
        if type(value) in (
            datetime.date,
            datetime.time,
            datetime.datetime,
            datetime.timedelta,
        ) and (type(getattr(value, "tzinfo", None)) in (type(None), datetime.timezone)):
            return repr(value).replace("datetime.", f"{self._write_module('datetime')}.")
        if isinstance(value, (bytes, range)):
            return repr(hide_secrets(bytes(value)) if isinstance(value, bytes) else value)
        if isinstance(value, complex):
            return f"complex({_write_float(value.real)}, {_write_float(value.imag)})"
        found, plain = to_scalar(value)
        if not found:
            return self._refuse(path, f"unsupported type {type(value).__name__}", value)
        if isinstance(plain, str) and is_filled_in(plain):
            self._refuse(path, FILLED_IN, plain)
        return _write_float(plain) if isinstance(plain, float) else repr(hide_secrets(plain))

    def _write_lazy(self, value: LazyValue, path: KeyPath) -> str:
        """Return the dotted path: as a string under ``type``, otherwise as an expression."""
        name = dotted_path(value)
        if path[-1] == "type":
            return repr(name)
        module = root_module(value)
        return f"{self._write_module(module)}{name[len(module) :]}"

    def _write_reference(self, value: object, path: KeyPath) -> str:
        """Return the expression of an importable object."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if module and name and _import_object(module, name) is value:
            if not _is_attribute(module):
                importlib_ = self._write_module("importlib")
                return f"{importlib_}.import_module({module!r}).{name}"
            return f"{self._write_module(module)}.{name}"
        return self._refuse(path, "it cannot be imported by its name", value)

    def _write_module(self, name: str) -> str:
        if name not in self._imports:
            alias = name
            while alias.partition(".")[0] in (*self._cfg, *_USED, *self._imports.values()):
                alias = f"{alias.replace('.', '_')}_"
            self._imports[name] = alias
        return self._imports[name]


def is_name(key: object) -> bool:
    """Return whether a key can be written as a name in Python."""
    if not (isinstance(key, str) and key.isidentifier()) or keyword.iskeyword(key):
        return False
    if has_secret(key):
        return False
    # Python normalizes names to this form, and would load a different key.
    return key.isascii() or unicodedata.normalize("NFKC", key) == key


def _write_float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float('{value}')"


def _is_attribute(module: str) -> bool:
    """Return whether the dotted name is the imported module, and not a function of that name."""
    top, *parts = module.split(".")
    found: object = sys.modules.get(top)
    for part in parts:
        found = getattr(found, part, None)
    return found is sys.modules.get(module)


def _import_object(module: str, name: str) -> ConfigValue:
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found

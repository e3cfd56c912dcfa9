"""Configs as text."""

from __future__ import annotations

import json
import keyword
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType
from typing import Any

from eng.config.errors import ConfigError

_WIDTH = 100


def dump_text(cfg: Mapping[str, Any], file_format: str) -> str:
    """Return a config as text.

    Raises:
        ConfigError: A value cannot be written so that it loads again; the message names its key.
    """
    if file_format == "py":
        lines = []
        for key, value in cfg.items():
            if not key.isidentifier() or keyword.iskeyword(key):
                raise ConfigError(
                    f"the key {key!r} is no python name: dump the config as yaml or json"
                )
            lines.append(f"{key} = {_python(value, key, 0, len(key) + 3)}\n")
        return "".join(lines)
    plain = {key: _plain(value, str(key)) for key, value in cfg.items()}
    if file_format == "json":
        return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
    if file_format in ("yaml", "yml"):
        import yaml

        return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    raise ConfigError(f"no config format {file_format!r}: use py, yaml, yml or json")


def _python(value: Any, key: str, indent: int, used: int) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset)) and value:
        start, items, end = _items(value, key, indent + 4)
        flat = f"{start}{', '.join(items)}{',' if end == ')' and _is_single(value) else ''}{end}"
        if indent + used + len(flat) <= _WIDTH and "\n" not in flat:
            return flat
        pad = " " * (indent + 4)
        return f"{start}\n{''.join(f'{pad}{item},{chr(10)}' for item in items)}{' ' * indent}{end}"
    return _atom(value, key)


def _is_single(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 1


def _items(value: Any, key: str, indent: int) -> tuple[str, list[str], str]:
    if isinstance(value, dict):
        if all(isinstance(k, str) and k.isidentifier() and not keyword.iskeyword(k) for k in value):
            pairs = [
                f"{k}={_python(v, f'{key}.{k}', indent, len(k) + 2)}" for k, v in value.items()
            ]
            return "dict(", pairs, ")"
        pairs = []
        for k, v in value.items():
            name = _atom(k, key) if not isinstance(k, tuple) else _python(k, key, indent, 2)
            pairs.append(f"{name}: {_python(v, f'{key}.{k}', indent, len(name) + 3)}")
        return "{", pairs, "}"
    if isinstance(value, (set, frozenset)):
        items = sorted(_python(v, key, indent, 1) for v in value)
        return ("{", items, "}") if isinstance(value, set) else ("frozenset({", items, "})")
    items = [_python(v, f"{key}.{i}", indent, 1) for i, v in enumerate(value)]
    return ("[", items, "]") if isinstance(value, list) else ("(", items, ")")


def _atom(value: Any, key: str) -> str:
    if isinstance(value, dict):
        return "dict()"
    if isinstance(value, Enum):
        return _atom(value.value, key)
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{float(value)}')"
    if value is None or isinstance(value, (bool, int, float, complex, bytes, str)):
        return repr(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return repr(value)
    return repr(_plain(value, key))


def _plain(value: Any, key: str) -> Any:
    """Return a value in the types that every format has."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        for k in value:
            if not isinstance(k, str):
                raise ConfigError(f"the key {k!r} in {key} is no string: dump the config as py")
        return {k: _plain(v, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{key}.{index}") for index, item in enumerate(value)]
    if isinstance(value, (bool, int, float, str)):
        return next(kind(value) for kind in (bool, int, float, str) if isinstance(value, kind))
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
        name = f"{value.__module__}.{value.__qualname__}"
        if "<" not in name and value.__module__ != "__main__":
            # A registry takes the full path for the object, so that it builds the same.
            return name
    elif callable(getattr(value, "item", None)) and getattr(value, "shape", None) == ():
        return _plain(value.item(), key)  # a scalar of numpy
    raise ConfigError(f"{key} is of type {type(value).__name__}, which cannot be dumped: {value!r}")

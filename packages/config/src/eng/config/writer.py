"""Write configs as text."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

from .config_dict import to_text
from .errors import ConfigError, FormatError
from .lazy import LazyValue, dotted_path
from .origins import Origin
from .python_writer import PythonWriter, Refusal
from .repeats import count_entries
from .scalars import to_scalar
from .secret_values import hide_secrets
from .types import ConfigValue, KeyPath
from .variables import FILLED_IN, is_filled_in

__all__ = ["display_text", "dump_text"]

#: Maximum number of entries in a dump, with the aliases of YAML expanded.
_MOST = 10_000_000
_UNICODE_BREAKS = "\x85\u2028\u2029\ufeff"


def dump_text(
    cfg: Mapping[str, ConfigValue],
    file_format: str,
    origin: Callable[[tuple[object, ...]], Origin | None],
) -> str:
    """Return a config as text that loads as an equal config.

    Tuples, ranges and sets become lists in JSON and YAML.

    Args:
        cfg: The config.
        file_format: ``py``, ``yaml``, ``yml`` or ``json``.
        origin: Function that returns the origin of the value at a path, for messages.

    Raises:
        ConfigError: The format is unknown, or does not support a value; the message has its key.
    """

    def refuse(path: KeyPath, reason: str, value: object) -> NoReturn:
        raise ConfigError(
            f"{'.'.join(map(str, path))} cannot be dumped as {file_format}: {reason}: {value!r}",
            origin(path),
        )

    _check_size(cfg)
    if file_format == "py":
        return PythonWriter(cfg, refuse).text()
    if file_format == "json":
        plain = _simplify(dict(cfg), (), (), refuse)
        return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
    if file_format in ("yaml", "yml"):
        import yaml

        from eng.fileio import YamlHandler

        plain = _simplify(dict(cfg), (), (datetime.date, datetime.datetime), refuse)
        write = partial(yaml.dump, plain, Dumper=YamlHandler.dumper(), sort_keys=False)
        text = str(write(allow_unicode=True))
        if any(letter in text for letter in _UNICODE_BREAKS):
            # The dumper does not escape these, and the loader folds them into spaces.
            text = str(write(allow_unicode=False))
        return text
    raise FormatError(f"unknown config format {file_format!r}: use py, yaml, yml or json")


def display_text(cfg: Mapping[str, ConfigValue]) -> str:
    """Return a config as Python for display, with the ``repr`` of values that cannot be dumped."""
    _check_size(cfg)
    return PythonWriter(cfg, lambda path, reason, value: repr(hide_secrets(value))).text()


def _check_size(cfg: Mapping[str, ConfigValue]) -> None:
    count = count_entries(dict(cfg))
    if count > _MOST:
        raise ConfigError(
            f"the config is too large to be written: with its aliases expanded it has {count} "
            f"values, more than the limit of {_MOST}"
        )


def _simplify(value: object, path: KeyPath, more: tuple[type, ...], refuse: Refusal) -> ConfigValue:
    """Convert a value to scalars, lists, dictionaries and the further types of a data format."""
    if isinstance(value, dict):
        for key in value:
            # JSON converts keys to strings; YAML, which has more types, does not.
            if not isinstance(key, (str, LazyValue)) and not (more and to_scalar(key)[0]):
                refuse((*path, key), "the key must be a string; dump the config as py", key)
            if isinstance(key, str) and is_filled_in(key):
                refuse((*path, key), FILLED_IN, key)
        return {
            hide_secrets(to_scalar(to_text(k))[1]): _simplify(v, (*path, k), more, refuse)
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple, range, set, frozenset)):
        if isinstance(value, (set, frozenset)):
            value = _sort(value)
        return [_simplify(each, (*path, i), more, refuse) for i, each in enumerate(value)]
    if type(value) in more:
        return value
    if isinstance(value, LazyValue):
        return dotted_path(value)
    found, plain = to_scalar(value)
    if not found:
        kind = type(value).__name__
        refuse(path, f"the format does not support {kind}; dump the config as py", value)
    if isinstance(plain, str) and is_filled_in(plain):
        refuse(path, FILLED_IN, plain)
    return hide_secrets(plain)


def _sort(values: set[ConfigValue] | frozenset[ConfigValue]) -> list[ConfigValue]:
    """Convert a set to a list in an order that is the same in each process."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)

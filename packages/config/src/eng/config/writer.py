"""Write configs as text."""

from __future__ import annotations

import datetime
import html
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, NoReturn

from .config_dict import to_text
from .errors import ConfigError, FormatError
from .lazy import LazyValue, dotted_path
from .origins import Origin
from .python_writer import PythonWriter, Refusal
from .repeats import count_entries
from .scalars import to_scalar
from .secret_values import hide_secrets
from .toml_file import NULL
from .types import ConfigValue, KeyPath
from .variables import FILLED_IN, is_filled_in

__all__ = ["display_html", "display_text", "dump_text"]

#: Maximum number of entries in a dump, with the aliases of YAML expanded.
_MOST = 10_000_000
_NULL = "{{ null }}"
_UNICODE_BREAKS = "\x85\u2028\u2029\ufeff"


class _Format(NamedTuple):
    """Features of a data format beside scalars, lists and dictionaries.

    Attributes:
        types: Further types of values.
        has_null: Whether it has null.
        has_keys: Whether keys may be other scalars than strings.
    """

    types: tuple[type, ...] = ()
    has_null: bool = True
    has_keys: bool = False


_JSON = _Format()
_YAML = _Format((datetime.date, datetime.datetime), has_keys=True)
_TOML = _Format((datetime.date, datetime.datetime, datetime.time), has_null=False)


def dump_text(
    cfg: Mapping[str, ConfigValue],
    file_format: str,
    origin: Callable[[tuple[object, ...]], Origin | None],
) -> str:
    """Return a config as text that loads as an equal config.

    Tuples, ranges and sets become lists in JSON, YAML and TOML.

    Args:
        cfg: The config.
        file_format: ``py``, ``yaml``, ``yml``, ``json`` or ``toml``.
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
        plain = _simplify(dict(cfg), (), _JSON, refuse)
        return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
    if file_format in ("yaml", "yml"):
        import yaml

        from eng.fileio import YamlHandler

        plain = _simplify(dict(cfg), (), _YAML, refuse)
        write = partial(yaml.dump, plain, Dumper=YamlHandler.dumper(), sort_keys=False)
        text = str(write(allow_unicode=True))
        if any(letter in text for letter in _UNICODE_BREAKS):
            # The dumper does not escape these, and the loader folds them into spaces.
            text = str(write(allow_unicode=False))
        return text
    if file_format == "toml":
        import tomli_w

        return tomli_w.dumps(_simplify(dict(cfg), (), _TOML, refuse))
    raise FormatError(f"unknown config format {file_format!r}: use py, yaml, yml, json or toml")


def display_text(cfg: Mapping[str, ConfigValue]) -> str:
    """Return a config as Python for display, with the ``repr`` of values that cannot be dumped."""
    _check_size(cfg)
    return PythonWriter(cfg, lambda path, reason, value: repr(hide_secrets(value))).text()


def display_html(cfg: Mapping[str, ConfigValue], name: str | None) -> str:
    """Return a config in HTML, in which each dictionary or list folds.

    Args:
        cfg: The config.
        name: Name of its file.
    """
    parts = []
    for key, value in cfg.items():
        text = html.escape(display_text({key: value}).strip())
        if isinstance(value, (dict, list, tuple)) and value:
            kind = value.get("type") if isinstance(value, dict) else None
            about = html.escape(hide_secrets(str(kind)) if kind is not None else f"{len(value)}")
            title = f"<b>{html.escape(hide_secrets(str(key)))}</b> ({about})"
            parts.append(f"<details><summary>{title}</summary><pre>{text}</pre></details>")
        else:
            parts.append(f"<pre>{text}</pre>")
    title = f"<p>Config <code>{html.escape(name)}</code></p>" if name else "<p>Config</p>"
    return "".join([title, *parts])


def _check_size(cfg: Mapping[str, ConfigValue]) -> None:
    count = count_entries(dict(cfg))
    if count > _MOST:
        raise ConfigError(
            f"the config is too large to be written: with its aliases expanded it has {count} "
            f"values, more than the limit of {_MOST}"
        )


def _simplify(value: object, path: KeyPath, form: _Format, refuse: Refusal) -> ConfigValue:
    """Convert a value to the types of a data format."""
    if isinstance(value, dict):
        for key in value:
            # JSON and TOML have strings as keys alone.
            if not isinstance(key, (str, LazyValue)) and not (form.has_keys and to_scalar(key)[0]):
                refuse((*path, key), "the key must be a string; dump the config as py", key)
            if isinstance(key, str) and is_filled_in(key):
                refuse((*path, key), FILLED_IN, key)
        return {
            hide_secrets(to_scalar(to_text(k))[1]): _simplify(v, (*path, k), form, refuse)
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple, range, set, frozenset)):
        if isinstance(value, (set, frozenset)):
            value = _sort(value)
        return [_simplify(each, (*path, i), form, refuse) for i, each in enumerate(value)]
    if type(value) in form.types:
        if isinstance(value, datetime.time) and value.tzinfo is not None:
            refuse(path, "the format does not support times with a time zone", value)
        return value
    if isinstance(value, LazyValue):
        return dotted_path(value)
    found, plain = to_scalar(value)
    if not found:
        kind = type(value).__name__
        refuse(path, f"the format does not support {kind}; dump the config as py", value)
    if isinstance(plain, str) and (
        is_filled_in(plain) or (not form.has_null and NULL.fullmatch(plain.strip()))
    ):
        refuse(path, FILLED_IN, plain)
    return _NULL if plain is None and not form.has_null else hide_secrets(plain)


def _sort(values: set[ConfigValue] | frozenset[ConfigValue]) -> list[ConfigValue]:
    """Convert a set to a list in an order that is the same in each process."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)

"""The config."""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from eng.config.action import DictAction
from eng.config.config_dict import ConfigDict, to_plain
from eng.config.errors import ConfigError, Origin
from eng.config.files import RESERVED, read
from eng.config.merge import Origins, merge
from eng.config.writer import dump_text
from eng.utils import import_modules_from_strings


class Config(MutableMapping[str, Any]):
    """A config, read from files or made from a dictionary.

    Values are reached as keys and as attributes.

    Args:
        cfg_dict: The values.
        cfg_text: Text of the files it was read from.
        filename: File it was read from.

    Raises:
        TypeError: ``cfg_dict`` is no dictionary.
        ConfigError: A key is reserved.

    Examples:
        >>> cfg = Config(dict(a=1, b=dict(b1=[0, 1])))
        >>> cfg.b.b1
        [0, 1]
    """

    def __init__(
        self,
        cfg_dict: Any = None,
        cfg_text: str | None = None,
        filename: str | Path | None = None,
    ) -> None:
        cfg_dict = {} if cfg_dict is None else cfg_dict
        if not isinstance(cfg_dict, (dict, Config)):
            raise TypeError(f"cfg_dict must be a dict, but got {type(cfg_dict)}")
        for key in RESERVED:
            if key in cfg_dict:
                raise ConfigError(f"the key {key!r} is reserved: it is an attribute of Config")
        self._set("_cfg_dict", ConfigDict(cfg_dict))
        self._set("_filename", None if filename is None else str(filename))
        self._set("_text", cfg_text or "")
        self._set("_origins", {})

    @staticmethod
    def fromfile(
        filename: str | Path,
        use_predefined_variables: bool = True,
        import_custom_modules: bool = True,
    ) -> Config:
        """Read a config file with its bases.

        Args:
            filename: Path of a ``.py``, ``.yaml``, ``.yml`` or ``.json`` file.
            use_predefined_variables: Whether ``{{ fileDirname }}`` and its like, and environment
                variables, are filled in.
            import_custom_modules: Whether the modules under ``custom_imports`` are imported.

        Raises:
            FileNotFoundError: There is no such file.
            ConfigError: A file is wrong.
            ImportError: A module of ``custom_imports`` cannot be imported.
        """
        path = Path(filename).expanduser()
        values, text, origins = read(path.absolute(), use_predefined_variables)
        cfg = Config(values, text, str(path))
        cfg._origins.update(origins)
        if import_custom_modules and cfg.get("custom_imports"):
            import_modules_from_strings(**cfg["custom_imports"])
        return cfg

    @staticmethod
    def fromstring(cfg_str: str, file_format: str) -> Config:
        """Read a config from text.

        Args:
            cfg_str: The text.
            file_format: ``py``, ``yaml``, ``yml`` or ``json``, also with a leading dot.

        Raises:
            ConfigError: The format is another one, or the text is wrong.
        """
        suffix = f".{file_format.lstrip('.')}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"config{suffix}")
            path.write_text(cfg_str, encoding="utf-8")
            values, _, _ = read(path)
        return Config(values, cfg_str)

    @staticmethod
    def auto_argparser(description: str | None = None) -> tuple[argparse.ArgumentParser, Config]:
        """Return a parser with an option for each value of the config named on the command line."""
        first = argparse.ArgumentParser(description=description, add_help=False)
        first.add_argument("config", help="config file path")
        cfg = Config.fromfile(first.parse_known_args()[0].config)
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("config", help="config file path")
        _add_options(parser, cfg._cfg_dict)
        return parser, cfg

    @property
    def filename(self) -> str | None:
        """File that the config was read from."""
        return self._filename

    @property
    def text(self) -> str:
        """Text of the files that the config was read from."""
        return self._text

    @property
    def pretty_text(self) -> str:
        """The config as python."""
        return dump_text(self._cfg_dict, "py")

    def dump(self, file: str | Path | None = None) -> str | None:
        """Write the config into a file, in the format of its suffix, or return it as text.

        Args:
            file: Path of the file. Default: the text is returned, in the format of the file that
                the config was read from, or as python.

        Raises:
            ConfigError: A value cannot be dumped so that it loads again.
        """
        if file is None:
            suffix = Path(self.filename).suffix if self.filename else ".py"
            return dump_text(self._cfg_dict, suffix.lstrip("."))
        path = Path(file)
        # The text comes first, so that a value which cannot be dumped leaves the file as it was.
        text = dump_text(self._cfg_dict, path.suffix.lstrip("."))
        path.write_text(text, encoding="utf-8")
        return None

    def merge_from_dict(self, options: dict[str, Any], allow_list_keys: bool = True) -> None:
        """Merge values into the config.

        Args:
            options: Values by dotted key, such as ``{"model.depth": 50}``.
            allow_list_keys: Whether digits as keys stand for the elements of a list.

        Raises:
            ConfigError: A value cannot be merged.

        Examples:
            >>> cfg = Config(dict(model=dict(depth=18)))
            >>> cfg.merge_from_dict({"model.depth": 50})
        """
        nested: dict[str, Any] = {}
        for key, value in options.items():
            at = nested
            *parents, last = key.split(".")
            for part in parents:
                at = at.setdefault(part, {})
            at[last] = value
        merged = merge(
            nested, self._cfg_dict, {}, self._origins, strict=False, list_keys=allow_list_keys
        )
        self._set("_cfg_dict", ConfigDict(merged))

    def origin(self, key: str) -> Origin:
        """Return where a value comes from.

        Args:
            key: Dotted key, such as ``"optim_wrapper.optimizer.lr"``.

        Raises:
            KeyError: The config has no such key.
        """
        value: Any = self._cfg_dict
        for part in key.split("."):
            try:
                value = value[int(part)] if isinstance(value, (list, tuple)) else value[part]
            except (KeyError, IndexError, ValueError, TypeError):
                raise KeyError(f"the config has no key {key!r}") from None
        path = tuple(key.split("."))
        while path and path not in self._origins:
            path = path[:-1]
        return self._origins.get(path, Origin(None))

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, all the way down."""
        return to_plain(self._cfg_dict)

    def copy(self) -> Config:
        """Return a shallow copy."""
        return self.__copy__()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _changed(self, key: str) -> None:
        origins: Origins = self._origins
        for path in [path for path in origins if path[0] == key]:
            del origins[path]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_cfg_dict":
            raise AttributeError(name)
        return getattr(self._cfg_dict, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._cfg_dict:
            raise AttributeError(name)
        del self[name]

    def __getitem__(self, key: str) -> Any:
        return self._cfg_dict[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._cfg_dict[key] = value
        self._changed(key)

    def __delitem__(self, key: str) -> None:
        del self._cfg_dict[key]
        self._changed(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cfg_dict)

    def __len__(self) -> int:
        return len(self._cfg_dict)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Config):
            return bool(self._cfg_dict == other._cfg_dict)
        return bool(self._cfg_dict == other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Config (path: {self.filename}): {self._cfg_dict!r}"

    def __copy__(self) -> Config:
        return self._copied(copy.copy(self._cfg_dict))

    def __deepcopy__(self, memo: dict[int, Any]) -> Config:
        other = self._copied(copy.deepcopy(self._cfg_dict, memo))
        memo[id(self)] = other
        return other

    def _copied(self, values: ConfigDict) -> Config:
        other = Config(None, self.text, self.filename)
        other._set("_cfg_dict", values)
        other._origins.update(self._origins)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            self._set(name, value)


class Difference(NamedTuple):
    """A key whose value differs between two configs; ``MISSING`` where one lacks it."""

    key: str
    left: Any
    right: Any


MISSING = type("Missing", (), {"__repr__": lambda self: "(missing)"})()


def diff(left: Config, right: Config) -> list[Difference]:
    """Return what differs between two configs, by dotted key."""
    found: list[Difference] = []

    def compare(a: Any, b: Any, key: str) -> None:
        if isinstance(a, dict) and isinstance(b, dict):
            for name in [*a, *(name for name in b if name not in a)]:
                inner = f"{key}.{name}" if key else str(name)
                compare(a.get(name, MISSING), b.get(name, MISSING), inner)
        elif type(a) is list and type(b) is list and len(a) == len(b):
            for index, (one, other) in enumerate(zip(a, b, strict=True)):
                compare(one, other, f"{key}.{index}")
        elif a is not b and (type(a) is not type(b) or a != b):
            found.append(Difference(key, a, b))

    compare(left.to_dict(), right.to_dict(), "")
    return found


def _add_options(parser: argparse.ArgumentParser, values: Any, prefix: str = "") -> None:
    for key, value in values.items():
        option = f"--{prefix}{key}"
        if isinstance(value, bool):
            parser.add_argument(option, action="store_true", default=None)
        elif isinstance(value, (str, int, float)):
            parser.add_argument(option, type=type(value))
        elif isinstance(value, dict):
            _add_options(parser, value, f"{prefix}{key}.")
        elif isinstance(value, (list, tuple)) and value:
            parser.add_argument(option, type=type(value[0]), nargs="+")
        else:
            parser.add_argument(option, nargs="+", action=DictAction)

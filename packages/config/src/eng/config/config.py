"""Read, modify and dump configs."""

from __future__ import annotations

import argparse
import copy
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from eng.utils import import_modules_from_strings, override

from .action import CommandLineOptions, read_not_finite
from .compare import is_same
from .config_dict import ConfigDict, to_plain, to_text
from .difference import diff_text
from .errors import ConfigError, error_at
from .files import Loaded, Reader, refuse_depth
from .keys import RESERVED, value_at
from .lazy import keep_lazy
from .merge import merge, nest
from .missing import MissingKeyError, remember
from .options import add_args
from .origins import CODE, COMMAND_LINE, Origin, Origins, origin_of
from .secret_values import hide_secrets
from .types import ConfigValue, ConfigValues, KeyPath

__all__ = ["Config", "read_base"]

Schema = TypeVar("Schema")


class Printer(Protocol):
    """The member of the printer of IPython that is used."""

    def text(self, obj: str) -> None:
        """Print a text."""


@contextmanager
def read_base() -> Iterator[None]:
    """Mark the imports of the bases of a config, as ``from .base import *``, in a ``with`` block.

    :meth:`Config.fromfile` reads the files named in it. The block itself does nothing.
    """
    yield


class Config(MutableMapping[str, ConfigValue]):
    """A config, read from files or created from a dictionary.

    Values are available as keys and as attributes. Configs are mutable and thus not hashable, like
    ``dict``: use ``cfg.dump()`` as the key of a dictionary or of a cache.

    Args:
        cfg_dict: Values by key.
        cfg_text: Text of the files it was read from. Default: the text of ``filename``, if it
            exists.
        filename: File it was read from.
        env_variables: Environment variables that were substituted, with their values.
        format_python_code: Not used: dumps need no formatter.

    Raises:
        TypeError: ``cfg_dict`` is not a dictionary.
        ConfigError: A key is reserved.

    Examples:
        >>> cfg = Config(dict(a=1, b=dict(b1=[0, 1])))
        >>> cfg.b.b1
        [0, 1]
    """

    def __init__(
        self,
        cfg_dict: ConfigValues | Config | None = None,
        cfg_text: str | None = None,
        filename: str | Path | None = None,
        env_variables: Mapping[str, str] | None = None,
        format_python_code: bool = True,
    ) -> None:
        cfg_dict = {} if cfg_dict is None else cfg_dict
        if not isinstance(cfg_dict, (dict, Config)):
            raise TypeError(f"cfg_dict must be a dict, but got {type(cfg_dict)}")
        for key in RESERVED:
            if key in cfg_dict:
                raise ConfigError(f"the key {key!r} is reserved: it is an attribute of Config")
        imported = cfg_dict._imported_names if isinstance(cfg_dict, Config) else ()
        values = cfg_dict._cfg_dict if isinstance(cfg_dict, Config) else cfg_dict
        remember(self)
        self._set("_cfg_dict", ConfigDict(values))
        self._set("_imported_names", set(imported))
        self._set("_env_variables", dict(env_variables or {}))
        self._set("_filename", None if filename is None else str(filename))
        self._set("_text", _read_if_exists(filename) if cfg_text is None else cfg_text)
        self._set("_origins", {})
        self._set("_loaded", {})

    @staticmethod
    def fromfile(
        filename: str | Path,
        use_predefined_variables: bool = True,
        import_custom_modules: bool = True,
        use_environment_variables: bool = True,
        lazy_import: bool | None = None,
        format_python_code: bool = True,
        *,
        allow_code: bool | None = None,
    ) -> Config:
        """Read a config file with its bases.

        Args:
            filename: Path of a ``.py``, ``.yaml``, ``.yml``, ``.json`` or ``.toml`` file.
            use_predefined_variables: Whether to substitute ``{{ fileDirname }}`` and the other
                variables of the path.
            import_custom_modules: Whether to import the modules of ``custom_imports``. If False,
                YAML, JSON and TOML must not contain code: neither ``custom_imports`` nor a ``.py``
                base.
            use_environment_variables: Whether to substitute environment variables.
            lazy_import: Whether a Python config is lazy: its bases are in ``with read_base():``,
                and its other imports are delayed. Default: detected from its statements.
            format_python_code: Not used: dumps need no formatter.
            allow_code: Whether the config may contain code. False also rejects Python configs, True
                accepts them without importing. Default: follows ``import_custom_modules``, and
                Python configs are run.

        Raises:
            FileNotFoundError: The file does not exist.
            ConfigError: A file is invalid, or contains code that is not allowed.
            ImportError: A module of ``custom_imports`` cannot be imported.
        """
        path = Path(filename).expanduser()
        is_python = path.suffix == ".py"
        if allow_code is False and is_python:
            raise ConfigError("a Python config is code, which is not allowed", Origin(str(path)))
        has_code = (import_custom_modules or is_python) if allow_code is None else allow_code
        reader = Reader(use_predefined_variables, use_environment_variables, has_code, lazy_import)
        with refuse_depth(path), keep_lazy():
            cfg = Config._create(reader.read(path.absolute()), str(path))
        _log_variables(cfg)
        if "${" in cfg.text:
            from .hints import hint_at_shell_variables

            hint_at_shell_variables(cfg.to_dict(), cfg._place)
        imports = cfg.get("custom_imports")
        if imports and not has_code:
            raise ConfigError(
                "custom_imports is code, which is not allowed", cfg.origin("custom_imports")
            )
        if imports and import_custom_modules:
            try:
                import_modules_from_strings(**imports)
            except ImportError as error:
                # That of the list, which a config may change in the dict of its base.
                place = cfg._place("custom_imports.imports")
                origin = cfg.origin("custom_imports") if place is CODE else place
                raise error_at(error, origin) from error
        return cfg

    @staticmethod
    def fromstring(cfg_str: str, file_format: str) -> Config:
        """Read a config from a string.

        Args:
            cfg_str: Text of the config.
            file_format: ``py``, ``yaml``, ``yml``, ``json`` or ``toml``, with or without a leading
                dot.

        Bases are relative to the working directory.

        Raises:
            ConfigError: The format is unknown, or the text is invalid.
        """
        name = f"<string>.{file_format.lstrip('.')}"
        with refuse_depth(Path(name)), keep_lazy():
            loaded = Reader().read_text(cfg_str, Path.cwd() / name)
            return Config._create(loaded._replace(text=cfg_str))

    @staticmethod
    def auto_argparser(description: str | None = None) -> tuple[argparse.ArgumentParser, Config]:
        """Return a parser with an option for each value of the config on the command line."""
        first = argparse.ArgumentParser(description=description, add_help=False)
        first.add_argument("config", help="config file path")
        cfg = Config.fromfile(first.parse_known_args()[0].config)
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("config", help="config file path")
        add_args(parser, cfg._cfg_dict)
        return parser, cfg

    @staticmethod
    def diff(cfg1: str | Path | Config, cfg2: str | Path | Config) -> str:
        """Return the unified diff of two configs or config files."""
        cfg1, cfg2 = (
            each if isinstance(each, Config) else Config.fromfile(each) for each in (cfg1, cfg2)
        )
        return diff_text(cfg1, cfg2)

    @property
    def filename(self) -> str | None:
        """File that the config was read from."""
        return self._filename

    @property
    def text(self) -> str:
        """Text of the files that the config was read from."""
        return self._text

    @property
    def env_variables(self) -> dict[str, str]:
        """Environment variables that were substituted, with their values."""
        return self._env_variables

    @property
    def pretty_text(self) -> str:
        """The config as Python, with the ``repr`` of values that cannot be dumped."""
        from .writer import display_text

        return display_text(self._to_lazy_dict())

    def dump(self, file: str | Path | None = None) -> str | None:
        """Write the config to a file in the format of its suffix, or return it as text.

        The dump loads as an equal config. Python supports tuples, sets, paths, dates, and
        importable classes and functions. In YAML, JSON and TOML, tuples, ranges and sets become
        lists; paths, classes and functions are not supported. TOML has ``"{{ null }}"`` for None.

        Args:
            file: Path of the file, in any storage of :mod:`eng.fileio`. Default: returns the text,
                in the format of the file that the config was read from, or as Python.

        Raises:
            ConfigError: The format does not support a value; the message has its key.
        """
        # Imported late, so that `import eng.config` stays fast.
        from eng.fileio import put_text

        from .writer import dump_text

        name = self.filename or "config.py" if file is None else file
        # Before the file is opened, so that a value that cannot be dumped leaves it unchanged.
        text = dump_text(self._to_lazy_dict(), Path(name).suffix.lstrip("."), self._find_file)
        if file is None:
            return text
        put_text(text, file)
        return None

    def merge_from_dict(
        self,
        options: dict[str, ConfigValue],
        allow_list_keys: bool = True,
        *,
        strict: bool = False,
    ) -> None:
        """Merge values into the config.

        Warns of options of :class:`DictAction` that probably are mistakes: a key that the config
        does not have but resembles one of its keys, and text in place of a number.

        Args:
            options: Values by dotted key, such as ``{"model.depth": 50}``. The origin of those
                collected by :class:`DictAction` is the command line.
            allow_list_keys: Whether keys of digits are indices of lists.
            strict: Whether keys that the config does not have, and text in place of a number, are
                errors.

        Raises:
            ConfigError: A value cannot be merged.

        Examples:
            >>> cfg = Config(dict(model=dict(depth=18)))
            >>> cfg.merge_from_dict({"model.depth": 50})
        """
        nested = nest(options)
        from_command_line = isinstance(options, CommandLineOptions)
        if from_command_line:
            nested = read_not_finite(nested, self._cfg_dict)
        if from_command_line or strict:
            self._check_options(nested, strict)
        origins: Origins = dict(self._origins)
        by = COMMAND_LINE if from_command_line else CODE
        with keep_lazy():
            merged = merge(nested, self._cfg_dict, {}, origins, by, list_keys=allow_list_keys)
            self._set("_cfg_dict", ConfigDict(merged))
        self._imported_names.difference_update(nested)
        self._note_origins(origins)

    def _check_options(self, nested: dict[str, ConfigValue], strict: bool) -> None:
        from .overrides import find_misfits, find_unknown

        with keep_lazy():
            found = list(find_unknown(nested, self._cfg_dict, only_close=not strict))
            for path, problem in find_misfits(nested, self._cfg_dict):
                key = ".".join(path)
                found.append(f"{key}: {problem} ({self.origin(key)})")
        if found and strict:
            raise ConfigError("; ".join(found), COMMAND_LINE)
        if found:
            # Shown without a line of code, which would be one of the engine's.
            warnings.warn_explicit("; ".join(found), UserWarning, "--cfg-options", 1)

    @staticmethod
    def _merge_a_into_b(
        a: dict[str, ConfigValue], b: object, allow_list_keys: bool = False
    ) -> ConfigValue:
        """Merge a dictionary into another one or into a list; neither is modified."""
        with keep_lazy():
            return merge(a, b, {}, {}, list_keys=allow_list_keys)

    def origin(self, key: str) -> Origin:
        """Return the origin of a value.

        Args:
            key: Dotted key, such as ``"optim_wrapper.optimizer.lr"``.

        Raises:
            KeyError: The key is missing.
        """
        with keep_lazy():
            value = value_at(self._cfg_dict, key)
        try:
            if not is_same(to_plain(value), value_at(self._loaded, key)):
                return CODE
        except KeyError:
            return CODE
        return origin_of(self._origins, tuple(key.split(".")), CODE)

    def validate(self, schema: type[Schema]) -> Schema:
        """Check the config against a schema.

        Args:
            schema: A dataclass or a ``TypedDict``, which may contain others, or a model of
                pydantic.

        Returns:
            An instance of the schema with the values of the config, which is a dictionary for a
            ``TypedDict``.

        Raises:
            SchemaError: The config does not match: keys are unknown or missing, or values have
                another type. All problems are listed, with file, line and key.
            TypeError: ``schema`` is none of these.

        Examples:
            >>> from dataclasses import dataclass
            >>> @dataclass
            ... class Job:
            ...     lr: float
            ...     name: str = "default"
            >>> Config(dict(lr=0.1)).validate(Job)
            Job(lr=0.1, name='default')
        """
        from .schema import validate

        checked: Schema = validate(self.to_dict(), schema, self._place)
        return checked

    def to_dict(self, keep_imported: bool = False) -> dict[str, ConfigValue]:
        """Convert to plain dictionaries, recursively, with lazy values as dotted paths.

        Args:
            keep_imported: Whether to include names that a lazy config only imports.
        """
        values: dict[str, ConfigValue] = to_text(self._to_lazy_dict(keep_imported))
        return values

    def _to_lazy_dict(self, keep_imported: bool = False) -> dict[str, ConfigValue]:
        """Convert to plain dictionaries, recursively, and keep lazy values."""
        values: dict[str, ConfigValue] = to_plain(self._cfg_dict)
        hidden = () if keep_imported else self._imported_names
        return {key: value for key, value in values.items() if key not in hidden}

    def without_secrets(self) -> dict[str, ConfigValue]:
        """Convert to plain dictionaries with ``{{ secret $NAME }}`` in place of secrets."""
        values: dict[str, ConfigValue] = hide_secrets(self.to_dict())
        return values

    @override
    def setdefault(self, key: str, default: object = None) -> ConfigValue:
        """Return the value of a key, after setting it if it is missing."""
        return self._cfg_dict.setdefault(key, default)

    @override
    def update(self, /, *args: object, **kwargs: ConfigValue) -> None:
        """Update keys as :meth:`ConfigDict.update` does: dictionaries are merged."""
        self._cfg_dict.update(*args, **kwargs)

    @override
    def pop(self, key: str, default: object = None) -> ConfigValue:
        """Remove a key and return its value, or the default if it is missing."""
        return self._cfg_dict.pop(key, default)

    @override
    def popitem(self) -> tuple[str, ConfigValue]:
        """Remove the last key and return it with its value.

        Raises:
            KeyError: The config is empty.
        """
        item: tuple[str, ConfigValue] = self._cfg_dict.popitem()
        return item

    def copy(self) -> Config:
        """Return a shallow copy."""
        return self.__copy__()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @staticmethod
    def _create(loaded: Loaded, filename: str | None = None) -> Config:
        """Create the config of files that were read."""
        imported = loaded.extras.imported
        cfg = Config({**imported, **loaded.values}, loaded.text, filename, loaded.environment)
        cfg._set("_imported_names", set(imported) - loaded.values.keys())
        cfg._note_origins(loaded.origins)
        return cfg

    def _note_origins(self, origins: Origins) -> None:
        """Record the origins of the current values; values that differ later are set by code."""
        self._set("_origins", origins)
        self._set("_loaded", to_plain(self._cfg_dict))

    def _find_file(self, path: KeyPath) -> Origin | None:
        origin = self._place(".".join(map(str, path)))
        return origin if origin.file is not None else None

    def _place(self, key: str) -> Origin:
        """Return the origin of a key; code if it is not a string, or contains a dot."""
        try:
            return self.origin(key)
        except KeyError:
            return CODE

    def __getattr__(self, name: str) -> ConfigValue:
        if name.startswith("__") or name == "_cfg_dict":
            raise AttributeError(name)
        return getattr(self._cfg_dict, name)

    @override
    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    @override
    def __delattr__(self, name: str) -> None:
        if name not in self._cfg_dict:
            raise MissingKeyError(name, self._cfg_dict)
        del self[name]

    @override
    def __getitem__(self, key: str) -> ConfigValue:
        return self._cfg_dict[key]

    @override
    def __setitem__(self, key: str, value: object) -> None:
        self._cfg_dict[key] = value
        self._imported_names.discard(key)

    @override
    def __delitem__(self, key: str) -> None:
        del self._cfg_dict[key]
        self._imported_names.discard(key)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._cfg_dict)

    @override
    def __len__(self) -> int:
        return len(self._cfg_dict)

    @override
    def __eq__(self, other: object) -> bool:
        # Names that are only imported are not values.
        if isinstance(other, Config):
            return bool(self._to_lazy_dict() == other._to_lazy_dict())
        return bool(self._to_lazy_dict() == other or self._cfg_dict == other)

    __hash__ = None  # type: ignore[assignment]

    def _repr_html_(self) -> str:
        """Return the config with a section that folds for each of its dictionaries."""
        from .writer import display_html

        return display_html(self._to_lazy_dict(), self.filename)

    def _repr_pretty_(self, printer: Printer, cycle: bool) -> None:
        """Print the config as Python, in IPython."""
        printer.text("Config(...)" if cycle else f"# {self.filename}\n{self.pretty_text}".rstrip())

    @override
    def __repr__(self) -> str:
        return f"Config (path: {self.filename}): {self._cfg_dict!r}"

    def __copy__(self) -> Config:
        return self._copy_with(copy.copy(self._cfg_dict))

    def __deepcopy__(self, memo: dict[int, object]) -> Config:
        other = self._copy_with(copy.deepcopy(self._cfg_dict, memo))
        memo[id(self)] = other
        return other

    def _copy_with(self, values: ConfigDict) -> Config:
        other = Config(None, self.text, self.filename, self._env_variables)
        other._set("_cfg_dict", values)
        other._set("_imported_names", set(self._imported_names))
        other._set("_origins", self._origins)
        other._set("_loaded", self._loaded)
        return other

    def __getstate__(self) -> dict[str, ConfigValue]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, ConfigValue] | tuple[object, ...]) -> None:
        remember(self)
        state = _read_older_state(state) if isinstance(state, tuple) else state
        for name, value in {"_imported_names": set(), "_env_variables": {}, **state}.items():
            self._set(name, value)


def _read_older_state(state: tuple[object, ...]) -> dict[str, ConfigValue]:
    """Convert the state of a config pickled by MMEngine, a tuple that later versions extended.

    Values, file name and text are followed by the environment variables and the names that were
    only imported, which are recognized by their types.
    """
    parts: list[ConfigValue] = [*state, None, None]
    values, filename, text, *further = parts
    imported = [each for each in further if isinstance(each, (set, frozenset))]
    return {
        "_cfg_dict": ConfigDict(values),
        "_filename": filename,
        "_text": text or "",
        "_env_variables": next((each for each in further if isinstance(each, dict)), {}),
        "_imported_names": set().union(*imported),
        "_origins": {},
        "_loaded": {},
    }


def _log_variables(cfg: Config) -> None:
    """Log the environment variables that a config uses, without the values of secrets."""
    if cfg.env_variables:
        import logging  # imported late, so that `import eng.config` stays fast

        for name, value in cfg.env_variables.items():
            text = "The config %s uses the environment variable %s: %s"
            logging.getLogger("eng.config").info(text, cfg.filename, name, value)


def _read_if_exists(filename: str | Path | None) -> str:
    if filename is None:
        return ""
    path = Path(filename).expanduser()
    # Binary files must not fail, such as a checkpoint that a config was taken from.
    return path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""

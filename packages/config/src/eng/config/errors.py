"""Errors of loading, merging and dumping configs."""

from __future__ import annotations

from collections.abc import Iterable

from eng.utils import UserError, override

from .origins import Origin

__all__ = [
    "BaseAttributeError",
    "CheckError",
    "CodeAssertionError",
    "CodeAttributeError",
    "CodeIndexError",
    "CodeNameError",
    "CodeZeroDivisionError",
    "ConfigError",
    "ConfigParsingError",
    "DeprecatedConfigWarning",
    "FormatError",
    "LazyAttributeError",
    "LazyUseError",
    "MissingBaseError",
    "MissingLazyBaseError",
    "MissingLazyPackageError",
    "MissingPackageError",
    "ReadBaseError",
    "SchemaError",
    "error_at",
]


class ConfigError(UserError, ValueError, KeyError, TypeError):
    """A config cannot be loaded, merged or dumped; the message has the file and line."""

    def __init__(self, message: str, origin: Origin | None = None) -> None:
        self.origin = origin
        super().__init__(f"{origin}: {message}" if origin is not None else message)

    @override
    def __str__(self) -> str:
        # KeyError shows its message in quotes.
        return str(self.args[0])

    @override
    def __reduce__(self) -> tuple[type[ConfigError], tuple[str]]:
        return (type(self), (str(self),))


class CheckError(ConfigError):
    """A config has several problems.

    Args:
        problems: All problems, with file, line and key.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class SchemaError(CheckError):
    """A config does not match a schema."""


class MissingBaseError(ConfigError, FileNotFoundError):
    """A base file does not exist."""


class MissingPackageError(ConfigError, ModuleNotFoundError):
    """The package of a base is not installed."""


class DeprecatedConfigWarning(FutureWarning, DeprecationWarning):
    """A config file is deprecated in favor of another one."""


class FormatError(ConfigError, OSError):
    """The suffix of a config file is not a known format."""


class ConfigParsingError(ConfigError, RuntimeError):
    """A lazy config has an invalid statement, or a base that cannot be found."""


class ReadBaseError(ConfigParsingError, AssertionError):
    """A block of ``with read_base():`` has a statement other than ``from ... import ...``."""


class MissingLazyBaseError(ConfigParsingError, MissingBaseError):
    """A base that a lazy config imports does not exist."""


class MissingLazyPackageError(ConfigParsingError, MissingPackageError):
    """The package of a base that a lazy config imports is not installed."""


class LazyUseError(ConfigError, RuntimeError):
    """A config uses a lazy import in a way that requires the real object."""


class LazyAttributeError(LazyUseError, AttributeError):
    """A config reads a special attribute of a lazy import."""


class CodeNameError(ConfigError, NameError):
    """The code of a config uses an unknown name."""


class CodeAttributeError(ConfigError, AttributeError):
    """The code of a config reads an attribute that an object does not have."""


class CodeIndexError(ConfigError, IndexError):
    """The code of a config uses an index that is out of bounds."""


class CodeZeroDivisionError(ConfigError, ZeroDivisionError):
    """The code of a config divides by zero."""


class CodeAssertionError(ConfigError, AssertionError):
    """A condition that the code of a config asserts is false."""


class BaseAttributeError(ConfigError, AttributeError):
    """A config reads a value of ``_base_`` that no base has."""


def error_at(error: ImportError, origin: Origin) -> ImportError:
    """Return an error of the same class whose message has the file and line."""
    message = f"{origin}: {error}"
    try:
        return type(error)(message, name=error.name, path=error.path)
    except TypeError:  # a subclass with arguments of its own
        return ImportError(message, name=error.name, path=error.path)

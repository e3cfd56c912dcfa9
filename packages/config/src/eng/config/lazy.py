"""Placeholders for the imports of lazy configs: modules and attributes, imported when used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import NoReturn

from eng.utils import override

from .errors import LazyAttributeError, LazyUseError
from .types import ConfigValue

__all__ = [
    "LazyAttr",
    "LazyObject",
    "LazyValue",
    "dotted_path",
    "is_kept",
    "keep_always",
    "keep_lazy",
    "merge_imports",
    "refuse_use",
    "root_module",
]

#: Whether lazy values are returned instead of the objects that they refer to.
_kept: ContextVar[bool] = ContextVar("kept", default=False)
#: Whether uses of a lazy value that require the real object raise an error.
_refused: ContextVar[bool] = ContextVar("refused", default=False)
#: The same as ``_kept`` for all threads; set by ``ConfigDict.lazy``.
_is_always_kept = False

# Types of module data that are compared by value.
_DATA = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
# Methods that only the real object can have; their errors differ from that of a missing method.
_USES = """
    call getitem setitem delitem len contains iter next reversed enter exit await
    add radd iadd sub rsub isub mul rmul imul truediv rtruediv floordiv rfloordiv mod rmod pow rpow
    matmul rmatmul and rand or ror xor rxor lshift rlshift rshift rrshift neg pos abs invert
    lt le gt ge int float complex index round trunc floor ceil fspath bytes
    instancecheck subclasscheck mro_entries
"""


@contextmanager
def keep_lazy() -> Iterator[None]:
    """Do not resolve lazy values within a ``with`` block, in this thread only."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)


def is_kept() -> bool:
    """Return whether lazy values are not resolved."""
    return _is_always_kept or _kept.get()


def keep_always(is_kept: bool) -> None:
    """Set whether lazy values are not resolved in the whole process."""
    global _is_always_kept  # noqa: PLW0603
    _is_always_kept = is_kept


@contextmanager
def refuse_use(is_refused: bool = True) -> Iterator[None]:
    """Forbid uses of lazy values as text or a condition within a ``with`` block.

    Args:
        is_refused: Whether such uses raise LazyUseError.
    """
    token = _refused.set(is_refused)
    try:
        yield
    finally:
        _refused.reset(token)


class LazyValue:
    """An import of a lazy config, by its dotted path.

    It equals the object that it refers to, and its dotted path as a string.
    """

    # Names of members begin with an underscore, since others would hide attributes of the object.

    @property
    def module(self) -> str:
        """Dotted path of the module or object that this one is imported from."""
        raise NotImplementedError

    def build(self) -> ConfigValue:
        """Import the object and return it.

        Raises:
            ImportError: The object does not exist.
            Exception: Errors of the module while it is imported; the message has the file and
                line of the config.
        """
        raise NotImplementedError

    def __getattr__(self, name: str) -> LazyAttr:
        if name.startswith("__") and name.endswith("__"):
            raise LazyAttributeError(_explain(self, f"used for its attribute {name}"))
        return LazyAttr(name, self)

    @override
    def __setattr__(self, name: str, value: object) -> None:
        raise LazyUseError(_explain(self, f"changed (its attribute {name})"))

    @override
    def __delattr__(self, name: str) -> None:
        raise LazyUseError(_explain(self, f"changed (its attribute {name})"))

    @override
    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyValue):
            return dotted_path(self) == dotted_path(other)
        if _refused.get():
            raise LazyUseError(_explain(self, "compared"))
        return (isinstance(other, str) and dotted_path(self) == other) or _refers_to(self, other)

    @override
    def __hash__(self) -> int:
        if _refused.get():
            raise LazyUseError(_explain(self, "used as a key of a dict or in a set"))
        return hash(dotted_path(self))

    def __bool__(self) -> bool:
        if _refused.get():
            raise LazyUseError(_explain(self, "used as a condition"))
        return True

    @override
    def __str__(self) -> str:
        if _refused.get():
            raise LazyUseError(_explain(self, "converted to text"))
        return repr(self)

    @override
    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @override
    def __dir__(self) -> list[str]:
        return ["build", "module"]

    def __copy__(self) -> LazyValue:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> LazyValue:
        return self


class LazyObject(LazyValue):
    """A module, or a member of a module, that is imported when it is built.

    Args:
        module: Name of the module; or several names, for their top-level package.
        imported: Name imported from the module. Default: the module itself.
        location: File and line of the import, for messages.

    Raises:
        TypeError: An argument has the wrong type.

    Examples:
        >>> LazyObject("os.path", "join").build()("a", "b")
        'a/b'
    """

    def __init__(
        self,
        module: str | Sequence[str],
        imported: str | None = None,
        location: str | None = None,
    ) -> None:
        several = isinstance(module, (list, tuple)) and bool(module) and imported is None
        if not (isinstance(module, str) and module) and not (
            several and all(isinstance(each, str) for each in module)
        ):
            raise TypeError(
                "module must be the name of a module, or a list of names without imported, "
                f"but got {module!r}"
            )
        _check_text("imported", imported)
        _check_text("location", location)
        modules = [module] if isinstance(module, str) else list(module)
        vars(self).update(
            _lazy_modules=modules,
            _lazy_is_top=not isinstance(module, str),
            _lazy_imported=imported,
            _lazy_location=location,
        )

    @property
    @override
    def module(self) -> str:
        """Name of the module, or of the top-level package of several modules."""
        first: str = vars(self)["_lazy_modules"][0]
        return first.partition(".")[0] if vars(self)["_lazy_is_top"] else first

    @override
    def build(self) -> ConfigValue:
        """Import the object and return it."""
        for name in vars(self)["_lazy_modules"]:
            try:
                importlib.import_module(name)
            except Exception as error:
                raise _prefix_error(error, f"Failed to import {name} in {_locate(self)}") from error
        found = sys.modules[self.module]
        imported = vars(self)["_lazy_imported"]
        return found if imported is None else _get_member(found, imported, self)

    @override
    def __repr__(self) -> str:
        return str(vars(self)["_lazy_imported"] or self.module)

    @override
    def __reduce__(self) -> tuple[object, ...]:
        own = vars(self)
        module = own["_lazy_modules"] if own["_lazy_is_top"] else self.module
        return (LazyObject, (module, own["_lazy_imported"], own["_lazy_location"]))


class LazyAttr(LazyValue):
    """An attribute of a lazy object.

    Args:
        name: Name of the attribute.
        source: Object that has the attribute.
        location: File and line, for messages. Default: the location of ``source``.

    Raises:
        TypeError: An argument has the wrong type.
    """

    def __init__(self, name: str, source: LazyValue, location: str | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a string, but got {name!r}")
        if not isinstance(source, LazyValue):
            raise TypeError(f"source must be a LazyObject or LazyAttr, but got {source!r}")
        _check_text("location", location)
        location = vars(source).get("_lazy_location") if location is None else location
        vars(self).update(_lazy_name=name, _lazy_source=source, _lazy_location=location)

    @property
    @override
    def module(self) -> str:
        """Dotted path of the object that has the attribute."""
        return dotted_path(vars(self)["_lazy_source"])

    @override
    def build(self) -> ConfigValue:
        """Import the object and return it."""
        return _get_member(vars(self)["_lazy_source"].build(), vars(self)["_lazy_name"], self)

    @override
    def __repr__(self) -> str:
        return str(vars(self)["_lazy_name"])

    @override
    def __reduce__(self) -> tuple[object, ...]:
        own = vars(self)
        return (LazyAttr, (own["_lazy_name"], own["_lazy_source"], own["_lazy_location"]))


def dotted_path(value: LazyValue) -> str:
    """Return the dotted path of the object that a lazy value refers to."""
    own = vars(value)
    name = own["_lazy_imported"] if isinstance(value, LazyObject) else own["_lazy_name"]
    return value.module if name is None else f"{value.module}.{name}"


def root_module(value: LazyValue) -> str:
    """Return the module to import to reach a lazy value by its dotted path."""
    path = dotted_path(value)
    while isinstance(value, LazyAttr):
        value = vars(value)["_lazy_source"]
    if not vars(value)["_lazy_is_top"]:
        return value.module
    found = [name for name in vars(value)["_lazy_modules"] if f"{path}.".startswith(f"{name}.")]
    return max(found, key=len, default=value.module)


def merge_imports(first: object, second: LazyObject) -> LazyObject:
    """Return the value of a name after ``import a.b`` and ``import a.c``."""
    modules = []
    if isinstance(first, LazyObject) and vars(first)["_lazy_is_top"]:
        modules = [each for each in vars(first)["_lazy_modules"] if first.module == second.module]
    modules += [name for name in vars(second)["_lazy_modules"] if name not in modules]
    return LazyObject(modules, location=vars(second)["_lazy_location"])


def _refers_to(value: LazyValue, found: object) -> bool:
    # Comparing imports nothing: no existing object is of a module that is not imported yet.
    if root_module(value) not in sys.modules:
        return False
    try:
        built = value.build()
    except ImportError:  # the object does not exist
        return False
    return built is found or (isinstance(built, _DATA) and bool(built == found))


def _refuse(name: str) -> Callable[..., NoReturn]:
    how = {"call": "called", "iter": "iterated over", "getitem": "indexed"}.get(
        name, f"used by an operation that needs __{name}__"
    )

    def method(self: LazyValue, *args: object) -> NoReturn:
        raise LazyUseError(_explain(self, how))

    return method


for _name in _USES.split():
    setattr(LazyValue, f"__{_name}__", _refuse(_name))


def _explain(value: LazyValue, how: str) -> str:
    return (
        f"{dotted_path(value)}, imported in {_locate(value)}, cannot be {how} in a lazy config, "
        "where it is not imported yet; use it as a value, or read the config with "
        "lazy_import=False"
    )


def _locate(value: LazyValue) -> str:
    return vars(value).get("_lazy_location") or "code"


def _check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a string or None, but got {value!r}")


def _get_member(found: object, name: str, value: LazyValue) -> ConfigValue:
    """Return an attribute, or the submodule of that name, as ``from`` imports it."""
    try:
        return getattr(found, name)
    except AttributeError as error:
        if isinstance(found, ModuleType) and hasattr(found, "__path__"):
            inner = f"{found.__name__}.{name}"
            try:
                return importlib.import_module(inner)
            except ModuleNotFoundError as missing:
                if missing.name != inner:
                    raise
        message = f"Failed to import {name} from {value.module} in {_locate(value)}: {error}"
        raise ImportError(message) from error


def _prefix_error(error: Exception, message: str) -> Exception:
    """Return an error of the same class with a message in front."""
    message = f"{message}: {error}"
    try:
        if isinstance(error, ImportError):
            return type(error)(message, name=error.name, path=error.path)
        return type(error)(message)
    except TypeError:  # a class with arguments of its own
        return ImportError(message)

"""Build an object from a config."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from eng.utils import ManagerMixin, UserError, override

from .part_config import PartConfig, Registered
from .scope import ROOT_SCOPE, DefaultScope

__all__ = ["Lookup", "build_from_cfg", "build_in_scope", "check_cfg", "merge_args", "shorten"]

Part = TypeVar("Part")

_repr = reprlib.Repr()
_repr.maxdict = _repr.maxlist = _repr.maxtuple = 4
_repr.maxlevel = 2
_repr.maxstring = _repr.maxother = 60
_LENGTH = 120
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class MissingTypeError(UserError, KeyError):
    """A config has no type."""

    @override
    def __str__(self) -> str:
        # KeyError shows its message in quotes.
        return str(self.args[0])


def shorten(value: object) -> str:
    """Return a short representation of a value for messages, without the address of an object."""
    text = _ADDRESS.sub("", _repr.repr(value))
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


class Lookup(Protocol):
    """The part of a registry that building needs."""

    @property
    def name(self) -> str:
        """Name of the registry, for messages."""

    @property
    def scope(self) -> str:
        """Scope of the registry, for messages."""

    def of_default_scope(self) -> Lookup:
        """Return the registry of the default scope in the same tree, or this one."""

    def require(self, key: str) -> Registered:
        """Return the class or function of a name, or raise ``NotRegisteredError``."""


def build_from_cfg(
    cfg: PartConfig,
    registry: Lookup,
    default_args: PartConfig | None = None,
) -> Any:
    """Build an object from a config: make an instance of a class, or call a function.

    Args:
        cfg: Arguments, with the class or its name under ``type``. A scope under ``_scope_`` is
            the default scope while the object is built.
        registry: Registry to look the name up in. If a default scope is set, the registry of that
            scope in the same tree is used.
        default_args: Default arguments, which ``cfg`` overrides.

    Returns:
        The object; an instance managed by name (:class:`eng.utils.ManagerMixin`) is fetched with
        ``get_instance``.

    Raises:
        KeyError: Neither config has the key ``type``.
        NotRegisteredError: The type is not registered; a ``KeyError``.
        TypeError: An argument has the wrong type.
        Exception: Errors of the constructor, with a note that adds the registry, the type and
            the config.

    Examples:
        >>> from eng.registry import Registry
        >>> MODELS = Registry("models")
        >>> @MODELS.register_module()
        ... class ResNet:
        ...     def __init__(self, depth, stages=4):
        ...         self.depth = depth
        >>> model = build_from_cfg(dict(type="ResNet", depth=50), MODELS)
    """
    args = merge_args(cfg, registry, default_args)
    scope, wanted = args.pop("_scope_", None), args.pop("type")
    return build_in_scope(scope, registry, wanted, args, _construct)


def build_in_scope(
    scope: str | None,
    registry: Lookup,
    wanted: object,
    args: PartConfig,
    make: Callable[[Any, PartConfig], Part],
) -> Part:
    """Look up a class or function by its name and build an object with it.

    Args:
        scope: Default scope while the object is built; None leaves it unchanged.
        registry: Registry to look the name up in.
        wanted: The name, or the class or function itself.
        args: Arguments to build it with.
        make: Function that builds the object from the class or function and the arguments.

    Returns:
        The object.

    Raises:
        NotRegisteredError: The type is not registered.
        TypeError: ``wanted`` is neither a name nor callable.
        Exception: Errors of ``make``, with a note that adds the registry, the type and the
            config.
    """
    if scope is not None:
        with DefaultScope.overwrite_default_scope(scope):
            return build_in_scope(None, registry, wanted, args, make)
    scoped = registry.of_default_scope()
    target = _resolve_type(wanted, scoped)
    try:
        return make(target, args)
    except Exception as error:
        _add_note(error, scoped, wanted, args)
        raise


def merge_args(
    cfg: PartConfig, registry: Lookup, default_args: PartConfig | None
) -> dict[str, Any]:
    """Merge a config into default arguments, and check that they have a type.

    Args:
        cfg: Config, which takes precedence.
        registry: Registry that builds it, for messages.
        default_args: Default arguments.

    Returns:
        The arguments, with the key ``type``.

    Raises:
        KeyError: Neither has the key ``type``.
        TypeError: An argument has the wrong type.
    """
    check_cfg(cfg, registry)
    if default_args is None:
        args = dict(cfg)
    elif isinstance(default_args, Mapping):
        args = {**default_args, **cfg}
    else:
        raise TypeError(
            f"default_args should be a dict or None, but got {type(default_args)}: "
            f"{shorten(default_args)}"
        )
    if "type" not in args:
        raise MissingTypeError(
            f"a config for the {registry.scope}::{registry.name} registry must contain the key "
            f'"type"; its keys are {", ".join(map(repr, args)) or "none"}'
        )
    return args


def check_cfg(cfg: object, registry: object) -> None:
    """Raise ``TypeError`` unless a config is a mapping and a registry has the members of one."""
    if not isinstance(cfg, Mapping):
        raise TypeError(
            f"cfg should be a dict, ConfigDict or Config, but got {type(cfg)}: {shorten(cfg)}"
        )
    if not callable(getattr(registry, "of_default_scope", None)):
        raise TypeError(
            f"registry must be an eng.registry.Registry object, but got {shorten(registry)}"
        )


def _construct(target: Registered, args: PartConfig) -> Any:
    if isinstance(target, type) and issubclass(target, ManagerMixin):
        target = target.get_instance
    return target(**args)


def _resolve_type(wanted: object, registry: Lookup) -> Registered:
    if isinstance(wanted, str):
        return registry.require(wanted)
    if callable(wanted):
        return wanted
    raise TypeError(
        f"type must be a str or valid type, but got {type(wanted)}: {shorten(wanted)}, while "
        f"building from the {registry.scope}::{registry.name} registry"
    )


def _add_note(error: Exception, registry: Lookup, wanted: object, args: PartConfig) -> None:
    name = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", shorten(wanted))
    given = ", ".join(_show_argument(key, value) for key, value in args.items())
    note = (
        f"raised while building {name} from the {registry.scope}::{registry.name} registry"
        f"{f' with {given}' if given else ''}{_find_place(error)}"
    )
    # The same as BaseException.add_note, which Python 3.10 does not have.
    notes = getattr(error, "__notes__", None)
    error.__notes__ = [*(notes or []), note]  # type: ignore[attr-defined]


def _find_place(error: BaseException) -> str:
    """Return the innermost line of code that is neither the engine's nor of a library."""
    import sysconfig  # late, as few builds fail

    place, traceback, library = "", error.__traceback__, sysconfig.get_path("stdlib")
    while traceback is not None:
        code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_globals
        file = code.co_filename
        is_of_engine = str(names.get("__name__")).startswith(f"{ROOT_SCOPE}.")
        if not (is_of_engine or "site-packages" in file or file.startswith((library, "<frozen"))):
            place = f", in {file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _show_argument(name: str, value: object) -> str:
    """Return a name, with its value if that is a scalar: others are long."""
    is_scalar = value is None or isinstance(value, (bool, int, float, str))
    return f"{name}={shorten(value)}" if is_scalar else str(name)

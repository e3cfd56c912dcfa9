"""Build an object from a config."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from eng.utils import ManagerMixin

from .part_config import PartConfig, Registered
from .scope import DefaultScope

__all__ = ["Lookup", "build_from_cfg", "build_in_scope", "check_cfg", "merge_args", "shorten"]

Part = TypeVar("Part")

_repr = reprlib.Repr()
_repr.maxdict = _repr.maxlist = _repr.maxtuple = 20
_repr.maxstring = _repr.maxother = 120
#: A representation that fits into a message.
shorten = _repr.repr


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
        """Return what is registered under a name; raise ``NotRegisteredError`` for nothing."""


def build_from_cfg(
    cfg: PartConfig,
    registry: Lookup,
    default_args: PartConfig | None = None,
) -> Any:
    """Build an object from a config: make an instance of a class, or call a function.

    Args:
        cfg: Arguments, with the class or its name under ``type``. A scope under ``_scope_`` is
            the default scope while the object is built.
        registry: Registry to look the name up in; that of the default scope, where there is one,
            is taken from its tree.
        default_args: Arguments for what ``cfg`` does not have.

    Returns:
        The object; an instance managed by name (:class:`eng.utils.ManagerMixin`) is fetched with
        ``get_instance``.

    Raises:
        KeyError: Neither config has the key ``type``.
        NotRegisteredError: Nothing is known under the name; a ``KeyError``.
        TypeError: An argument is of a wrong type.
        Exception: What the constructor raises, with a note that names the registry, the type and
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
    args: dict[str, Any],
    make: Callable[[Any, dict[str, Any]], Part],
) -> Part:
    """Find a class or function by its name and make an object of it.

    Args:
        scope: The default scope in the meantime. None leaves it as it is.
        registry: Registry to look the name up in.
        wanted: The name, or the class or function itself.
        args: The arguments.
        make: Makes the object from the class or function and the arguments.

    Returns:
        The object.

    Raises:
        NotRegisteredError: Nothing is known under the name.
        TypeError: ``wanted`` is neither a name nor callable.
        Exception: What ``make`` raises, with a note that names the registry, the type and the
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
    """Merge a config over default arguments, and check that they name a type.

    Args:
        cfg: The config.
        registry: The registry it is for.
        default_args: Arguments for what ``cfg`` does not have.

    Returns:
        The arguments, with the key ``type``.

    Raises:
        KeyError: Neither has the key ``type``.
        TypeError: An argument is of a wrong type.
    """
    check_cfg(cfg, registry)
    if default_args is None:
        args = dict(cfg)
    elif isinstance(default_args, Mapping):
        args = {**default_args, **cfg}
    else:
        raise TypeError(
            f"default_args should be a dict or None, but got {type(default_args)}: {default_args!r}"
        )
    if "type" not in args:
        raise KeyError(
            '`cfg` or `default_args` must contain the key "type", but got '
            f"{shorten(dict(cfg))} and {default_args!r} for the "
            f"{registry.scope}::{registry.name} registry"
        )
    return args


def check_cfg(cfg: object, registry: object) -> None:
    """Raise TypeError where a config is not a mapping, or a registry not one."""
    if not isinstance(cfg, Mapping):
        raise TypeError(f"cfg should be a dict, ConfigDict or Config, but got {type(cfg)}: {cfg!r}")
    if not callable(getattr(registry, "of_default_scope", None)):
        raise TypeError(f"registry must be an eng.registry.Registry object, but got {registry!r}")


def _construct(target: Registered, args: dict[str, Any]) -> Any:
    if isinstance(target, type) and issubclass(target, ManagerMixin):
        target = target.get_instance
    return target(**args)


def _resolve_type(wanted: object, registry: Lookup) -> Registered:
    if isinstance(wanted, str):
        return registry.require(wanted)
    if callable(wanted):
        return wanted
    raise TypeError(
        f"type must be a str or valid type, but got {type(wanted)}: {wanted!r}, while building "
        f"from the {registry.scope}::{registry.name} registry"
    )


def _add_note(error: Exception, registry: Lookup, wanted: object, args: PartConfig) -> None:
    name = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", repr(wanted))
    note = (
        f"raised while building {name} from the {registry.scope}::{registry.name} registry "
        f"with {shorten(dict(args))}"
    )
    # BaseException.add_note is of python 3.11; this is what it does.
    notes = getattr(error, "__notes__", None)
    error.__notes__ = [*(notes or []), note]  # type: ignore[attr-defined]

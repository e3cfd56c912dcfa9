"""Building objects from configs."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, MutableMapping
from typing import Any

from eng.registry.registry import Registry, not_registered
from eng.registry.scope import DefaultScope
from eng.utils import ManagerMixin

_repr = reprlib.Repr()
_repr.maxdict = _repr.maxlist = _repr.maxtuple = 20
_repr.maxstring = _repr.maxother = 120


def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: Registry,
    default_args: Mapping[str, Any] | None = None,
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
    args = _arguments(cfg, registry, default_args)
    scope = args.pop("_scope_", None)
    if scope is None:
        return _build(args, registry.of_default_scope())
    with DefaultScope.overwrite_default_scope(scope):
        return _build(args, registry.of_default_scope())


def build_model_from_cfg(
    cfg: Mapping[str, Any] | list[Mapping[str, Any]],
    registry: Registry,
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build a model, or a ``torch.nn.Sequential`` from a list of configs.

    Args:
        cfg: Config of a module, or a list of them.
        registry: Registry of the modules.
        default_args: Arguments for what a config does not have.
    """
    if not isinstance(cfg, list):
        return build_from_cfg(cfg, registry, default_args)
    modules = [build_from_cfg(each, registry, default_args) for each in cfg]
    from torch.nn import Sequential

    return Sequential(*modules)


def build_runner_from_cfg(cfg: Mapping[str, Any], registry: Registry) -> Any:
    """Build a runner by the ``from_cfg`` of its class.

    Args:
        cfg: Config of the run. The class, or its name, is under ``runner_type``; without one it
            is ``Runner``.
        registry: Registry of the runners.
    """
    _check(cfg, registry)
    args = cfg.copy() if isinstance(cfg, MutableMapping) and hasattr(cfg, "copy") else dict(cfg)
    with registry.switch_scope_and_registry(args.pop("_scope_", None)) as scoped:
        wanted = args.get("runner_type", "Runner")
        runner_class = _resolve(wanted, scoped)
        try:
            return runner_class.from_cfg(args)
        except Exception as error:
            _add_note(error, scoped, wanted, args)
            raise


def build_scheduler_from_cfg(
    cfg: Mapping[str, Any],
    registry: Registry,
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build a parameter scheduler.

    Args:
        cfg: Config of the scheduler. With a true ``convert_to_iter_based`` it is built by the
            ``build_iter_from_epoch`` of its class, which turns epochs into iterations.
        registry: Registry of the schedulers.
        default_args: Arguments for what ``cfg`` does not have: the optimizer, and
            ``epoch_length``, the iterations of an epoch, where epochs are turned into iterations.

    Raises:
        ValueError: Epochs are to be turned into iterations, but ``epoch_length`` is missing or
            ``by_epoch`` is false.
    """
    args = _arguments(cfg, registry, default_args)
    convert = args.pop("convert_to_iter_based", False)
    if not convert:
        args.pop("epoch_length", None)
        return build_from_cfg(args, registry)
    if args.get("epoch_length") is None or not args.get("by_epoch", True):
        raise ValueError(
            "convert_to_iter_based needs epoch_length, the number of iterations of an epoch, and "
            f"by_epoch=True; the scheduler is {_repr.repr(args)}"
        )
    with registry.switch_scope_and_registry(args.pop("_scope_", None)) as scoped:
        wanted = args.pop("type")
        scheduler_class = _resolve(wanted, scoped)
        try:
            return scheduler_class.build_iter_from_epoch(**args)
        except Exception as error:
            _add_note(error, scoped, wanted, args)
            raise


def _build(args: dict[str, Any], registry: Registry) -> Any:
    wanted = args.pop("type")
    target = _resolve(wanted, registry)
    if isinstance(target, type) and issubclass(target, ManagerMixin):
        target = target.get_instance
    try:
        return target(**args)
    except Exception as error:
        _add_note(error, registry, wanted, args)
        raise


def _resolve(wanted: Any, registry: Registry) -> Any:
    if isinstance(wanted, str):
        found = registry.get(wanted)
        if found is None:
            raise not_registered(registry, wanted)
        return found
    if callable(wanted):
        return wanted
    raise TypeError(
        f"type must be a str or valid type, but got {type(wanted)}: {wanted!r}, while building "
        f"from the {registry.scope}::{registry.name} registry"
    )


def _arguments(
    cfg: Mapping[str, Any], registry: Registry, default_args: Mapping[str, Any] | None
) -> dict[str, Any]:
    _check(cfg, registry)
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
            f"{_repr.repr(dict(cfg))} and {default_args!r} for the "
            f"{registry.scope}::{registry.name} registry"
        )
    return args


def _check(cfg: object, registry: object) -> None:
    if not isinstance(cfg, Mapping):
        raise TypeError(f"cfg should be a dict, ConfigDict or Config, but got {type(cfg)}: {cfg!r}")
    if not isinstance(registry, Registry):
        raise TypeError(f"registry must be an eng.registry.Registry object, but got {registry!r}")


def _add_note(error: Exception, registry: Registry, wanted: Any, args: Any) -> None:
    name = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", repr(wanted))
    note = (
        f"raised while building {name} from the {registry.scope}::{registry.name} registry "
        f"with {_repr.repr(dict(args))}"
    )
    # BaseException.add_note is of python 3.11; this is what it does.
    notes = getattr(error, "__notes__", None)
    error.__notes__ = [*(notes or []), note]  # type: ignore[attr-defined]

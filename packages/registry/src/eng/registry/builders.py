"""Build models, runners and parameter schedulers from their configs."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from .build import Lookup, build_from_cfg, build_in_scope, check_cfg, merge_args, shorten
from .part_config import PartConfig
from .scope import ROOT_SCOPE

__all__ = [
    "build_model_from_cfg",
    "build_optimizer_from_cfg",
    "build_runner_from_cfg",
    "build_scheduler_from_cfg",
]

#: Optimizers need no special treatment: the same as ``build_from_cfg``.
build_optimizer_from_cfg = build_from_cfg


def build_model_from_cfg(
    cfg: PartConfig | list[PartConfig],
    registry: Lookup,
    default_args: PartConfig | None = None,
) -> Any:
    """Build a model, or a sequential model from a list of configs.

    Args:
        cfg: Config of a module, or a list of such configs.
        registry: Registry of modules.
        default_args: Default arguments of each module, which its config overrides.

    Returns:
        The model. A list becomes the ``Sequential`` of eng-model, whose ``init_weights``
        initializes each module, or that of torch if eng-model is not installed.
    """
    if not isinstance(cfg, list):
        return build_from_cfg(cfg, registry, default_args)
    modules = [build_from_cfg(each, registry, default_args) for each in cfg]
    try:
        sequential = registry.require(f"{ROOT_SCOPE}.Sequential")
    except KeyError:
        from torch.nn import Sequential as sequential  # noqa: N813 - a class in its place
    return sequential(*modules)


def build_runner_from_cfg(cfg: PartConfig, registry: Lookup) -> Any:
    """Build a runner with the ``from_cfg`` of its class.

    Args:
        cfg: Config of the run. Its ``runner_type`` is the class of the runner or its name,
            ``Runner`` by default.
        registry: Registry of runners.
    """
    check_cfg(cfg, registry)
    args = cfg.copy() if isinstance(cfg, MutableMapping) and hasattr(cfg, "copy") else dict(cfg)
    scope, wanted = args.pop("_scope_", None), args.get("runner_type", "Runner")
    return build_in_scope(scope, registry, wanted, args, lambda cls, cfg: cls.from_cfg(cfg))


def build_scheduler_from_cfg(
    cfg: PartConfig,
    registry: Lookup,
    default_args: PartConfig | None = None,
) -> Any:
    """Build a parameter scheduler.

    Args:
        cfg: Config of the scheduler. With ``convert_to_iter_based=True`` it is built by
            ``build_iter_from_epoch`` of its class, which converts epochs to iterations.
        registry: Registry of schedulers.
        default_args: Default arguments, which ``cfg`` overrides: the optimizer, and, to convert
            epochs, ``epoch_length``, the number of iterations per epoch.

    Raises:
        ValueError: ``convert_to_iter_based`` is true, but ``epoch_length`` is missing or
            ``by_epoch`` is false.
    """
    args = merge_args(cfg, registry, default_args)
    convert = args.pop("convert_to_iter_based", False)
    if not convert:
        args.pop("epoch_length", None)
        return build_from_cfg(args, registry)
    if args.get("epoch_length") is None or not args.get("by_epoch", True):
        raise ValueError(
            "convert_to_iter_based requires epoch_length, the number of iterations per epoch, and "
            f"by_epoch=True, but got {shorten(args)}"
        )
    scope, wanted = args.pop("_scope_", None), args.pop("type")
    return build_in_scope(
        scope, registry, wanted, args, lambda cls, given: cls.build_iter_from_epoch(**given)
    )

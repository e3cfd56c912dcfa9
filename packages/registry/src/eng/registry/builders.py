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

# Optimizers are built as everything else is.
build_optimizer_from_cfg = build_from_cfg


def build_model_from_cfg(
    cfg: PartConfig | list[PartConfig],
    registry: Lookup,
    default_args: PartConfig | None = None,
) -> Any:
    """Build a model, or from a list of configs the models in a row.

    Args:
        cfg: Config of a module, or a list of them.
        registry: Lookup of the modules.
        default_args: Arguments for what a config does not have.

    Returns:
        The model; for a list the ``Sequential`` of eng-model, whose ``init_weights`` reaches each
        of them, and that of torch where the registry does not have it.
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
    """Build a runner by the ``from_cfg`` of its class.

    Args:
        cfg: Config of the run. The class, or its name, is under ``runner_type``; without one it
            is ``Runner``.
        registry: Lookup of the runners.
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
        cfg: Config of the scheduler. With a true ``convert_to_iter_based`` it is built by the
            ``build_iter_from_epoch`` of its class, which turns epochs into iterations.
        registry: Lookup of the schedulers.
        default_args: Arguments for what ``cfg`` does not have: the optimizer, and
            ``epoch_length``, the iterations of an epoch, where epochs are turned into iterations.

    Raises:
        ValueError: Epochs are to be turned into iterations, but ``epoch_length`` is missing or
            ``by_epoch`` is false.
    """
    args = merge_args(cfg, registry, default_args)
    convert = args.pop("convert_to_iter_based", False)
    if not convert:
        args.pop("epoch_length", None)
        return build_from_cfg(args, registry)
    if args.get("epoch_length") is None or not args.get("by_epoch", True):
        raise ValueError(
            "convert_to_iter_based needs epoch_length, the number of iterations of an epoch, and "
            f"by_epoch=True; the scheduler is {shorten(args)}"
        )
    scope, wanted = args.pop("_scope_", None), args.pop("type")
    return build_in_scope(
        scope, registry, wanted, args, lambda cls, given: cls.build_iter_from_epoch(**given)
    )

"""Activation checkpointing, folding of batch norms, and compilation of models by config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from eng.dl_utils import unwrap
from eng.model import (
    compile_parts,
    find_parts,
    recompute_parts,
    turn_on_efficient_conv_bn_eval,
    wrap_forward,
)

from .errors import RunnerAssertionError, RunnerTypeError
from .protocol import LoopRunner
from .types import Settings

__all__ = [
    "check_model_features",
    "compile_model",
    "compile_target",
    "prepare_model",
    "turn_on_activation_checkpointing",
    "wrap_forward",
]


def check_model_features(cfg: Settings) -> None:
    """Refuse invalid settings of these features.

    Args:
        cfg: The config of the run.

    Raises:
        RunnerConfigError: If one is of a wrong type.
    """
    for key in ("activation_checkpointing", "efficient_conv_bn_eval"):
        if cfg.get(key) is not None:
            _check_names(key, cfg[key])
    given = cfg.get("compile")
    if given is None or isinstance(given, bool):
        return
    if not isinstance(given, Mapping):
        raise RunnerAssertionError(
            "compile must be True, False or a dict of arguments of torch.compile, perhaps with "
            f"'target', not {given!r}"
        )
    _check_names("compile['target']", given.get("target", "train_step"))


def prepare_model(runner: LoopRunner) -> None:
    """Turn on the features of the config that precede the loading of weights.

    Args:
        runner: The runner. ``activation_checkpointing`` and ``efficient_conv_bn_eval`` of its
            config are names of parts of the model, or one such name.
    """
    model, cfg = unwrap(runner.model), runner.cfg
    if cfg.get("activation_checkpointing") is not None:
        turn_on_activation_checkpointing(model, cfg["activation_checkpointing"])
    if cfg.get("efficient_conv_bn_eval") is not None:
        names = _check_names("efficient_conv_bn_eval", cfg["efficient_conv_bn_eval"])
        turn_on_efficient_conv_bn_eval(model, names)


def turn_on_activation_checkpointing(model: nn.Module, modules: str | Sequence[str]) -> None:
    """Recompute the forward pass of parts of a model in the backward pass.

    Their activations are not kept in memory until then, see
    :func:`torch.utils.checkpoint.checkpoint`.

    Args:
        model: The model.
        modules: Names of its parts or of their classes, or one name.

    Raises:
        AttributeError: If the model has no part of a name.
        TypeError: If ``modules`` is neither.
    """
    names = _check_names("activation_checkpointing", modules)
    recompute_parts(find_parts(model, names, "activation_checkpointing"))


def compile_model(runner: LoopRunner) -> None:
    """Compile the target of ``compile`` in the config, once.

    Args:
        runner: The runner. The setting is True, or a dict of arguments of :func:`torch.compile`
            with ``target``: ``'train_step'`` (the default), ``'model'``, or names of blocks or of
            their classes.

    Raises:
        AttributeError: If the model has no block of a name.
    """
    given = runner.cfg.get("compile")
    if not given and not isinstance(given, Mapping):
        return
    if getattr(runner, "strategy", None) is not None:
        return  # which has compiled it
    settings = {} if given is True else dict(given)
    target = compile_target(runner.model, {"target": "train_step", **settings})
    runner.logger.info(f"Compiling {target}: the first iterations take longer.")


def compile_target(model: nn.Module, settings: Settings) -> str | Sequence[str]:
    """Compile a method or blocks of a model, once.

    Args:
        model: The model, possibly wrapped.
        settings: Arguments of :func:`torch.compile`, with ``target``: ``'model'`` or ``'forward'``,
            another method, or dotted names of blocks.

    Returns:
        The target.

    Raises:
        AttributeError: If the model has no method or block of a name.
    """
    settings = dict(settings)
    target = settings.pop("target")
    is_method = isinstance(target, str) and inspect.ismethod(getattr(model, target, None))
    if is_method and target not in ("forward", "compile"):
        setattr(model, target, torch.compile(getattr(model, target), **settings))
        return target
    if isinstance(target, str) and target in vars(model):
        return target  # compiled already
    plain = unwrap(model)
    names = _check_names("compile['target']", target)
    is_whole = target in ("model", "forward")
    compile_parts([plain] if is_whole else find_parts(plain, names, "compile"), **settings)
    return target


def _check_names(setting: str, value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise RunnerTypeError(
            f"{setting or 'modules'} must be a name of a part of the model or a list of names, "
            f"not {value!r}"
        )
    return list(names)

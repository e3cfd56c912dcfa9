"""Activation checkpointing, folding of batch norms, and compilation of models by config."""

from __future__ import annotations

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
    settings = {} if given is True else dict(given)
    target = settings.pop("target", "train_step")
    model = runner.model
    if target == "train_step":
        if "train_step" not in vars(model):
            setattr(model, target, torch.compile(getattr(model, target), **settings))
    else:
        plain = unwrap(model)
        names = _check_names("", target)
        compile_parts(
            [plain] if target == "model" else find_parts(plain, names, "compile"), **settings
        )
    runner.logger.info(f"Compiling {target}: the first iterations take longer.")


def _check_names(setting: str, value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise RunnerTypeError(
            f"{setting or 'modules'} must be a name of a part of the model or a list of names, "
            f"not {value!r}"
        )
    return list(names)

"""Activation checkpointing, folding of batch norms, and compilation of models by config."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from eng.dl_utils import unwrap
from eng.model import turn_on_efficient_conv_bn_eval

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
            config are dotted names of parts of the model, or one such name.
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
        modules: Dotted names of its parts, or one name.

    Raises:
        AttributeError: If the model has no part of a name.
        TypeError: If ``modules`` is neither.
    """
    for part in [
        _find_part(model, name) for name in _check_names("activation_checkpointing", modules)
    ]:
        if not hasattr(part.forward, "recomputes"):
            part.forward = wrap_forward(part.forward)


def wrap_forward(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a forward pass so that it is recomputed in the backward pass.

    Args:
        forward: The method, of any arguments.

    Returns:
        The method to put in its place.
    """

    @functools.wraps(forward)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        # Gradients reach the parameters even where no input needs one.
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)

    recomputed.recomputes = True  # type: ignore[attr-defined]
    return recomputed


def compile_model(runner: LoopRunner) -> None:
    """Compile the target of ``compile`` in the config, once.

    Args:
        runner: The runner. The setting is True, or a dict of arguments of :func:`torch.compile`
            with ``target``: ``'train_step'`` (the default), ``'model'``, or dotted names of blocks.

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
        blocks = (
            [plain]
            if target == "model"
            else [_find_part(plain, n) for n in _check_names("", target)]
        )
        for block in blocks:
            if getattr(block, "_compiled_call_impl", None) is None:
                block.compile(**settings)  # in its place, so that names of weights stay
    runner.logger.info(f"Compiling {target}: the first iterations take longer.")


def _find_part(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        known = ", ".join(each for each, _ in model.named_children())
        raise AttributeError(
            f"{type(model).__name__} has no part {name!r}; its parts are {known}"
        ) from error


def _check_names(setting: str, value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise RunnerTypeError(
            f"{setting or 'modules'} must be a name of a part of the model or a list of names, "
            f"not {value!r}"
        )
    return list(names)

"""The record of what initialised each parameter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from eng.dist import is_main_process
from eng.logging import MMLogger

__all__ = ["recorded_initialization", "update_init_info"]

#: Attribute of every module of a model while it is being initialised: a dict from parameters to
#: what is known of them. One dict serves all of the modules.
RECORD = "_params_init_info"


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Note how the parameters of a module were initialised whose values have changed.

    Does nothing outside of :meth:`BaseModule.init_weights`. A module that initialises parameters
    by itself there may call this to be named in the record.

    Args:
        module: The module.
        init_info: The note.
    """
    record: dict[nn.Parameter, dict[str, Any]] | None = getattr(module, RECORD, None)
    if record is None:
        return
    for parameter in module.parameters():
        entry = record.setdefault(parameter, {"fingerprint": None})
        fingerprint = _fingerprint(parameter)
        if entry["fingerprint"] != fingerprint:
            entry.update(init_info=init_info, fingerprint=fingerprint)


@contextmanager
def recorded_initialization(module: nn.Module) -> Iterator[None]:
    """Record what initialises parameters inside; the outermost of nested ones logs it at the end.

    Args:
        module: The module.

    Yields:
        Nothing.
    """
    if hasattr(module, RECORD):
        yield
        return
    unchanged = f"as before init_weights of {type(module).__name__}"
    record = {
        parameter: {"init_info": unchanged, "fingerprint": _fingerprint(parameter)}
        for parameter in module.parameters()
    }
    for part in module.modules():
        setattr(part, RECORD, record)
    try:
        yield
    finally:
        for part in module.modules():
            if hasattr(part, RECORD):
                delattr(part, RECORD)
    if is_main_process():
        _log(_describe(module, record))


def _fingerprint(parameter: Tensor) -> tuple[float, ...]:
    """Numbers that change with the values: no mean of them alone, which draws may leave at zero."""
    if parameter.is_meta or not parameter.numel():
        return (float(parameter._version),)
    values = parameter.detach().double()
    return (values.mean().item(), torch.linalg.vector_norm(values).item())


def _describe(module: nn.Module, record: dict[nn.Parameter, dict[str, Any]]) -> str:
    """One line a parameter, those initialised in the same way together."""
    by_info: dict[str, list[str]] = {}
    for name, parameter in module.named_parameters():
        info = record[parameter]["init_info"] if parameter in record else "added while initialising"
        by_info.setdefault(info, []).append(f"    {name} {tuple(parameter.shape)}")
    blocks = ("\n".join([f"  {info}", *lines]) for info, lines in by_info.items())
    return "\n".join([f"Parameters of {type(module).__name__} were initialised by", *blocks])


def _log(text: str) -> None:
    """Into the files of the log if there are any, since it is long; else where the log goes."""
    logger = MMLogger.get_current_instance()
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    if not files:
        logger.info(text)
        return
    entry = logger.makeRecord(logger.name, logging.INFO, __file__, 0, text, (), None)
    for handler in files:
        handler.handle(entry)

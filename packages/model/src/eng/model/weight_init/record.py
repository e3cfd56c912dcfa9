"""The record of what initialised each parameter."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from eng.dist import is_main_process
from eng.logging import MMLogger

__all__ = ["log_record", "recorded_initialization", "update_init_info"]

#: Attribute of every module of a model while it is being initialised: a dict from parameters to
#: what is known of them. One dict serves all of the modules.
RECORD = "_params_init_info"

Record: TypeAlias = "defaultdict[nn.Parameter, dict[str, Any]]"


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Note how the parameters of a module were initialised whose values have changed.

    Does nothing outside of :meth:`BaseModule.init_weights`. A module that initialises parameters
    by itself there may call this to be named in the record.

    Args:
        module: The module.
        init_info: The note.
    """
    record: Record | None = getattr(module, RECORD, None)
    if record is None:
        return
    for parameter in module.parameters():
        if _has_changed(record[parameter], parameter):
            record[parameter].update(_entry(parameter, init_info))


@contextmanager
def recorded_initialization(
    module: nn.Module, dump: Callable[[], None] | None = None
) -> Iterator[None]:
    """Record what initialises parameters inside.

    Args:
        module: The module.
        dump: Called at the end of the outermost of nested ones, while the record is still there.
            Defaults to None.

    Yields:
        Nothing.
    """
    if hasattr(module, RECORD):
        yield
        return
    unchanged = f"as before init_weights of {type(module).__name__}"
    record: Record = defaultdict(dict)
    for parameter in module.parameters():
        record[parameter].update(_entry(parameter, unchanged))
    for part in module.modules():
        setattr(part, RECORD, record)
    try:
        yield
        if dump is not None:
            dump()
    finally:
        for part in module.modules():
            if hasattr(part, RECORD):
                delattr(part, RECORD)


def log_record(module: nn.Module) -> None:
    """Log what initialised each parameter of a module, in the main process.

    Args:
        module: The module, while it is being initialised.
    """
    if is_main_process():
        _log(_describe(module, getattr(module, RECORD)))


def _entry(parameter: Tensor, init_info: str) -> dict[str, Any]:
    """What is known of a parameter. Code that initialises it by itself sets the first two."""
    mean = _mean(parameter)
    # The mean again: it tells whether somebody else has set another.
    return {
        "init_info": init_info,
        "tmp_mean_value": mean,
        "fingerprint": (mean, _fingerprint(parameter)),
    }


def _has_changed(entry: dict[str, Any], parameter: Tensor) -> bool:
    """Whether a parameter has other values than when it was recorded."""
    mean, fingerprint = entry.get("fingerprint", (None, None))
    noted = entry.get("tmp_mean_value")
    if noted is not None and noted is not mean:
        return not torch.equal(torch.as_tensor(noted).double().cpu(), _mean(parameter).double())
    if fingerprint is None:  # recorded by somebody else, who has not noted a mean
        return "init_info" not in entry
    return bool(fingerprint != _fingerprint(parameter))


def _mean(parameter: Tensor) -> Tensor:
    if parameter.is_meta or not parameter.numel():
        return torch.zeros(())
    return parameter.detach().mean().cpu() if parameter.is_floating_point() else torch.zeros(())


def _fingerprint(parameter: Tensor) -> tuple[float, ...]:
    """Numbers that change with the values: no mean of them alone, which draws may leave at zero."""
    if parameter.is_meta or not parameter.numel():
        return (float(parameter._version),)
    values = parameter.detach().double()
    return (values.mean().item(), torch.linalg.vector_norm(values).item())


def _describe(module: nn.Module, record: Record) -> str:
    """One line a parameter, those initialised in the same way together."""
    by_info: dict[str, list[str]] = {}
    for name, parameter in module.named_parameters():
        known = record.get(parameter, {})
        info = known.get("init_info", "added while initialising")
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

"""Record how each parameter is initialized."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from eng.dist import is_main_process
from eng.logging import MMLogger

from ..deferred import has_no_values

__all__ = ["log_record", "recorded_initialization", "update_init_info"]

#: Attribute of every module of a model during initialization: one dict of entries by parameter,
#: shared by all modules.
RECORD = "_params_init_info"

#: Information on a parameter by name. Models may set the first two of :func:`_make_entry`.
Entry: TypeAlias = "dict[str, Any]"
Record: TypeAlias = "defaultdict[nn.Parameter, Entry]"


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Record how the parameters of a module whose values have changed were initialized.

    Has no effect outside of :meth:`BaseModule.init_weights`. A module that initializes parameters
    itself may call this.

    Args:
        module: The module.
        init_info: Description of the initialization.
    """
    record: Record | None = getattr(module, RECORD, None)
    if record is None:
        return
    for parameter in module.parameters():
        if _has_changed(record[parameter], parameter):
            record[parameter].update(_make_entry(parameter, init_info))


@contextmanager
def recorded_initialization(
    module: nn.Module, dump: Callable[[], None] | None = None
) -> Iterator[None]:
    """Record the initialization of parameters within a context.

    Args:
        module: The module.
        dump: Called at the end of the outermost context, while the record still exists. Defaults to
            None.

    Yields:
        Nothing.
    """
    if hasattr(module, RECORD):
        yield
        return
    unchanged = f"as before init_weights of {type(module).__name__}"
    record: Record = defaultdict(dict)
    for parameter in module.parameters():
        record[parameter].update(_make_entry(parameter, unchanged))
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
    """Log how each parameter of a module was initialized, in the main process.

    Args:
        module: The module, during its initialization.
    """
    if is_main_process():
        _log(_describe(module, getattr(module, RECORD)))


def _make_entry(parameter: Tensor, init_info: str) -> Entry:
    mean = _compute_mean(parameter)
    # The mean again, to detect whether other code has set "tmp_mean_value".
    return {
        "init_info": init_info,
        "tmp_mean_value": mean,
        "fingerprint": (mean, _take_fingerprint(parameter)),
    }


def _has_changed(entry: Entry, parameter: Tensor) -> bool:
    """Whether the values of a parameter differ from the recorded ones."""
    mean, fingerprint = entry.get("fingerprint", (None, None))
    noted = entry.get("tmp_mean_value")
    if noted is not None and noted is not mean:
        mean_now = _compute_mean(parameter).double()
        return not torch.equal(torch.as_tensor(noted).double().cpu(), mean_now)
    if fingerprint is None:  # recorded by other code, without a mean
        return "init_info" not in entry
    return bool(fingerprint != _take_fingerprint(parameter))


def _compute_mean(parameter: Tensor) -> Tensor:
    if is_lazy(parameter) or has_no_values(parameter) or not parameter.numel():
        return torch.zeros(())
    return parameter.detach().mean().cpu() if parameter.is_floating_point() else torch.zeros(())


def _take_fingerprint(parameter: Tensor) -> tuple[float, ...]:
    """Return numbers that change with the values; not only the mean, which may stay zero."""
    if is_lazy(parameter):  # without values until the first batch
        return ()
    if has_no_values(parameter) or not parameter.numel():
        return (float(parameter._version),)
    values = parameter.detach().double()
    return (values.mean().item(), torch.linalg.vector_norm(values).item())


def _describe(module: nn.Module, record: Record) -> str:
    """Describe each parameter in one line, grouped by initialization."""
    by_info: dict[str, list[str]] = {}
    for name, parameter in module.named_parameters():
        known = record.get(parameter, {})
        info = known.get("init_info", "added during initialization")
        shape = "(by the first batch)" if is_lazy(parameter) else tuple(parameter.shape)
        by_info.setdefault(info, []).append(f"    {name} {shape}")
    blocks = ("\n".join([f"  {info}", *lines]) for info, lines in by_info.items())
    return "\n".join([f"Parameters of {type(module).__name__} were initialized by", *blocks])


def _log(text: str) -> None:
    """Log a long text only to the log files, or to all handlers without files."""
    logger = MMLogger.get_current_instance()
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    if not files:
        logger.info(text)
        return
    entry = logger.makeRecord(logger.name, logging.INFO, __file__, 0, text, (), None)
    for handler in files:
        handler.handle(entry)

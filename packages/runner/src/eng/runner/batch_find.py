"""Find the largest batch size that fits in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from eng.config import Config
from eng.utils import UserError, import_modules_from_strings

from .batch_outcome import BatchTrial
from .batch_search import SizeSearch
from .batch_trial import run_trial
from .counts import check_count

if TYPE_CHECKING:
    from .types import RunConfig

__all__ = ["BatchSizeSearch", "find_batch_size", "search_batch_size"]


@dataclass(frozen=True)
class BatchSizeSearch:
    """The result of a search for the largest batch size.

    Attributes:
        size: The largest batch size that fits, None if none does.
        trials: What was tried, in this order.
        bound: What bounds it: ``'memory'``, ``'samples'`` of the data, or ``'most'``, the limit
            that was given.
    """

    size: int | None
    trials: tuple[BatchTrial, ...]
    bound: str


def find_batch_size(
    cfg: RunConfig,
    *,
    most: int | None = None,
    multiple_of: int = 1,
    memory_limit: int | None = None,
    report: Callable[[BatchTrial], object] | None = None,
) -> BatchSizeSearch:
    """Find the largest batch size that training fits in memory with.

    The size of the config is tried first; it is doubled while it fits, or halved until it does, and
    the rest is bisected. Each trial is a process of its own, which builds the run and trains on the
    first batch of that size, without workers, until an update is done and the next one is under
    way. Nothing is written.

    Args:
        cfg: The config. What it names must be found in another process: in modules, by
            ``custom_imports`` or as classes of modules.
        most: The largest size to try. Defaults to None: the number of samples.
        multiple_of: Only multiples of it are tried. Defaults to 1.
        memory_limit: Bytes that a trial may take. Defaults to None: all of a device; on a CPU what
            is available when the trial starts, so that the machine is not brought down.
        report: Called with each trial. Defaults to None.

    Returns:
        The largest size and the trials.

    Raises:
        UserError: If the config has no training data, several processes, or cannot be sent to
            another process; or if a trial fails for another reason.
    """
    config = cfg if isinstance(cfg, Config) else Config(cfg)
    return search_batch_size(
        config,
        partial(_import_modules, config),
        most=most,
        multiple_of=multiple_of,
        memory_limit=memory_limit,
        report=report,
    )


def search_batch_size(
    cfg: Config,
    load: Callable[[], Config],
    *,
    most: int | None,
    multiple_of: int,
    memory_limit: int | None,
    report: Callable[[BatchTrial], object] | None,
) -> BatchSizeSearch:
    """Find the largest batch size for a config that each trial loads anew.

    Args:
        cfg: The config.
        load: Returns the same config in another process; it must be possible to pickle it.
        most: The largest size to try.
        multiple_of: Only multiples of it are tried.
        memory_limit: Bytes that a trial may take.
        report: Called with each trial.

    Returns:
        The largest size and the trials.

    Raises:
        UserError: See :func:`find_batch_size`.
    """
    unit = check_count("multiple_of", multiple_of, of="the batch size")
    if most is not None:
        check_count("most", most, least=unit, of="the batch size")
    if memory_limit is not None:
        check_count("memory_limit", memory_limit, of="the batch size")
    first = max(1, _read_batch_size(cfg) // unit)
    bound = "memory" if most is None else "most"
    search = SizeSearch(first, None if most is None else most // unit)
    trials: list[BatchTrial] = []
    while (count := search.next()) is not None:
        trial = run_trial(load, count * unit, memory_limit)
        if trial.samples is not None and (
            search.most is None or trial.samples // unit < search.most
        ):
            search.most, bound = trial.samples // unit, "samples"
        if trial.samples is not None and trial.size > trial.samples:
            continue  # nothing was tried
        trials.append(trial)
        if report is not None:
            report(trial)
        search.record(count, trial.fits)
    is_bound = search.most is not None and search.found == search.most
    return BatchSizeSearch(
        search.found * unit or None, tuple(trials), bound if is_bound else "memory"
    )


def _read_batch_size(cfg: Config) -> int:
    if (cfg.get("launcher") or "none") != "none":
        raise UserError("the batch size is found in a single process: leave out the launcher")
    loader = cfg.get("train_dataloader")
    if not isinstance(loader, dict):
        raise UserError("train_dataloader must be a dict whose batch_size can be changed")
    batch_sampler = loader.get("batch_sampler")
    owner = loader if batch_sampler is None else batch_sampler
    if not isinstance(owner, dict) or (batch_sampler is not None and "batch_size" not in owner):
        raise UserError("train_dataloader.batch_sampler has no batch_size that could be changed")
    return check_count("batch_size", owner.get("batch_size", 1), of="train_dataloader")


def _import_modules(cfg: Config) -> Config:
    """Import what the config needs, in another process."""
    imports = cfg.get("custom_imports")
    if imports:
        import_modules_from_strings(**imports)
    return cfg

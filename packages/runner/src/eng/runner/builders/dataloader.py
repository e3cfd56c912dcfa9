"""Build data loaders from configs."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch
from torch.utils.data import DataLoader

from eng.dataset import DefaultSampler, worker_init_fn
from eng.device import is_cuda_available
from eng.dist import get_data_rank
from eng.registry import (
    DATA_SAMPLERS,
    DATASETS,
    FUNCTIONS,
    NotRegisteredError,
    WrongKindError,
)
from eng.utils import DataBatch

from ..dataloader_info import has_indices
from ..errors import RunnerAssertionError, RunnerConfigError, RunnerTypeError
from ..sliced_dataset import first_batches
from ..types import LoaderOrConfig, Settings

__all__ = ["build_dataloader"]

#: Arguments of a data loader, or of a function, by name.
Arguments: TypeAlias = "dict[str, Any]"


def build_dataloader(
    dataloader: LoaderOrConfig, seed: int | None = None, diff_rank_seed: bool = False
) -> DataLoader[DataBatch]:
    """Build a data loader: its dataset, its sampler, how samples become batches, and itself.

    Args:
        dataloader: A config with ``dataset``, ``sampler`` or ``batch_sampler``, perhaps
            ``collate_fn`` and ``worker_init_fn``, which are functions or dicts of a ``type`` (a
            function or its name) and arguments, and arguments of
            :class:`torch.utils.data.DataLoader`. ``num_batch_per_epoch`` cuts the dataset to that
            number of batches, to try a config quickly; ``disable_subprocess_warning`` silences
            warnings in all workers but the first; ``prefetch_to_device`` copies batches to the
            device of the model ahead of their use, from pinned memory unless ``pin_memory`` is
            False. A data loader is returned as it is, as is anything else that is not a config.
        seed: Seed of the sampler and the workers. Defaults to None.
        diff_rank_seed: Whether processes have different seeds, so that the sampler must find a
            common one. Defaults to False.

    Returns:
        The data loader.

    Raises:
        RunnerConfigError: If ``dataset`` is missing, a setting is of a wrong type, or a function
            is not registered.
    """
    if not isinstance(dataloader, Mapping):
        return dataloader
    cfg = copy.copy(dict(dataloader))
    if "dataset" not in cfg:
        raise RunnerConfigError(f"a data loader needs a 'dataset'; its config has {sorted(cfg)}")
    dataset = cfg.pop("dataset")
    if isinstance(dataset, dict):
        dataset = DATASETS.build(dataset)
    if hasattr(dataset, "full_init"):
        dataset.full_init()  # here, not in each worker
    batches = cfg.pop("num_batch_per_epoch", None)
    if batches is not None:
        dataset = first_batches(dataset, batches, _read_batch_size(cfg))
    cfg.update(_build_samplers(cfg, dataset, None if diff_rank_seed else seed))
    cfg["collate_fn"] = _build_collate(cfg.get("collate_fn", {"type": "pseudo_collate"}))
    cfg["worker_init_fn"] = _build_worker_init(cfg, seed)
    if seed is not None:
        # Of its own, so that making an iterator draws nothing from the run's random numbers.
        cfg.setdefault("generator", torch.Generator().manual_seed(seed))
    if not cfg.get("num_workers"):
        cfg.pop("persistent_workers", None)
        cfg.pop("prefetch_factor", None)
    is_ahead = cfg.pop("prefetch_to_device", False)
    if is_ahead:
        cfg.setdefault("pin_memory", is_cuda_available())
    built: Any = DataLoader(dataset=dataset, **cfg)
    built.prefetch_to_device = is_ahead
    return built


def _build_samplers(cfg: Arguments, dataset: object, seed: int | None) -> dict[str, object]:
    sampler = cfg.pop("sampler", None)
    if sampler is not None and cfg.get("shuffle"):
        raise RunnerConfigError(
            "a data loader cannot have both shuffle and a sampler, which decides the order: write "
            "sampler=dict(type='DefaultSampler', shuffle=True), or leave out the sampler"
        )
    if isinstance(sampler, dict):
        sampler = DATA_SAMPLERS.build(sampler, default_args={"dataset": dataset, "seed": seed})
    elif sampler is None and has_indices(dataset):
        # Its order depends on the seed alone, and each process takes its part.
        sampler = DefaultSampler(dataset, shuffle=bool(cfg.pop("shuffle", False)), seed=seed)
    batch_sampler = cfg.pop("batch_sampler", None)
    if isinstance(batch_sampler, dict):
        size = {"batch_size": cfg.pop("batch_size")} if "batch_size" in cfg else {}
        batch_sampler = DATA_SAMPLERS.build(
            batch_sampler, default_args={"sampler": sampler, **size}
        )
        sampler = None
    return {"sampler": sampler, "batch_sampler": batch_sampler}


def _read_batch_size(cfg: Settings) -> int:
    """Samples of a batch, as the config of a data loader or its batch sampler says it."""
    batch_sampler = cfg.get("batch_sampler")
    if isinstance(batch_sampler, Mapping) and "batch_size" in batch_sampler:
        return int(batch_sampler["batch_size"])
    return int(cfg.get("batch_size") or getattr(batch_sampler, "batch_size", None) or 1)


def _build_collate(collate_fn: object) -> Callable[..., DataBatch] | None:
    if collate_fn is None:
        return None
    function, settings = _split_function("collate_fn", collate_fn)
    return partial(function, **settings) if settings else function


def _build_worker_init(cfg: Arguments, seed: int | None) -> Callable[..., object] | None:
    given = cfg.get("worker_init_fn")
    is_silent = cfg.pop("disable_subprocess_warning", False)
    if not isinstance(is_silent, bool):
        raise RunnerTypeError(
            f"disable_subprocess_warning must be True or False, got {is_silent!r}"
        )
    settings = {
        "num_workers": cfg.get("num_workers", 0),
        "rank": get_data_rank(),
        "seed": seed,
        "disable_subprocess_warning": is_silent,
    }
    if given is None:
        return None if seed is None else partial(worker_init_fn, **settings)
    function, extra = _split_function("worker_init_fn", given)
    if not isinstance(given, Mapping):
        return function
    taken = {name: value for name, value in settings.items() if _accepts(function, name)}
    return partial(function, **{**taken, **extra})


def _accepts(function: Callable[..., object], name: str) -> bool:
    """Whether a function has an argument of a name, so that it can be given by keyword."""
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # one written in C has no signature
        return False


def _split_function(place: str, given: object) -> tuple[Callable[..., object], Arguments]:
    """Split a setting into its function and the arguments for it."""
    settings: Arguments = dict(given) if isinstance(given, Mapping) else {"type": given}
    kind, scope = settings.pop("type", None), settings.pop("_scope_", None)
    if not isinstance(given, Mapping) and not callable(given):
        kind = None
    function = _find_function(place, kind, scope)
    if not callable(function):
        shown = repr(given) if isinstance(given, str) else f"a {type(given).__name__}"
        raise RunnerTypeError(
            f"{place} must be a function, or a dict whose 'type' is one or its name, not {shown}"
        )
    return function, settings


def _find_function(place: str, kind: object, scope: str | None) -> object:
    try:
        return FUNCTIONS.type_of({"type": kind, "_scope_": scope})
    except WrongKindError:
        raise
    except NotRegisteredError as error:
        raise RunnerAssertionError(
            f"{place}: no function {kind!r} is registered. {error}"
        ) from None

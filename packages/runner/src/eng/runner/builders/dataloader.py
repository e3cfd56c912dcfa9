"""Build data loaders from configs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from eng.dataset import DefaultSampler, worker_init_fn
from eng.dist import get_rank
from eng.registry import (
    DATA_SAMPLERS,
    DATASETS,
    FUNCTIONS,
    NotRegisteredError,
    WrongKindError,
)
from eng.runner.dataloader_info import has_indices
from eng.runner.errors import RunnerConfigError

__all__ = ["build_dataloader"]


def build_dataloader(
    dataloader: DataLoader | dict[str, Any], seed: int | None = None, diff_rank_seed: bool = False
) -> DataLoader:
    """Build a data loader: its dataset, its sampler, how samples become batches, and itself.

    Args:
        dataloader: A config with ``dataset``, ``sampler`` or ``batch_sampler``, perhaps
            ``collate_fn`` and ``worker_init_fn``, and arguments of
            :class:`torch.utils.data.DataLoader`. A data loader is returned as it is, as
            is anything else that is not a config.
        seed: Seed of the sampler and the workers. Defaults to None.
        diff_rank_seed: Whether processes have different seeds, so that the sampler must find a
            common one. Defaults to False.

    Returns:
        The data loader.

    Raises:
        RunnerConfigError: If ``dataset`` is missing.
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
    cfg.update(_samplers(cfg, dataset, None if diff_rank_seed else seed))
    cfg["collate_fn"] = _collate(cfg.get("collate_fn", {"type": "pseudo_collate"}))
    cfg["worker_init_fn"] = _worker_init(cfg, seed)
    if seed is not None:
        # Of its own, so that making an iterator draws nothing from the run's random numbers.
        cfg.setdefault("generator", torch.Generator().manual_seed(seed))
    if not cfg.get("num_workers"):
        cfg.pop("persistent_workers", None)
        cfg.pop("prefetch_factor", None)
    return DataLoader(dataset=dataset, **cfg)


def _samplers(cfg: dict[str, Any], dataset: Any, seed: int | None) -> dict[str, Any]:
    sampler = cfg.pop("sampler", None)
    if isinstance(sampler, dict):
        sampler = DATA_SAMPLERS.build(sampler, default_args={"dataset": dataset, "seed": seed})
    elif sampler is None and has_indices(dataset):
        # Its order depends on the seed alone, and each process takes its part.
        sampler = DefaultSampler(dataset, shuffle=bool(cfg.pop("shuffle", False)), seed=seed)
    batch_sampler = cfg.pop("batch_sampler", None)
    if isinstance(batch_sampler, dict):
        batch_sampler = DATA_SAMPLERS.build(
            batch_sampler,
            default_args={"sampler": sampler, "batch_size": cfg.pop("batch_size")},
        )
        sampler = None
    return {"sampler": sampler, "batch_sampler": batch_sampler}


def _collate(collate_fn: Any) -> Any:
    if not isinstance(collate_fn, dict):
        return collate_fn
    settings = dict(collate_fn)
    function = _find_function("collate_fn", settings.pop("type"))
    return partial(function, **settings) if settings else function


def _worker_init(cfg: dict[str, Any], seed: int | None) -> Any:
    given = cfg.get("worker_init_fn")
    if given is None and seed is None:
        return None
    settings = {"num_workers": cfg.get("num_workers", 0), "rank": get_rank(), "seed": seed}
    if given is None:
        return partial(worker_init_fn, **settings)
    if not isinstance(given, dict):
        return given
    extra = dict(given)
    function = _find_function("worker_init_fn", extra.pop("type"))
    return partial(function, **{**settings, **extra})


def _find_function(place: str, kind: Any) -> Any:
    if not isinstance(kind, str):
        return kind
    try:
        return FUNCTIONS.require(kind)
    except WrongKindError:
        raise
    except NotRegisteredError as error:
        raise RunnerConfigError(f"{place}: no function {kind!r} is registered. {error}") from None

"""Processes, libraries and seeds, set up before anything else of a run."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from eng.dist import get_rank, init_dist, is_distributed, sync_random_seed
from eng.dl_utils import set_multi_processing

__all__ = ["set_random_seed", "setup_environment"]


def setup_environment(env_cfg: dict[str, Any], launcher: str) -> bool:
    """Set up libraries and, with a launcher, join the other processes.

    Args:
        env_cfg: May hold ``cudnn_benchmark``, ``mp_cfg``, ``dist_cfg`` and ``resource_limit``.
        launcher: ``'none'`` or what started the processes.

    Returns:
        Whether there are several processes.
    """
    torch.backends.cudnn.benchmark = bool(env_cfg.get("cudnn_benchmark", False))
    distributed = launcher != "none"
    set_multi_processing(**env_cfg.get("mp_cfg", {}), distributed=distributed)
    if distributed and not is_distributed():
        settings = dict(env_cfg.get("dist_cfg", {}))
        if settings.get("backend") == "nccl" and not torch.cuda.is_available():
            # The documented default is for GPUs; without one, it is the device that decides.
            settings["backend"] = None
        init_dist(launcher, **settings)
    _raise_limit_of_open_files(int(env_cfg.get("resource_limit", 4096)))
    return distributed


def set_random_seed(
    seed: int | None = None, deterministic: bool = False, diff_rank_seed: bool = False
) -> int:
    """Seed all random number generators.

    Args:
        seed: The seed. Defaults to None: one is drawn and shared by all processes.
        deterministic: Whether torch uses only algorithms that give the same results each time.
            Defaults to False.
        diff_rank_seed: Whether each process adds its rank to the seed. Defaults to False.

    Returns:
        The seed, without the rank.
    """
    if seed is None:
        seed = sync_random_seed()
    own = (seed + get_rank()) if diff_rank_seed else seed
    random.seed(own)
    np.random.seed(own % 2**32)
    torch.manual_seed(own)
    if deterministic:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True)
    return seed


def _raise_limit_of_open_files(wanted: int) -> None:
    """Data loaders with workers pass tensors as open files."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

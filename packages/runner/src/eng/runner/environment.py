"""Set up processes, libraries and seeds before anything else of a run."""

from __future__ import annotations

import operator
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from eng.dist import get_data_rank, get_dist_info, init_dist, is_distributed, sync_random_seed
from eng.dl_utils import set_multi_processing

from .determinism import follow_determinism, use_deterministic_algorithms
from .errors import RunnerTypeError
from .types import Settings

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["Environment", "Seeds", "seed_everything", "seed_run", "setup_environment"]


@dataclass(frozen=True)
class Environment:
    """Processes and seeds of a run.

    Attributes:
        launcher: The launcher of the processes, or ``'none'``.
        rank: Rank of this process.
        world_size: Number of processes.
        randomness: Settings of the seeds: ``seed``, ``diff_rank_seed`` and ``deterministic``.
        seed: The seed of all random number generators, without the rank.
        deterministic: Whether only deterministic algorithms are used.
        mesh: The processes by named axes, None without ``parallel`` in the config.
    """

    launcher: str = "none"
    rank: int = 0
    world_size: int = 1
    randomness: Settings = field(default_factory=dict)
    seed: int = 0
    deterministic: bool = False
    mesh: DeviceMesh | None = None

    def present(self, mesh: DeviceMesh | None = None) -> Environment:
        """The same with the processes as they are now.

        Args:
            mesh: Their mesh. Defaults to None.

        Returns:
            A new environment.
        """
        rank, world_size = get_dist_info()
        return replace(self, rank=rank, world_size=world_size, mesh=mesh)

    @property
    def distributed(self) -> bool:
        """Whether a launcher started the processes."""
        return self.launcher != "none"

    @property
    def diff_rank_seed(self) -> bool:
        """Whether each process adds its rank to the seed."""
        return bool(self.randomness.get("diff_rank_seed", False))

    def with_seed(self, seed: int, deterministic: bool, diff_rank_seed: bool) -> Environment:
        """The same with a seed that was set.

        Args:
            seed: The seed, without the rank.
            deterministic: Whether only deterministic algorithms are used.
            diff_rank_seed: Whether each process adds its rank.

        Returns:
            A new environment.
        """
        asked = {"diff_rank_seed": diff_rank_seed, "deterministic": deterministic}
        randomness = {**self.randomness, **asked}
        return replace(self, seed=seed, deterministic=deterministic, randomness=randomness)


def setup_environment(env_cfg: Settings, launcher: str) -> None:
    """Set up libraries and, with a launcher, join the other processes.

    Args:
        env_cfg: May hold ``cudnn_benchmark``, ``mp_cfg``, ``dist_cfg`` and ``resource_limit``.
        launcher: The launcher of the processes, or ``'none'``.
    """
    torch.backends.cudnn.benchmark = bool(env_cfg.get("cudnn_benchmark", False))
    distributed = launcher != "none"
    set_multi_processing(**(env_cfg.get("mp_cfg") or {}), distributed=distributed)
    if distributed and not is_distributed():
        settings = dict(env_cfg.get("dist_cfg") or {})
        if settings.get("backend") == "nccl" and not torch.cuda.is_available():
            # The documented default is for GPUs; without one, it is the device that decides.
            settings["backend"] = None
        init_dist(launcher, **settings)
    _raise_limit_of_open_files(int(env_cfg.get("resource_limit", 4096)))


class Seeds(NamedTuple):
    """The seed of a run, and that of this process."""

    shared: int
    own: int


def seed_everything(
    seed: int | None = None, deterministic: bool = False, diff_rank_seed: bool = False
) -> Seeds:
    """Seed all random number generators.

    Args:
        seed: The seed. Defaults to None: one is drawn and shared by all processes.
        deterministic: Whether torch uses deterministic algorithms only.
            Defaults to False.
        diff_rank_seed: Whether each process adds its rank to the seed. Defaults to False.

    Returns:
        The seed without the rank, and that of this process.
    """
    seed = sync_random_seed() if seed is None else _check_seed(seed)
    own = (seed + get_data_rank()) if diff_rank_seed else seed
    random.seed(own)
    np.random.seed(own % 2**32)
    torch.manual_seed(own)
    if deterministic:
        use_deterministic_algorithms()
    return Seeds(seed, own)


def _check_seed(seed: object) -> int:
    """Return a seed as an int of Python; one of numpy is taken, too."""
    try:
        return operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        raise RunnerTypeError(f"the seed must be an int or None, not {seed!r}") from None


def seed_run(seed: int | None, deterministic: bool, diff_rank_seed: bool) -> int:
    """Seed all random number generators for a run, and follow its choice of algorithms.

    Args:
        seed: The seed, None to draw one.
        deterministic: Whether torch uses deterministic algorithms only; otherwise it uses those
            that it used before a run that asked for this.
        diff_rank_seed: Whether each process adds its rank to the seed.

    Returns:
        The seed without the rank.
    """
    follow_determinism(deterministic)
    return seed_everything(seed, diff_rank_seed=diff_rank_seed).shared


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

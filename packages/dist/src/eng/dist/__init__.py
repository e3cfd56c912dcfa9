"""Collectives that also work in one process, and launchers."""

from typing import TYPE_CHECKING

from torch.distributed import ReduceOp

from .collect import collect_results, collect_results_cpu, collect_results_gpu
from .devices import cast_data_device, get_comm_device, get_data_device
from .failure import DistributedError, explain_failures, report_failure
from .groups import (
    get_backend,
    get_default_group,
    get_dist_info,
    get_local_group,
    get_local_rank,
    get_local_size,
    get_rank,
    get_world_size,
    init_local_group,
    is_distributed,
    is_main_process,
    master_only,
)
from .initialize import init_dist
from .launchers import MissingVariableError, infer_launcher
from .objects import all_gather_object, broadcast_object_list, gather_object
from .reduce import all_reduce, all_reduce_dict, all_reduce_params
from .stacks import write_stacks_to
from .synchronize import barrier, sync_random_seed
from .tensors import all_gather, broadcast, gather

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "DistributedError",
    "MissingVariableError",
    "ReduceOp",
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "all_reduce_dict",
    "all_reduce_params",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "cast_data_device",
    "collect_results",
    "collect_results_cpu",
    "collect_results_gpu",
    "explain_failures",
    "gather",
    "gather_object",
    "get_backend",
    "get_comm_device",
    "get_data_device",
    "get_default_group",
    "get_dist_info",
    "get_local_group",
    "get_local_rank",
    "get_local_size",
    "get_rank",
    "get_world_size",
    "infer_launcher",
    "init_dist",
    "init_local_group",
    "is_distributed",
    "is_main_process",
    "master_only",
    "report_failure",
    "sync_random_seed",
    "write_stacks_to",
]

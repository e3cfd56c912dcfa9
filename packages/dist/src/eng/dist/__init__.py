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
from .mesh import (
    MESH_AXES,
    get_data_group,
    get_data_info,
    get_data_rank,
    get_data_world_size,
    get_mesh,
    get_tensor_group,
    init_mesh,
    keep_data_ranks,
    resolve_sizes,
    use_mesh,
)
from .objects import all_gather_object, broadcast_object_list, gather_object
from .reduce import all_reduce, all_reduce_dict, all_reduce_params
from .stacks import write_stacks_to
from .synchronize import barrier, sync_random_seed
from .tensors import all_gather, broadcast, gather

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "MESH_AXES",
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
    "get_data_group",
    "get_data_info",
    "get_data_rank",
    "get_data_world_size",
    "get_default_group",
    "get_dist_info",
    "get_local_group",
    "get_local_rank",
    "get_local_size",
    "get_mesh",
    "get_rank",
    "get_tensor_group",
    "get_world_size",
    "infer_launcher",
    "init_dist",
    "init_local_group",
    "init_mesh",
    "is_distributed",
    "is_main_process",
    "keep_data_ranks",
    "master_only",
    "report_failure",
    "resolve_sizes",
    "sync_random_seed",
    "use_mesh",
    "write_stacks_to",
]

"""Names of mmengine.dist, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import all_gather as all_gather
    from eng.dist import all_gather_object as all_gather_object
    from eng.dist import all_reduce as all_reduce
    from eng.dist import all_reduce_dict as all_reduce_dict
    from eng.dist import all_reduce_params as all_reduce_params
    from eng.dist import barrier as barrier
    from eng.dist import broadcast as broadcast
    from eng.dist import broadcast_object_list as broadcast_object_list
    from eng.dist import cast_data_device as cast_data_device
    from eng.dist import collect_results as collect_results
    from eng.dist import collect_results_cpu as collect_results_cpu
    from eng.dist import collect_results_gpu as collect_results_gpu
    from eng.dist import gather as gather
    from eng.dist import gather_object as gather_object
    from eng.dist import get_backend as get_backend
    from eng.dist import get_comm_device as get_comm_device
    from eng.dist import get_data_device as get_data_device
    from eng.dist import get_default_group as get_default_group
    from eng.dist import get_dist_info as get_dist_info
    from eng.dist import get_local_group as get_local_group
    from eng.dist import get_local_rank as get_local_rank
    from eng.dist import get_local_size as get_local_size
    from eng.dist import get_rank as get_rank
    from eng.dist import get_world_size as get_world_size
    from eng.dist import infer_launcher as infer_launcher
    from eng.dist import init_dist as init_dist
    from eng.dist import init_local_group as init_local_group
    from eng.dist import is_distributed as is_distributed
    from eng.dist import is_main_process as is_main_process
    from eng.dist import master_only as master_only
    from eng.dist import sync_random_seed as sync_random_seed

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "all_gather all_gather_object all_reduce all_reduce_dict all_reduce_params barrier broadcast broadcast_object_list cast_data_device collect_results collect_results_cpu collect_results_gpu gather gather_object get_backend get_comm_device get_data_device get_default_group get_dist_info get_local_group get_local_rank get_local_size get_rank get_world_size infer_launcher init_dist init_local_group is_distributed is_main_process master_only sync_random_seed",
    },
    modules="dist utils",
)

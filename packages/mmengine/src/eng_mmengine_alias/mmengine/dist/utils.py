"""Names of mmengine.dist.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_mlu_available as is_mlu_available
    from eng.device import is_musa_available as is_musa_available
    from eng.device import is_npu_available as is_npu_available
    from eng.dist import barrier as barrier
    from eng.dist import cast_data_device as cast_data_device
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

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_mlu_available is_musa_available is_npu_available",
        "eng.dist": "barrier cast_data_device get_backend get_comm_device get_data_device get_default_group get_dist_info get_local_group get_local_rank get_local_size get_rank get_world_size infer_launcher init_dist init_local_group is_distributed is_main_process master_only",
    },
)

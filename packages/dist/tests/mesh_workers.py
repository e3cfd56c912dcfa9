"""What each process of tests/test_mesh.py does."""

from __future__ import annotations

from typing import Any

import torch.distributed as torch_dist

from eng.dist import (
    all_gather_object,
    collect_results,
    get_data_group,
    get_data_info,
    get_data_rank,
    get_data_world_size,
    get_mesh,
    get_rank,
    get_tensor_group,
    get_world_size,
    init_mesh,
    keep_data_ranks,
    use_mesh,
)


def ranks_in_meshes(folder: str) -> dict[str, Any]:
    """Ranks of this process without a mesh, with one, and after another one."""
    found: dict[str, Any] = {"none": _describe()}
    for name, sizes in (("tensor", {"tensor": 2, "data": "rest"}), ("shard", {"shard": "rest"})):
        use_mesh(init_mesh(sizes))
        found[name] = _describe()
        # Sample i is of data rank i % n, as samplers shard them: 5 samples and padding.
        rank, size = get_data_info()
        own = [place % 5 for place in range(rank, 6 if size == 2 else 8, size)]
        for device, where in (("cpu", folder), ("gpu", None)):
            found[f"{name} {device}"] = collect_results(own, 5, device, where)
    use_mesh(None)
    assert get_mesh() is None
    assert get_data_rank() == get_rank()
    return found


def _describe() -> dict[str, Any]:
    tensor_group = get_tensor_group()
    group = get_data_group()
    assert group is get_data_group()
    return {
        "rank": get_data_rank(),
        "size": get_data_world_size(),
        "data": torch_dist.get_process_group_ranks(group),  # type: ignore[arg-type]
        "tensor": tensor_group and torch_dist.get_process_group_ranks(tensor_group),
        "kept": keep_data_ranks(all_gather_object(get_rank())),
        "world": get_world_size(),
    }


def mesh_of_a_destroyed_group() -> None:
    """A mesh does not outlive its processes."""
    use_mesh(init_mesh({"tensor": 2}))
    assert get_data_world_size() == 1
    torch_dist.destroy_process_group()
    assert get_mesh() is None
    assert get_data_info() == (0, 1)
    assert get_tensor_group() is None
    store = torch_dist.HashStore()
    torch_dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    assert get_mesh() is None

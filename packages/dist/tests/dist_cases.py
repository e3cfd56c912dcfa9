"""What each process of the tests runs."""

import os
import time

import eng.dist as dist
import pytest
import torch


def collectives():
    rank, size = dist.get_dist_info()
    last = size - 1
    for dtype in (torch.float32, torch.bfloat16, torch.int16, torch.complex64, torch.bool):
        data = torch.ones(2, 3).to(dtype).t()
        dist.all_reduce(data)
        assert data.tolist() == torch.full((3, 2), size).to(dtype).tolist()
    assert [t.tolist() for t in dist.all_gather(torch.tensor([rank]))] == [[r] for r in range(size)]
    assert dist.all_gather(torch.empty(0, 2))[last].shape == (0, 2)
    assert len(dist.gather(torch.ones(1), dst=last)) == (size if rank == last else 0)
    assert dist.all_gather_object({"r": rank}) == [{"r": r} for r in range(size)]
    objects = [rank, None]
    dist.broadcast_object_list(objects, src=last)
    assert objects == [last, None]
    for device in ("cpu", "gpu"):
        results = dist.collect_results([rank, rank + size], 2 * size - 1, device)
        assert results == (list(range(2 * size - 1)) if rank == 0 else None)
    reduced = {"sum": 2 * size, "mean": 2, "product": 2**size, "min": 2, "max": 2}
    reduced |= {"band": 2, "bor": 2, "bxor": 0 if size % 2 == 0 else 2}
    for op, expected in reduced.items():
        named = {"b": torch.tensor([2]), "a": torch.tensor([[2], [2]], dtype=torch.int32)}
        dist.all_reduce_dict(named, op)
        assert named["b"].tolist() == [expected], op
        assert named["a"].tolist() == [[expected], [expected]], op
    # every rank raises before anything is sent, so that none is left waiting
    for call in (
        lambda: dist.gather(torch.ones(1), dst=size),
        lambda: dist.gather_object(1, dst=-1),
        lambda: dist.broadcast(torch.ones(1), src=size),
        lambda: dist.broadcast_object_list([1], src=size),
    ):
        with pytest.raises(
            ValueError, match=r"=-?\d+ is no rank of the group, whose ranks are \[0"
        ):
            call()
    params = [torch.ones(2, requires_grad=True), torch.ones(3, dtype=torch.int32)]
    dist.all_reduce_params(params, op="mean")
    assert params[0].tolist() == [1, 1]
    dist.barrier(timeout=20)
    return dist.sync_random_seed()


def mismatched():
    if dist.get_world_size() > 1:
        dist.all_gather(torch.ones(dist.get_rank() + 1))


def unpicklable():
    dist.collect_results([1, lambda: 1], 2)


def late():
    if dist.get_rank() == 1:
        time.sleep(6)
    dist.barrier(timeout=1.5)


def ending(how):
    if dist.get_rank() == 1:
        if how == "kill":
            os.kill(os.getpid(), 9)
        raise ValueError("oh no")
    dist.all_reduce(torch.ones(1))

"""What each process of the tests runs."""

import contextlib
import os
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

import eng.dist as dist
from eng.dist import failure


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
            ValueError, match=r"invalid (src|dst)=-?\d+: the global ranks of the group are \[0"
        ):
            call()
    params = [torch.ones(2, requires_grad=True), torch.ones(3, dtype=torch.int32)]
    dist.all_reduce_params(params, op="mean")
    assert params[0].tolist() == [1, 1]
    dist.barrier(timeout=20)
    return dist.sync_random_seed()


OPS = {
    "sum": np.add,
    "mean": np.add,
    "product": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "band": np.bitwise_and,
    "bor": np.bitwise_or,
    "bxor": np.bitwise_xor,
}
INTEGERS = (
    torch.uint8,
    torch.int8,
    torch.uint16,
    torch.int16,
    torch.uint32,
    torch.int32,
    torch.uint64,
    torch.int64,
)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex128)


def every_reduction():
    """Hold each operation on each dtype against numpy, in tensors that are not contiguous."""
    rank, size = dist.get_dist_info()
    for dtype in (*INTEGERS, *FLOATS):
        # numpy has no bfloat16: small whole numbers are the same in float32
        kind = np.float32 if dtype is torch.bfloat16 else torch.empty(0, dtype=dtype).numpy().dtype
        parts = [np.array([[3, 1 + 2 * r], [r, 2]]).astype(kind) for r in range(size)]
        for op, fold in OPS.items():
            data = torch.from_numpy(parts[rank]).to(dtype, copy=True).t()
            if dtype in FLOATS and op in ("band", "bor", "bxor"):
                with pytest.raises(TypeError, match=f"{op} supports only integers and booleans"):
                    dist.all_reduce(data, op)
                continue
            if dtype.is_complex and op in ("min", "max"):
                with pytest.raises(TypeError, match="complex numbers are not ordered"):
                    dist.all_reduce(data, op)
                continue
            dist.all_reduce(data, op)
            expected = fold.reduce(np.stack(parts), axis=0, dtype=kind)
            if op == "mean":
                expected = expected / size if dtype in FLOATS else expected // size
            got = data.t().float().numpy() if dtype is torch.bfloat16 else data.t().numpy()
            np.testing.assert_allclose(got, expected, err_msg=f"{op} of {dtype}")
    big = torch.tensor([2**64 - 1 - rank, 2**63 + rank], dtype=torch.uint64)
    dist.all_reduce(big, "max")
    assert big.tolist() == [2**64 - 1, 2**63 + size - 1]
    full = torch.tensor([2**16 - 1], dtype=torch.uint16)
    dist.all_reduce(full, "mean")
    assert full.tolist() == [2**16 - 1]
    eighth = torch.tensor([1.5]).to(torch.float8_e4m3fn)
    dist.all_reduce(eighth)
    assert eighth.float().tolist() == [1.5 * size]
    with pytest.raises(TypeError, match=r"mean does not support torch\.bool"):
        dist.all_reduce(torch.tensor([True]), "mean")
    with pytest.raises(
        ValueError, match=r"unknown reduce operation 'avg', expected one of: sum, mean"
    ):
        dist.all_reduce(full, "avg")
    for dtype in dict.fromkeys([*INTEGERS, *FLOATS, torch.bool, torch.float8_e5m2]):
        data = torch.tensor([[0, 1], [rank % 2, 1]]).to(dtype).t()
        for other, part in enumerate(dist.all_gather(data)):
            assert part.dtype is dtype
            wanted = torch.tensor([[0, other % 2], [1, 1]])
            assert part.to(torch.complex128).tolist() == wanted.to(torch.complex128).tolist()
        sent = data.clone() if rank == size - 1 else torch.zeros_like(data)
        dist.broadcast(sent, src=size - 1)
        assert sent.float().tolist() == torch.tensor([[0, (size - 1) % 2], [1, 1]]).tolist()


def params_in_buckets():
    rank, size = dist.get_dist_info()
    for bucket, coalesce in ((-1, True), (1, True), (-1, False)):
        params = [torch.full((n,), float(rank)) for n in (10, 300_000, 7)]
        params.append(torch.full((3,), rank, dtype=torch.int64))
        params.append(torch.empty(0))
        params.append(torch.full((3, 4), float(rank)).t())
        params.append(torch.nn.Parameter(torch.full((2, 2), float(rank))))
        dist.all_reduce_params(params, coalesce=coalesce, bucket_size_mb=bucket)
        for param in params:
            assert param.flatten().tolist() == [sum(range(size))] * param.numel()
    _joining_leaves_no_trace(rank, size)


def _joining_leaves_no_trace(rank, size):
    """Memory that is kept between calls carries nothing from one to the next."""
    earlier = [torch.full((3,), float(rank)), torch.full((2, 2), float(rank))]
    dist.all_reduce_params(earlier)
    with torch.inference_mode():
        dist.all_reduce_params([torch.ones(11)])
    dist.all_reduce_params([torch.ones(11)])
    for shapes in ([(3,), (2, 2)], [(2, 2), (3,)], [(7,)], [(3,), (2, 2)]):
        later = [torch.full(shape, rank + 1, dtype=torch.float32) for shape in shapes]
        counts = [torch.full(shape, rank + 1) for shape in shapes]
        dist.all_reduce_params([*later, *counts], op="mean")
        for param in later:
            assert param.flatten().tolist() == [(size + 1) / 2] * param.numel()
        for param in counts:
            assert param.flatten().tolist() == [(size + 1) // 2] * param.numel()
    strided = torch.full((4, 2), float(rank))
    dist.all_reduce_params([strided[:, 0], torch.tensor(1.0)])
    assert strided[:, 0].tolist() == [sum(range(size))] * 4
    assert strided[:, 1].tolist() == [rank] * 4
    for param in earlier:
        assert param.flatten().tolist() == [sum(range(size))] * param.numel()


def local_groups():
    rank, size = dist.get_dist_info()
    with pytest.raises(ValueError, match="is not divisible by num_gpus_per_node"):
        dist.init_local_group(0, size + 1)
    with pytest.raises(RuntimeError, match="init_local_group"):
        dist.get_local_group()
    each = max(1, size // 2)
    dist.init_local_group(rank // each, each)
    group = dist.get_local_group()
    assert dist.get_local_size() == dist.get_world_size(group) == each
    assert dist.get_local_rank() == dist.get_rank(group) == rank % each
    data = torch.tensor([rank])
    dist.all_reduce(data, group=group)
    first = rank // each * each
    assert data.item() == sum(range(first, first + each))
    assert dist.all_gather_object(rank, group) == list(range(first, first + each))


def large_object(megabytes):
    rank, size = dist.get_dist_info()
    mine = np.full(megabytes << 20, rank, dtype=np.uint8)
    gathered = dist.gather_object(mine)
    if rank == 0:
        assert [part.nbytes for part in gathered] == [megabytes << 20] * size
        assert [int(part[-1]) for part in gathered] == list(range(size))
    sent = [mine if rank == 0 else None]
    dist.broadcast_object_list(sent)
    assert sent[0].nbytes == megabytes << 20
    assert int(sent[0][0]) == 0


def bad_lists():
    rank = dist.get_rank()
    with pytest.raises(TypeError, match="data must be a list of objects, not dict"):
        dist.broadcast_object_list({})
    with pytest.raises(ValueError, match="unknown device 'tpu' to collect results on"):
        dist.collect_results([1], 2, device="tpu")
    with pytest.raises(ValueError, match="tmpdir must be None"):
        dist.collect_results([1], 2, device="gpu", tmpdir="x")
    if rank == 1:
        with pytest.raises(
            ValueError, match="length mismatch: rank 0 sends 1 objects, rank 1 has a list of 2"
        ):
            dist.broadcast_object_list([None, None])
    else:
        dist.broadcast_object_list([1])
    dist.barrier()


def collected_in(folder):
    """Results of two sizes, some of them repeated samples, through a folder that is kept."""
    rank, size = dist.get_dist_info()
    Path(folder, "theirs").write_text("x")
    for _ in range(3):
        total = 3 * size - 1
        results = dist.collect_results(list(range(rank, total + 1, size)), total, tmpdir=folder)
        assert results == (list(range(total)) if rank == 0 else None)
    return sorted(path.name for path in Path(folder).iterdir())


def ending_in_backward(how, explained, stderr=os.devnull):
    """Rank 1 ends while the others reduce gradients in the backward pass."""
    rank = dist.get_rank()
    if rank == 0:
        sys.stderr = Path(stderr).open("w", buffering=1)  # noqa: SIM115 - to the very end
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
    for step in range(3):
        loss = model(torch.ones(2, 4)).sum()
        if step == 1 and rank == 1:
            if how == "kill":
                os.kill(os.getpid(), 9)
            raise ValueError("oh no")
        with dist.explain_failures("training") if explained else contextlib.nullcontext():
            loss.backward()


def inside_master_only():
    @dist.master_only
    def meet(group=None):
        dist.barrier(group)
        return True

    main, size = dist.get_rank() == 0, dist.get_world_size()
    groups = [torch.distributed.new_group([rank]) for rank in range(size)] if size > 1 else [None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert meet(groups[0]) is (True if main else None)
    if main and size > 1:
        with pytest.warns(UserWarning, match=r"\(barrier\) is called inside .* master_only"):
            assert meet()
    elif not main:
        meet()
        dist.barrier()
    assert dist.all_gather_object(dist.get_rank()) == list(range(size))


def endless():
    time.sleep(600)


def ending_by_itself():
    os._exit(3)


def own_failure():
    with dist.explain_failures("training"):
        raise RuntimeError("a fault of my own")


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


def late_by_a_glance(rounds):
    """Rank 1 comes when the others give up a wait, to look around and wait again."""
    failure._GLANCE = timedelta(milliseconds=50)
    for number in range(rounds):
        if dist.get_rank() == 1:
            time.sleep(0.05 + (number % 9 - 4) * 0.0003)
        data = torch.ones(1)
        dist.all_reduce(data)
        assert data.item() == dist.get_world_size()


def late_to_a_barrier(rounds):
    for number in range(rounds):
        if dist.get_rank() == 1:
            time.sleep(0.05 + (number % 9 - 4) * 0.0003)
        with contextlib.suppress(TimeoutError):
            dist.barrier(timeout=0.05)
        dist.barrier()


def failing_before_the_group_goes_down():
    """Rank 1 destroys the group on its way out, as many programs do."""
    dist.barrier()  # until both have joined: an end before that is another failure
    try:
        with dist.explain_failures("training"):
            if dist.get_rank() == 1:
                raise ValueError("oh no")
            dist.all_reduce(torch.ones(1))
    finally:
        torch.distributed.destroy_process_group()


def failing_and_caught():
    """Rank 1 catches its error to print one line, as commands do."""
    dist.barrier()
    if dist.get_rank() == 1:
        dist.report_failure(ValueError("oh no"))
        torch.distributed.destroy_process_group()
        sys.exit(2)
    dist.all_reduce(torch.ones(1))


def stuck_in_a_loader(folder, how):
    """Rank 1 sleeps in a function of a known name while the others wait for it."""

    def waits_for_a_disk():
        while not Path(folder, "stacks_rank1.txt").exists():
            time.sleep(0.05)
        time.sleep(1)

    with dist.write_stacks_to(folder), dist.explain_failures("training"):
        if dist.get_rank() == 1:
            waits_for_a_disk()
        if how == "barrier":
            dist.barrier(timeout=0.5)
        elif how == "all_reduce":
            dist.all_reduce(torch.ones(1))
        else:
            model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
            model(torch.ones(2, 4)).sum().backward()


def no_stacks_without_a_hang(folder):
    with dist.write_stacks_to(folder), dist.write_stacks_to("elsewhere"):
        dist.all_reduce(torch.ones(1))
    dist.barrier()
    return sorted(path.name for path in Path(folder).iterdir())

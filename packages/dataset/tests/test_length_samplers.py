"""Samplers that put samples of similar lengths together."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from eng.dataset import (
    BucketBatchSampler,
    DefaultSampler,
    InfiniteSampler,
    LengthGroupedSampler,
    TokenBudgetBatchSampler,
)
from eng.dataset.sample_lengths import read_lengths
from eng.registry import DATA_SAMPLERS

LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=40)


def inner(lengths, epoch=0, rank=0, world=1, **kwargs):
    sampler = DefaultSampler(lengths, seed=3, **kwargs)
    sampler.rank, sampler.world_size = rank, world
    sampler.set_epoch(epoch)
    return sampler


def make(kind, sampler, lengths):
    if kind == "bucket":
        return BucketBatchSampler(sampler, 4, lengths, boundaries=[10, 20])
    return TokenBudgetBatchSampler(sampler, 60, lengths, max_samples=7)


@pytest.mark.parametrize("kind", ["bucket", "budget"])
@given(lengths=LENGTHS, epoch=st.integers(0, 3), world=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_batches_of_all_processes(kind, lengths, epoch, world):
    shares = [list(make(kind, inner(lengths, epoch, r, world), lengths)) for r in range(world)]
    assert len({len(share) for share in shares}) == 1  # else the processes would wait for ever
    assert {len(make(kind, inner(lengths, e, 0, world), lengths)) for e in range(4)} == {
        len(shares[0])
    }
    dealt = [share[step] for step in range(len(shares[0])) for share in shares]
    whole = list(make(kind, inner(lengths, epoch), lengths))
    assert dealt == (whole * world)[: len(dealt)]  # padded from the start
    assert sorted(index for batch in whole for index in batch) == list(range(len(lengths)))
    for batch in whole:
        own = [lengths[index] for index in batch]
        if kind == "bucket":
            assert len(batch) <= 4
            assert len({(length >= 10) + (length >= 20) for length in own}) == 1
        else:
            assert len(batch) <= 7
            assert len(batch) * max(own) <= 60


@pytest.mark.parametrize("kind", ["bucket", "budget"])
def test_epochs_differ_and_repeat(kind):
    lengths = np.random.default_rng(0).integers(1, 30, 100)
    orders = [list(make(kind, inner(lengths, epoch), lengths)) for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    assert {frozenset(b) for b in orders[0]} != {frozenset(b) for b in orders[1]}
    plain = list(make(kind, inner(lengths, 1, shuffle=False), lengths))
    assert plain == list(make(kind, inner(lengths, 0, shuffle=False), lengths))


def test_drop_last_leaves_out_what_fills_no_batch():
    lengths = [1, 2, 3, 11, 12]
    sampler = inner(lengths, shuffle=False)
    assert list(BucketBatchSampler(sampler, 2, lengths, [10], drop_last=True)) == [[0, 1], [3, 4]]
    with pytest.raises(ValueError, match="no bucket has 6 samples, and drop_last"):
        BucketBatchSampler(sampler, 6, lengths, [10], drop_last=True)


@given(lengths=LENGTHS, group=st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_groups_are_sorted(lengths, group):
    order = list(LengthGroupedSampler(lengths, lengths, group, seed=1))
    assert sorted(order) == list(range(len(lengths)))
    for start in range(0, len(order), group):
        own = [lengths[index] for index in order[start : start + group]]
        assert own == sorted(own, reverse=True)


def test_a_grouped_order_is_resumed_on_another_number_of_processes():
    lengths = np.random.default_rng(0).integers(1, 30, 24)
    whole = list(LengthGroupedSampler(range(24), lengths, 8, seed=1))
    state = {"epoch": 0, "position": 8, "seed": 1}
    rest = []
    for rank in range(2):
        sampler = LengthGroupedSampler(range(24), lengths, 8, seed=9)
        sampler.rank, sampler.world_size = rank, 2
        sampler.load_state_dict(state)
        rest.append(list(sampler))
    assert [index for pair in zip(*rest, strict=True) for index in pair] == whole[8:]


def test_in_a_loader_and_out_of_configs():
    data = [{"tokens": torch.arange(n)} for n in (3, 9, 5, 4)]
    config = {"type": "TokenBudgetBatchSampler", "max_tokens": 10, "lengths": "tokens"}
    batch_sampler = DATA_SAMPLERS.build(config, default_args={"sampler": inner(data)})
    loader = DataLoader(data, batch_sampler=batch_sampler, collate_fn=list)
    sizes = sorted([len(each["tokens"]) for each in batch] for batch in loader)
    assert sizes == [[3, 4], [5], [9]]
    assert len(loader) == 3


def test_where_lengths_come_from():
    class Described(list):
        sizes = (4, 5)

        def get_data_info(self, index):
            return {"width": 10 * index, "words": ["a"] * index, "text": "abc"}

    data = Described([0, 0])
    assert read_lengths(data, "sizes").tolist() == [4, 5]
    assert read_lengths(data, "width").tolist() == [0, 10]
    assert read_lengths(data, "words").tolist() == [0, 1]
    assert read_lengths(data, "text").tolist() == [3, 3]
    assert read_lengths(data, torch.tensor([1, 2])).tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"lengths='w': neither Described nor sample 0 has it; .*"):
        read_lengths(data, "w")
    with pytest.raises(ValueError, match=r"one number for each of 2 samples, .* shape \(3,\)"):
        read_lengths(data, [1, 2, 3])
    with pytest.raises(ValueError, match="numbers of at least 0"):
        read_lengths(data, [1, -2])
    with pytest.raises(ValueError, match="numbers of at least 0"):
        read_lengths(data, ["a", "b"])


def test_invalid_arguments():
    lengths = [1, 5]
    with pytest.raises(ValueError, match="sample 1 has 5 tokens, more than max_tokens=4"):
        TokenBudgetBatchSampler(inner(lengths), 4, lengths)
    with pytest.raises(ValueError, match="max_samples must be at least 1"):
        TokenBudgetBatchSampler(inner(lengths), 9, lengths, max_samples=0)
    with pytest.raises(ValueError, match=r"boundaries must ascend, got \[3, 2\]"):
        BucketBatchSampler(inner(lengths), 1, lengths, [3, 2])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        BucketBatchSampler(inner(lengths), 0, lengths, [3])
    with pytest.raises(TypeError, match=r"needs a DefaultSampler, .* not InfiniteSampler"):
        BucketBatchSampler(InfiniteSampler(lengths), 1, lengths, [3])
    with pytest.raises(ValueError, match="group_size must be at least 1"):
        LengthGroupedSampler(lengths, lengths, group_size=0)

import random
from collections import Counter, namedtuple
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.dataset import (
    DefaultSampler,
    InfiniteSampler,
    default_collate,
    pseudo_collate,
    worker_init_fn,
)
from eng.registry import DATA_SAMPLERS, FUNCTIONS

lengths = st.integers(1, 40)
worlds = st.integers(1, 6)


def samplers(cls, length, world, **kwargs):
    """One sampler for each of several processes."""
    made = []
    for rank in range(world):
        sampler = cls(range(length), **kwargs)
        sampler.rank, sampler.world_size = rank, world
        made.append(sampler)
    return made


def taken_together(per_rank):
    """Samples in the order in which all processes together take them."""
    longest = max(len(each) for each in per_rank)
    return [each[i] for i in range(longest) for each in per_rank if i < len(each)]


@given(
    length=lengths,
    world=worlds,
    shuffle=st.booleans(),
    round_up=st.booleans(),
    epoch=st.integers(0, 3),
)
@settings(deadline=None)
def test_an_epoch_has_each_sample_once(length, world, shuffle, round_up, epoch):
    made = samplers(DefaultSampler, length, world, shuffle=shuffle, seed=5, round_up=round_up)
    for sampler in made:
        sampler.set_epoch(epoch)
    per_rank = [list(sampler) for sampler in made]
    assert [len(each) for each in per_rank] == [len(sampler) for sampler in made]
    together = taken_together(per_rank)
    assert sorted(together[:length]) == list(range(length))
    assert together[length:] == [together[i % length] for i in range(len(together) - length)]
    assert len(together) == (-(-length // world) * world if round_up else length)
    if not shuffle:
        assert together[:length] == list(range(length))


@given(
    length=lengths,
    old=worlds,
    new=worlds,
    batch=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    stop=st.integers(0, 20),
    round_up=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_a_stop_and_a_resume_on_another_world_size_lose_and_repeat_nothing(
    length, old, new, batch, seed, stop, round_up
):
    first = samplers(DefaultSampler, length, old, seed=seed, round_up=round_up)
    for sampler in first:
        sampler.set_epoch(1)
    before = [list(islice(sampler, stop * batch)) for sampler in first]
    done = taken_together(before)
    state = {**first[0].state_dict(), "position": len(done)}
    second = samplers(DefaultSampler, length, new, seed=0, round_up=round_up)
    for sampler in second:
        sampler.load_state_dict(state)
        sampler.set_epoch(1)
    after = [list(sampler) for sampler in second]
    if round_up:
        assert len({len(each) for each in after}) == 1
        assert sum(map(len, after)) - max(length - len(done), 0) in range(new)
    together = (done + taken_together(after))[:length]
    assert sorted(together) == list(range(length))
    assert together == taken_together(
        [list(s) for s in _at_epoch(samplers(DefaultSampler, length, 1, seed=seed), 1)]
    )
    # the epoch after is whole again
    again = [list(sampler) for sampler in _at_epoch(second, 2)]
    assert Counter(taken_together(again)[:length]) == Counter(range(length))


def _at_epoch(made, epoch):
    for sampler in made:
        sampler.set_epoch(epoch)
    return made


def test_epochs_differ_and_repeat_with_their_number():
    sampler = DefaultSampler(range(50), seed=1)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[2] != orders[1]


def test_a_position_belongs_to_its_epoch():
    sampler = DefaultSampler(range(4), shuffle=False, seed=0)
    sampler.load_state_dict({"epoch": 3, "position": 2, "seed": 0})
    sampler.set_epoch(3)
    assert list(sampler) == [2, 3]
    assert list(sampler) == [0, 1, 2, 3]
    sampler.load_state_dict({"epoch": 3, "position": 2, "seed": 0})
    sampler.set_epoch(4)
    assert list(sampler) == [0, 1, 2, 3]


@given(length=lengths, old=worlds, new=worlds, stop=st.integers(0, 60), shuffle=st.booleans())
@settings(deadline=None)
def test_an_infinite_sampler_goes_on_where_it_was(length, old, new, stop, shuffle):
    whole = list(islice(InfiniteSampler(range(length), shuffle=shuffle, seed=3), 200))
    for start in range(0, 200 - length, length):
        assert sorted(whole[start : start + length]) == list(range(length))
    made = samplers(InfiniteSampler, length, old, shuffle=shuffle, seed=3)
    done = taken_together([list(islice(sampler, stop)) for sampler in made])
    resumed = samplers(InfiniteSampler, length, new, shuffle=shuffle, seed=99)
    for sampler in resumed:
        sampler.load_state_dict({**made[0].state_dict(), "position": len(done)})
        sampler.set_epoch(7)
    rest = taken_together([list(islice(sampler, 30)) for sampler in resumed])
    wanted = list(
        islice(InfiniteSampler(range(length), shuffle=shuffle, seed=3), len(done) + len(rest))
    )
    assert done + rest == wanted
    assert len(made[0]) == length


@pytest.mark.parametrize("cls", [DefaultSampler, InfiniteSampler])
def test_an_empty_dataset_is_an_error(cls):
    with pytest.raises(
        ValueError, match=f"{cls.__name__} has nothing to sample from: list is empty"
    ):
        cls([])
    assert DATA_SAMPLERS.get(cls.__name__) is cls


def test_a_seed_is_drawn_if_none_is_given():
    sampler = DefaultSampler(range(9))
    assert isinstance(sampler.seed, int)
    other = DefaultSampler(range(9))
    other.load_state_dict(sampler.state_dict())
    assert list(other) == list(sampler)


# ------------------------------------------------------------------ collates

Pair = namedtuple("Pair", "image label")


def test_pseudo_collate_turns_samples_inside_out():
    samples = [{"inputs": torch.full((2,), i), "meta": Pair(i, [str(i), None])} for i in range(3)]
    out = pseudo_collate(samples)
    assert [t[0].item() for t in out["inputs"]] == [0, 1, 2]
    assert out["meta"] == Pair([0, 1, 2], [["0", "1", "2"], [None, None, None]])
    assert pseudo_collate([(1, "a"), (2, "b")]) == ([1, 2], ["a", "b"])
    assert pseudo_collate(["ab", "cd"]) == ["ab", "cd"]


def test_default_collate_stacks_what_it_can():
    marker = object()
    samples = [
        {
            "t": torch.full((2,), i),
            "a": np.ones(2) * i,
            "n": i,
            "f": i / 2,
            "s": "x",
            "o": marker,
            "none": None,
        }
        for i in range(3)
    ]
    out = default_collate(samples)
    assert out["t"].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert out["a"].shape == (3, 2)
    assert out["n"].tolist() == [0, 1, 2]
    assert out["f"].tolist() == [0, 0.5, 1]
    assert (out["s"], out["o"], out["none"]) == (["x"] * 3, [marker] * 3, [None] * 3)
    images, labels = default_collate([(torch.zeros(2), 1), (torch.ones(2), 2)])
    assert images.shape == (2, 2)
    assert labels.tolist() == [1, 2]


@pytest.mark.parametrize("collate", [pseudo_collate, default_collate])
def test_samples_of_different_lengths(collate):
    with pytest.raises(ValueError, match=r"same number of elements here, got \[1, 2\]"):
        collate([{"boxes": [1, 2]}, {"boxes": [1]}])
    assert FUNCTIONS.get(collate.__name__) is collate


def test_each_worker_has_random_numbers_of_its_own():
    def draw(worker, rank):
        worker_init_fn(worker, num_workers=2, rank=rank, seed=3)
        return random.random(), np.random.rand(), torch.rand(1).item()

    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        drawn = [draw(worker, rank) for rank in range(2) for worker in range(2)]
        assert len(set(drawn)) == 4
        assert draw(1, 1) == drawn[3]
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])

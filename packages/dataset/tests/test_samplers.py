"""Samplers: each sample once an epoch, whatever stops and whoever goes on."""

import json
import pickle
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, DataLoader

from eng.dataset import DefaultSampler, InfiniteSampler, sampler_with, samplers_of
from eng.registry import DATA_SAMPLERS

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


def epoch_one(length, seed):
    """The documented order: that of one process."""
    sampler = DefaultSampler(range(length), seed=seed)
    sampler.set_epoch(1)
    return list(sampler)


@given(
    length=lengths,
    old=worlds,
    new=worlds,
    batch=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    stop=st.integers(0, 20),
    round_up=st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_a_stop_and_a_resume_on_another_world_size_lose_and_repeat_nothing(
    length, old, new, batch, seed, stop, round_up
):
    first = samplers(DefaultSampler, length, old, seed=seed, round_up=round_up)
    loaders = [DataLoader(range(length), batch, sampler=s) for s in _at_epoch(first, 1)]
    before = [[int(i) for b in islice(loader, stop) for i in b] for loader in loaders]
    done = taken_together(before)
    # As a run does, all go on from where the first process was.
    state = first[0].state_dict()
    assert state["position"] == len(done)
    second = samplers(DefaultSampler, length, new, seed=0, round_up=round_up)
    for sampler in second:
        sampler.load_state_dict(state)
        assert sampler.state_dict() == state
        sampler.set_epoch(1)
    loaders = [DataLoader(range(length), batch, sampler=sampler) for sampler in second]
    after = [[int(i) for b in loader for i in b] for loader in loaders]
    if round_up:
        assert len({len(each) for each in after}) == 1
        assert sum(map(len, after)) - max(length - len(done), 0) in range(new)
    together = (done + taken_together(after))[:length]
    assert sorted(together) == list(range(length))
    assert together == epoch_one(length, seed)
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


@given(
    length=lengths,
    old=worlds,
    new=worlds,
    batch=st.integers(1, 5),
    stop=st.integers(0, 12),
    shuffle=st.booleans(),
)
@settings(deadline=None)
def test_an_infinite_sampler_goes_on_where_it_was(length, old, new, batch, stop, shuffle):
    whole = list(islice(InfiniteSampler(range(length), shuffle=shuffle, seed=3), 200))
    for start in range(0, 200 - length, length):
        assert sorted(whole[start : start + length]) == list(range(length))

    def take(made, count):
        loaders = [DataLoader(range(length), batch, sampler=sampler) for sampler in made]
        per_rank = [[int(i) for b in islice(loader, count) for i in b] for loader in loaders]
        return taken_together(per_rank)

    made = samplers(InfiniteSampler, length, old, shuffle=shuffle, seed=3)
    done = take(made, stop)
    state = made[0].state_dict()
    assert state["position"] == len(done)
    resumed = samplers(InfiniteSampler, length, new, shuffle=shuffle, seed=99)
    for sampler in resumed:
        sampler.load_state_dict(state)
        sampler.set_epoch(7)
    rest = take(resumed, 6)
    wanted = islice(InfiniteSampler(range(length), shuffle=shuffle, seed=3), len(done) + len(rest))
    assert done + rest == list(wanted)
    assert len(made[0]) == length


def test_a_new_iteration():
    """It begins an epoch again, but goes on with an endless order."""
    sampler = DefaultSampler(range(6), shuffle=False)
    assert list(islice(sampler, 4)) == [0, 1, 2, 3]
    assert list(sampler) == list(sampler) == list(range(6))
    endless = InfiniteSampler(range(3), shuffle=False)
    assert list(islice(endless, 4)) == [0, 1, 2, 0]
    assert list(islice(endless, 3)) == [1, 2, 0]


def test_an_epoch_that_is_done_has_nothing_left():
    sampler = DefaultSampler(range(5), seed=0)
    list(sampler)
    state = sampler.state_dict()
    assert state == {"epoch": 0, "position": 5, "seed": 0}
    other = DefaultSampler(range(5))
    other.load_state_dict(state)
    other.set_epoch(0)
    assert list(other) == []
    other.set_epoch(1)
    assert sorted(other) == list(range(5))


class Watched:
    """A dataset of which nothing may be read."""

    def __len__(self):
        return 10**12

    def __getitem__(self, index):
        raise AssertionError("read")


@pytest.mark.parametrize("cls", [DefaultSampler, InfiniteSampler])
def test_a_position_is_reached_without_steps(cls):
    # So far in that to step there would never end.
    sampler = cls(Watched(), shuffle=False, seed=0)
    sampler.load_state_dict({"epoch": 0, "position": 10**12 - 1, "seed": 0})
    assert next(iter(sampler)) == 10**12 - 1
    shuffled = InfiniteSampler(range(5), seed=0)
    shuffled.load_state_dict({"epoch": 0, "position": 5 * 10**12, "seed": 0})
    assert sorted(islice(shuffled, 5)) == list(range(5))


def test_indices_are_ordinary_numbers():
    index = next(iter(DefaultSampler(range(9), seed=0)))
    assert isinstance(index, int)
    assert torch.arange(9)[index] == index
    assert np.array([index]).dtype == np.int64
    assert json.dumps(index) == str(int(index))
    again = pickle.loads(pickle.dumps(index))
    assert (again, again.origin) == (index, (0, 0, 0))


@pytest.mark.parametrize("cls", [DefaultSampler, InfiniteSampler])
def test_bad_states(cls):
    sampler = cls(range(3))
    with pytest.raises(
        ValueError, match=rf"missing keys in the state of {cls.__name__}: \['epoch', 'seed'\]"
    ):
        sampler.load_state_dict({"position": 1})
    with pytest.raises(ValueError, match="at least 0, not -1"):
        sampler.load_state_dict({"epoch": 0, "position": -1, "seed": 0})


@pytest.mark.parametrize("cls", [DefaultSampler, InfiniteSampler])
def test_an_empty_dataset_is_an_error(cls):
    with pytest.raises(
        ValueError, match=f"{cls.__name__} cannot sample from an empty dataset: list"
    ):
        cls([])
    assert DATA_SAMPLERS.get(cls.__name__) is cls


def test_a_seed_is_drawn_if_none_is_given():
    sampler = DefaultSampler(range(9))
    assert isinstance(sampler.seed, int)
    other = DefaultSampler(range(9))
    other.load_state_dict(sampler.state_dict())
    assert list(other) == list(sampler)


def test_finding_the_sampler_of_a_loader():
    sampler = DefaultSampler(range(4))
    plain = DataLoader(range(4), sampler=sampler)
    assert samplers_of(plain) == [sampler, sampler]
    batched = DataLoader(range(4), batch_sampler=BatchSampler(sampler, 2, False))
    assert sampler_with(batched, "set_epoch") is sampler_with(plain, "set_epoch") is sampler
    assert sampler_with(DataLoader(range(4)), "set_epoch") is None
    assert samplers_of(object()) == []


@pytest.mark.parametrize(("length", "size"), [(1, 1), (7, 7), (10, 10)])
def test_sizes_have_their_names(length, size):
    for round_up in (True, False):
        sampler = DefaultSampler(range(length), seed=0, round_up=round_up)
        assert sampler.num_samples == len(sampler) == len(list(sampler)) == size
    assert InfiniteSampler(range(length), seed=0).size == size


@pytest.mark.parametrize(
    ("length", "world", "round_up", "counts"),
    [(7, 2, True, [4, 4]), (7, 2, False, [4, 3]), (1, 3, False, [1, 0, 0]), (1, 3, True, [1] * 3)],
)
def test_the_number_of_samples_is_that_of_a_process(monkeypatch, length, world, round_up, counts):
    for rank, count in enumerate(counts):
        monkeypatch.setattr("eng.dataset.sampler.get_data_info", lambda r=rank: (r, world))
        sampler = DefaultSampler(range(length), seed=0, round_up=round_up)
        assert sampler.num_samples == len(list(sampler)) == count


class Backwards(InfiniteSampler):
    """Gives the samples from the last to the first, again and again."""

    def _infinite_indices(self):
        while True:
            yield from reversed(range(len(self.dataset)))


@pytest.mark.parametrize("world", [1, 2])
def test_an_infinite_order_of_ones_own_is_shared_out_and_resumed(world):
    made = samplers(Backwards, 3, world)
    first = [list(islice(sampler, 4)) for sampler in made]
    assert taken_together(first) == [2, 1, 0, 2, 1, 0, 2, 1][: 4 * world]
    for sampler in samplers(Backwards, 3, world):
        sampler.load_state_dict({**made[0].state_dict(), "position": 2 * world})
        rest = [2, 1, 0, 2, 1, 0, 2, 1][2 * world + sampler.rank :: world]
        assert list(islice(sampler, 2)) == rest[:2]


def test_the_infinite_order_is_asked_for_by_its_older_names():
    sampler, other = samplers(InfiniteSampler, 5, 2, seed=3)
    together = list(islice(sampler._infinite_indices(), 12))
    assert sorted(together[:5]) == sorted(together[5:10]) == list(range(5))
    assert list(islice(other._indices_of_rank(), 6)) == together[1::2] == list(islice(other, 6))


def test_a_subclass_may_set_the_size_of_an_epoch():
    class Short(DefaultSampler):
        def __init__(self, dataset, per_rank, **kwargs):
            super().__init__(dataset, **kwargs)
            self.num_samples = per_rank
            self.total_size = per_rank * self.world_size

    whole = list(DefaultSampler(range(5), seed=3))
    for size, wanted in ((2, whole[:2]), (7, whole + whole[:2])):
        sampler = Short(range(5), size, seed=3)
        assert len(sampler) == sampler.num_remaining == size
        assert list(sampler) == wanted
    assert list(Short(range(5), 7, seed=3, round_up=False)) == whole
    resumed = Short(range(5), 7, seed=3)
    resumed.load_state_dict({"epoch": 0, "position": 4, "seed": 3})
    assert list(resumed) == [*whole, *whole[:2]][4:]


def test_a_subclass_may_set_the_size_of_an_infinite_order():
    class First(InfiniteSampler):
        def __init__(self, dataset, **kwargs):
            super().__init__(dataset, **kwargs)
            self.size = 2

    sampler = First(range(5), shuffle=False)
    assert len(sampler) == 2
    assert list(islice(sampler, 5)) == [0, 1, 0, 1, 0]
    assert sorted(islice(First(range(5), seed=1), 2)) == [0, 1]


def test_a_subclass_may_have_a_constructor_of_its_own():
    class Own(DefaultSampler):
        def __init__(self, dataset):
            self.dataset, self.shuffle, self.seed, self.round_up = dataset, True, 3, True
            self.rank, self.world_size = 0, 1
            self.num_samples = self.total_size = len(dataset)

    assert list(Own(range(5))) == list(DefaultSampler(range(5), seed=3))


@pytest.mark.parametrize("cls", [DefaultSampler, InfiniteSampler])
def test_a_seed_may_be_an_integer_of_numpy(cls):
    assert list(islice(cls(range(5), seed=np.int64(3)), 5)) == list(
        islice(cls(range(5), seed=3), 5)
    )
    assert type(cls(range(5), seed=np.int64(3)).state_dict()["seed"]) is int

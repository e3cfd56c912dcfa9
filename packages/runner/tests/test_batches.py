"""Batches from any position in the data on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, SequentialSampler

from eng.dataset import DefaultSampler, InfiniteSampler
from eng.logging import MMLogger
from eng.runner.batches import ResumableBatches
from eng.runner.dataloader_info import reseed, samples_per_step
from eng.runner.progress import Progress

SAMPLES = list(range(10))


def loader(sampler: Any = None, batch_size: int = 4, **settings: Any) -> DataLoader:
    sampler = DefaultSampler(SAMPLES, shuffle=True, seed=3) if sampler is None else sampler
    return DataLoader(SAMPLES, batch_size=batch_size, sampler=sampler, **settings)  # type: ignore[arg-type]


def read(batches: ResumableBatches, progress: Progress, number: int) -> list[list[int]]:
    found = []
    for batch in itertools.islice(batches, number):
        found.append(batch.tolist())
        progress.count_iterations()
    return found


def test_the_rest_of_an_epoch_is_that_of_the_whole_one() -> None:
    progress = Progress()
    whole = [batch.tolist() for _, batch in ResumableBatches(loader(), progress).rest_of_epoch()]
    assert sorted(itertools.chain(*whole)) == SAMPLES
    progress = Progress(position=8)
    batches = ResumableBatches(loader(), progress)
    batches.seek()
    assert [(i, b.tolist()) for i, b in batches.rest_of_epoch()] == [(2, whole[2])]


@pytest.mark.parametrize("sampler", [DefaultSampler, InfiniteSampler])
@pytest.mark.parametrize("done", range(8))
def test_an_endless_run_continues_where_it_was(sampler: Any, done: int) -> None:
    def make() -> DataLoader:
        return loader(sampler(SAMPLES, shuffle=True, seed=3))

    progress = Progress(by_epoch=False)
    whole = read(ResumableBatches(make(), progress), progress, 8)
    stopped = Progress(by_epoch=False)
    read(ResumableBatches(make(), stopped), stopped, done)
    resumed = Progress(by_epoch=False)
    resumed.load_state_dict(stopped.state_dict())
    batches = ResumableBatches(make(), resumed)
    batches.seek()
    assert read(batches, resumed, 8 - done) == whole[done:]


def test_a_sampler_that_cannot_be_moved_is_read_up_to_the_position() -> None:
    progress = Progress(position=4)
    batches = ResumableBatches(loader(SequentialSampler(SAMPLES)), progress)
    batches.seek()
    assert [batch.tolist() for _, batch in batches.rest_of_epoch()] == [[4, 5, 6, 7], [8, 9]]
    # Only once: the next epoch is a whole one.
    progress.count_epoch()
    assert [number for number, _ in batches.rest_of_epoch()] == [0, 1, 2]


def test_counts_of_iterations_alone_are_taken_to_be_of_batches_like_these() -> None:
    progress = Progress(by_epoch=False, iter=7)
    batches = ResumableBatches(loader(), progress)
    batches.seek_iteration(7)  # an epoch has three batches
    assert (progress.data_epoch, progress.position) == (2, 4)


def test_batches_of_a_batch_sampler() -> None:
    batch_sampler = BatchSampler(DefaultSampler(SAMPLES, shuffle=True, seed=3), 3, drop_last=False)
    dataloader = DataLoader(SAMPLES, batch_sampler=batch_sampler)  # type: ignore[arg-type]
    assert samples_per_step(dataloader) == 3
    progress = Progress()
    whole = [batch.tolist() for _, batch in ResumableBatches(dataloader, progress).rest_of_epoch()]
    progress.position = 6
    batches = ResumableBatches(dataloader, progress)
    batches.seek()
    assert [(i, b.tolist()) for i, b in batches.rest_of_epoch()] == [(2, whole[2]), (3, whole[3])]


def test_another_seed_gives_the_order_of_the_other_run() -> None:
    first = loader(DefaultSampler(SAMPLES, shuffle=True, seed=1))
    second = loader(DefaultSampler(SAMPLES, shuffle=True, seed=2))
    reseed(second, 1)
    assert [b.tolist() for b in first] == [b.tolist() for b in second]
    reseed(loader(RandomSampler(SAMPLES, generator=torch.Generator())), 1)  # has none: left alone


def test_a_function_for_workers_keeps_arguments_of_its_own() -> None:
    for settings in ({}, {"seed": 5}, {"seed": None}):
        init = partial(print, **settings)
        dataloader = loader(num_workers=1, worker_init_fn=init)
        reseed(dataloader, 1)
        assert dataloader.worker_init_fn is init
        reseed(dataloader, 1, instead_of=3)
        assert dataloader.worker_init_fn is init
    dataloader = loader(num_workers=1, worker_init_fn=partial(print, seed=3))
    reseed(dataloader, 1, instead_of=3)
    assert dataloader.worker_init_fn.keywords == {"seed": 1}  # type: ignore[union-attr]


@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("give_up", [ResumableBatches.abandon, ResumableBatches.close])
def test_what_is_given_up_at_any_moment_continues_its_order(give_up: Any, at: int) -> None:
    def read_all(stop_at: int | None) -> list[list[int]]:
        generator = torch.Generator().manual_seed(1)
        dataloader = DataLoader(SAMPLES, batch_size=4, shuffle=True, generator=generator)  # type: ignore[arg-type]
        progress = Progress()
        batches = ResumableBatches(dataloader, progress)
        found: list[list[int]] = []
        while progress.epoch < 3:
            if len(found) == stop_at and progress.position == 0:  # between two epochs
                give_up(batches)
            for _, batch in batches.rest_of_epoch():
                if len(found) == stop_at:  # taken, and not trained on
                    stop_at = None
                    give_up(batches)
                    break
                found.append(batch.tolist())
                progress.count_iterations()
            else:
                progress.count_epoch()
        return found

    assert read_all(at) == read_all(None)


class Counting(Sampler[int]):
    """A sampler whose order depends on how often it was read, of which nobody knows."""

    def __init__(self) -> None:
        self.times = 0

    def __len__(self) -> int:
        return len(SAMPLES)

    def __iter__(self) -> Iterator[int]:
        self.times += 1
        return iter(SAMPLES[self.times :] + SAMPLES[: self.times])


@pytest.mark.parametrize("in_batches", [False, True])
def test_an_order_that_is_another_after_a_resume_is_reported(
    in_batches: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(sampler: Sampler[int]) -> DataLoader:
        if not in_batches:
            return loader(sampler)
        return DataLoader(SAMPLES, batch_sampler=Grouping(sampler, 4, False))  # type: ignore[arg-type]

    MMLogger.get_instance(f"orders-{in_batches}")  # what is reported goes to the newest one
    for sampler_class, is_said in ((Counting, True), (partial(SequentialSampler, SAMPLES), False)):
        progress = Progress(by_epoch=False)
        batches = ResumableBatches(make(sampler_class()), progress)
        read(batches, progress, 4)
        state = batches.state_dict(progress)
        resumed = ResumableBatches(make(sampler_class()), progress)
        resumed.load_state_dict(state)
        read(resumed, progress, 1)
        assert ("another order than before" in capsys.readouterr().out) is is_said


class Grouping(BatchSampler):
    """A batch sampler that is not torch's own."""

"""The counts of training, and what they will be at the end of a stage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eng.runner.progress import Progress

counts = st.integers(0, 50)
progresses = st.builds(
    Progress,
    epoch=counts,
    iter=counts,
    data_epoch=counts,
    position=counts,
    validated=st.booleans(),
    by_epoch=st.booleans(),
    samples_per_iter=st.integers(1, 8),
)


@given(progresses)
def test_the_end_of_an_iteration_is_what_counting_it_gives(progress: Progress) -> None:
    before = replace(progress)
    end = progress.after_iteration()
    assert progress == before
    progress.count_iterations()
    assert replace(end, validated=progress.validated) == progress


@given(progresses)
def test_the_end_of_an_epoch_is_what_counting_it_gives(progress: Progress) -> None:
    before = replace(progress)
    end = progress.after_epoch()
    assert progress == before
    progress.count_epoch()
    assert replace(end, validated=progress.validated) == progress


@given(progresses, progresses)
def test_a_state_comes_back(progress: Progress, other: Progress) -> None:
    other.by_epoch = progress.by_epoch
    if not progress.by_epoch:
        progress.epoch = 0  # the one epoch of training by iterations begins anew
    other.load_state_dict(progress.state_dict())
    assert replace(other, samples_per_iter=progress.samples_per_iter) == progress


def test_an_epoch_of_training_by_epochs_is_one_of_the_data() -> None:
    progress = Progress(by_epoch=True, samples_per_iter=4)
    progress.count_iterations(3)
    assert (progress.iter, progress.data_epoch, progress.position) == (3, 0, 12)
    progress.count_epoch()
    assert (progress.epoch, progress.iter, progress.data_epoch, progress.position) == (1, 3, 1, 0)


def test_epochs_of_the_data_pass_while_training_by_iterations() -> None:
    progress = Progress(by_epoch=False, samples_per_iter=2)
    progress.count_iterations(5)
    progress.begin_data_epoch()
    progress.count_iterations()
    assert (progress.epoch, progress.iter, progress.data_epoch, progress.position) == (0, 6, 1, 2)
    progress.count_epoch()
    assert (progress.epoch, progress.data_epoch, progress.position) == (1, 1, 2)


@pytest.mark.parametrize(
    ("by_epoch", "epoch", "iteration", "position", "validated"),
    [
        (True, 2, 10, 8, True),  # now, as a checkpoint saved after validation
        (True, 2, 11, 12, True),  # the end of the present iteration
        (True, 3, 10, 0, False),  # the end of the present epoch, not validated yet
        (True, 5, 10, 0, True),  # counts of one's own
        (True, 2, 13, 20, True),
        (False, 2, 11, 12, False),
        (False, 2, 10, 8, True),
    ],
)
def test_the_counts_of_a_checkpoint_say_for_which_point_it_stands(
    by_epoch: bool, epoch: int, iteration: int, position: int, validated: bool
) -> None:
    now = Progress(epoch=2, iter=10, data_epoch=2, position=8, by_epoch=by_epoch)
    now.samples_per_iter = 4
    point = now.at(epoch, iteration)
    assert (point.epoch, point.iter) == (epoch, iteration)
    assert (point.position, point.validated) == (position, validated)


def test_states_without_a_position_are_read() -> None:
    progress = Progress(by_epoch=True)
    progress.load_state_dict({"epoch": 3, "iter": 12})
    assert (progress.epoch, progress.iter, progress.data_epoch, progress.position) == (3, 12, 3, 0)
    assert progress.validated

"""A history answers as numpy does on a plain list of what was recorded."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.logging import HistoryBuffer

KINDS = (float, np.float64, lambda v: np.array([v]))
values = st.floats(-1e6, 1e6)
updates = st.tuples(values, st.integers(1, 64), st.integers(0, len(KINDS) - 1))
# how many entries to record before the next look, and the window to look at
steps = st.lists(
    st.tuples(st.lists(updates, max_size=40), st.none() | st.integers(1, 50)), min_size=1
)


@settings(deadline=None)
@given(
    first=st.lists(st.tuples(values, st.integers(1, 64)), max_size=20),
    max_length=st.integers(1, 30),
    steps=steps,
)
def test_statistics_equal_numpy(first, max_length, steps):
    expected = first[-max_length:]
    history = HistoryBuffer([v for v, _ in first], [c for _, c in first], max_length)
    for recorded, window in steps:
        for value, count, kind in recorded:
            history.update(KINDS[kind](value), count)
            expected = [*expected, (value, count)][-max_length:]
        assert len(history) == len(expected)
        if not expected:
            with pytest.raises(ValueError, match="empty"):
                history.mean(window)
            continue
        kept = np.array(expected[-(window or max_length) :])
        assert history.max(window) == history.statistics("max", window) == kept[:, 0].max()
        assert history.min(window) == kept[:, 0].min()
        assert history.current() == kept[-1, 0]
        np.testing.assert_allclose(history.mean(window), kept[:, 0].sum() / kept[:, 1].sum())
        for same in (history, copy.deepcopy(history), pickle.loads(pickle.dumps(history))):
            np.testing.assert_array_equal(np.transpose(same.data), expected)


class Tensor:
    """What is read of a tensor on the host, without torch."""

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value

    size = 1


READS = {
    "mean": lambda history, window: history.mean(window),
    "mean of all": lambda history, _: history.mean(),
    "max": lambda history, window: history.max(window),
    "current": lambda history, _: history.current(),
    "data": lambda history, _: history.data[0].tolist(),
    "length": lambda history, _: len(history),
}


@settings(deadline=None)
@given(
    # values, each so often, with its count, and what is read then
    recorded=st.lists(
        st.tuples(
            values,
            st.sampled_from([1, 1, 1, 3, 63, 64, 65, 127, 128, 129]),
            st.sampled_from([1, 1, 1, 1, 5]),
            st.sampled_from([None, *READS]),
        ),
        min_size=1,
        max_size=12,
    ),
    kind=st.sampled_from([float, Tensor, np.float64]),
    window=st.integers(1, 140),
    max_length=st.sampled_from([1, 5, 64, 65, 128, 200, 10**6]),
)
def test_what_is_read_does_not_depend_on_what_was_read(recorded, kind, window, max_length):
    history, unread = HistoryBuffer(max_length=max_length), HistoryBuffer(max_length=max_length)
    for value, times, count, reading in recorded:
        for number in range(times):
            history.update(kind(value + number / 7), count)
            unread.update(value + number / 7, count)
        if reading is not None:
            read = READS[reading]
            assert read(history, window) == read(copy.deepcopy(unread), window)
    for read in READS.values():
        assert read(history, window) == read(copy.deepcopy(unread), window)
    assert type(history.mean(window)) is type(history.current()) is np.float64


@pytest.mark.parametrize("window", [0, -1])
def test_windows_below_one_are_refused(window):
    with pytest.raises(ValueError, match=f"at least 1, but got {window}"):
        HistoryBuffer([1], [1]).max(window)


@pytest.mark.parametrize("value", ["1", None, [1], np.ones(2), 1j])
def test_what_is_no_number_is_refused_and_not_recorded(value):
    history = HistoryBuffer()
    with pytest.raises(TypeError, match="a scalar must be a number"):
        history.update(value)
    with pytest.raises(TypeError, match="a scalar must be a number"):
        history.update(1, count=value)
    assert len(history) == 0


def test_a_read_copy_can_be_changed():
    history = HistoryBuffer([1, 2], [1, 1])
    history.data[0][:] = 7
    assert history.data[0].tolist() == [1, 2]

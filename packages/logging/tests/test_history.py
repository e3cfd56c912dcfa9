import copy
import pickle

import numpy as np
import pytest

from eng.logging import HistoryBuffer, MessageHub


def make(count, seed=0):
    rng = np.random.default_rng(seed)
    history = HistoryBuffer()
    for value, samples in zip(rng.normal(size=count), rng.integers(1, 9, count), strict=True):
        history.update(float(value), int(samples))
    return history


@pytest.mark.parametrize("count", [1, 10, 63, 64, 65, 128, 1000, 20_000])
@pytest.mark.parametrize("least", [1, 10, 100])
def test_the_latest_entries_say_the_same_to_the_bit(count, least):
    whole = make(count)
    latest = whole.latest(least)
    assert len(latest) <= min(count, least + 64)
    for step in range(200):
        for window in (None, 1, min(5, least), least, count + step):
            if window is not None and least < window < count + step:
                continue
            for method in ("mean", "max", "min"):
                expected = whole.statistics(method, window)
                assert latest.statistics(method, window) == expected, (step, window, method)
        assert latest.current() == whole.current()
        for history in (whole, latest):
            history.update(0.1 * step, 3)
        if step % 50 == 0:  # a run that is resumed again and again
            latest = latest.latest(least)
    for again in (copy.deepcopy(latest), pickle.loads(pickle.dumps(latest))):
        assert again.mean() == whole.mean()
        assert again.data[0].tolist() == latest.data[0].tolist()


def test_a_mean_of_all_is_that_of_numpy():
    values = make(20_000).data[0]
    history = HistoryBuffer(values, np.ones(len(values)))
    assert history.mean() == pytest.approx(values.mean(), rel=1e-12)
    assert (history.max(), history.min()) == (values.max(), values.min())


def test_values_that_are_not_finite_stay_so():
    history = HistoryBuffer()
    for step in range(300):
        history.update(float("nan") if step == 3 else float(step))
    latest = history.latest(10)
    assert np.isnan(latest.mean())
    assert np.isnan(latest.max())
    assert latest.mean(10) == history.mean(10)


def test_the_saved_state_does_not_grow():
    hub = MessageHub("growing")
    sizes = []
    for step in range(20_000):
        hub.update_scalar("train/loss", step * 0.1)
        if step % 5000 == 4999:
            state = hub.state_dict(keep=lambda key: 10)
            sizes.append(
                sum(
                    len(v)
                    for v in state["log_scalars"]["train/loss"].values()
                    if isinstance(v, bytes)
                )
            )
    assert max(sizes) < 16 * (10 + 64)
    other = MessageHub("other")
    other.load_state_dict(state)
    assert other.get_scalar("train/loss").mean() == hub.get_scalar("train/loss").mean()
    assert len(hub.state_dict()["log_scalars"]["train/loss"]["log_history"]) == 20_000 * 8

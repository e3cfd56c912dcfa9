"""Metrics that keep sums."""

import sys
import tracemalloc
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from evaluator_cases import Bare, Sums, samples

from eng.evaluator import Evaluator, RunningMetric


@given(st.lists(st.lists(st.integers(0, 1), max_size=4), min_size=1, max_size=5), st.data())
@settings(deadline=None)
def test_sums_give_what_entries_give(batches, data):
    count = sum(map(len, batches))
    if not count:
        return
    # Padding is at the end, and no longer than the last batch.
    last = next(len(batch) for batch in reversed(batches) if batch)
    size = data.draw(st.integers(max(1, count - last), count))
    evaluator = Evaluator([Sums(prefix="sums"), Bare(prefix="entries")])
    for _ in range(2):  # the second time after a start anew
        for batch in batches:
            evaluator.process(samples(*batch))
        numbers = evaluator.evaluate(size)
        for name in ("accuracy", "size"):
            assert numbers[f"sums/{name}"] == numbers[f"entries/{name}"]


def test_sums_of_tensors():
    class Confusion(RunningMetric):
        default_prefix = "c"

        def update(self, data_batch, data_samples):
            for sample in data_samples:
                self.sums["matrix"] += sample["matrix"]

        def reduce(self, sums):
            return {"trace": sums["matrix"].trace().item(), "nothing": sums["nothing"]}

    metric = Confusion()
    for _ in range(3):
        metric.process(None, [{"matrix": torch.eye(2, dtype=torch.int64)}])
    assert metric.evaluate(3) == {"c/trace": 6, "c/nothing": 0}


def test_so_many_samples_cannot_be_padding():
    metric = Sums()
    for _ in range(3):
        metric.process(None, samples(1, 1))
    with pytest.raises(ValueError, match="6 samples in rank 0 of 1 for a dataset of 3: too many"):
        metric.evaluate(3)


def test_a_million_samples_need_constant_memory():
    batch = samples(*[i % 2 for i in range(10_000)])

    def peak(metric, batches):
        tracemalloc.start()
        for _ in range(batches):
            metric.process(None, batch)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert metric.evaluate(batches * len(batch)) == {
            "accuracy": 0.5,
            "size": batches * len(batch),
        }
        return held

    few, million = peak(Sums(), 2), peak(Sums(), 100)
    assert million - few < 1000
    assert peak(Bare(), 100) > 10 * million  # which keeps entries

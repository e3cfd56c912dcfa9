"""Metrics that the tests of this package evaluate."""

from eng.evaluator import BaseMetric, RunningMetric


class Accuracy(BaseMetric):
    default_prefix = "default"

    def __init__(self, name="accuracy", **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.batches = []

    def process(self, data_batch, data_samples):
        self.batches.append(data_batch)
        self.results.extend(sample["correct"] for sample in data_samples)

    def compute_metrics(self, results):
        return {self.name: sum(results) / len(results), "size": len(results)}


class Bare(Accuracy):
    default_prefix = None


class Sums(RunningMetric):
    """The same out of sums."""

    def update(self, data_batch, data_samples):
        assert data_samples
        self.sums["correct"] += sum(sample["correct"] for sample in data_samples)
        self.sums["size"] += len(data_samples)

    def reduce(self, sums):
        return {"accuracy": sums["correct"] / sums["size"], "size": sums["size"]}


def samples(*correct):
    return [{"correct": value} for value in correct]

import pytest

from eng.evaluator import BaseMetric, Evaluator, get_metric_value
from eng.registry import EVALUATOR, METRICS


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


def samples(*correct):
    return [{"correct": value} for value in correct]


def test_prefixes():
    for metric, key in (
        (Accuracy(), "default/accuracy"),
        (Accuracy(prefix="own"), "own/accuracy"),
        (Accuracy(prefix=""), "accuracy"),
        (Bare(), "accuracy"),
        (Bare(prefix="own"), "own/accuracy"),
    ):
        metric.process(None, samples(1, 0, 1, 1))
        assert metric.evaluate(4)[key] == 0.75


def test_padding_is_dropped_and_results_forgotten():
    metric = Bare()
    metric.process(None, samples(1, 1, 0))
    assert metric.evaluate(2) == {"accuracy": 1, "size": 2}
    assert metric.results == []
    metric.process(None, samples(0))
    assert metric.evaluate(1)["accuracy"] == 0


def test_a_metric_without_results_warns():
    class Silent(Bare):
        def compute_metrics(self, results):
            return {"count": len(results)}

    with pytest.warns(UserWarning, match="Silent got no results"):
        assert Silent().evaluate(3) == {"count": 0}


def test_several_metrics_are_merged_and_know_the_dataset():
    METRICS.register_module(name="AccuracyForTest", module=Accuracy)
    try:
        evaluator = EVALUATOR.build(
            {"type": "Evaluator", "metrics": [{"type": "AccuracyForTest", "prefix": "a"}, Bare()]}
        )
    finally:
        METRICS.module_dict.pop("AccuracyForTest")
    evaluator.dataset_meta = {"classes": ("x",)}
    assert [metric.dataset_meta for metric in evaluator.metrics] == [{"classes": ("x",)}] * 2
    assert evaluator.dataset_meta == {"classes": ("x",)}

    class Element:
        def to_dict(self):
            return {"correct": 1}

    evaluator.process([Element(), {"correct": 0}], data_batch="batch")
    assert evaluator.metrics[0].batches == ["batch"]
    assert evaluator.evaluate(2) == {"a/accuracy": 0.5, "a/size": 2, "accuracy": 0.5, "size": 2}


def test_two_numbers_of_one_name_are_an_error():
    evaluator = Evaluator([Bare(), Bare()])
    evaluator.process(samples(1))
    with pytest.raises(ValueError, match=r"Bare gives \['accuracy', 'size'\].*prefix="):
        evaluator.evaluate(1)


@pytest.mark.parametrize("chunk", [1, 2, 3, 10])
def test_offline_evaluate(chunk):
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(
        samples(1, 0, 0, 1, 1), data=list("abcde"), chunk_size=chunk
    )
    assert numbers == {"accuracy": 0.6, "size": 5}
    assert [x for batch in evaluator.metrics[0].batches for x in batch] == list("abcde")
    assert max(len(batch) for batch in evaluator.metrics[0].batches) == min(chunk, 5)
    assert evaluator.offline_evaluate(samples(1)) == {"accuracy": 1, "size": 1}


def test_bad_input():
    with pytest.raises(ValueError, match="data has 1 entries for 2"):
        Evaluator(Bare()).offline_evaluate(samples(1, 1), data=["a"])
    with pytest.raises(ValueError, match="chunk_size must be at least 1, got 0"):
        Evaluator(Bare()).offline_evaluate(samples(1), chunk_size=0)
    with pytest.raises(ValueError, match="'cpu' or 'gpu', not 'tpu'"):
        Bare(collect_device="tpu")
    with pytest.raises(TypeError, match="a config dict or a BaseMetric, not str"):
        Evaluator(["Accuracy"])


def test_get_metric_value():
    numbers = {"coco/AP": 1, "voc/AP": 2, "loss": 3, "voc/recall": 4}
    assert get_metric_value("coco/AP", numbers) == 1
    assert get_metric_value("loss", numbers) == 3
    assert get_metric_value("recall", numbers) == 4
    with pytest.raises(ValueError, match=r"'AP' is ambiguous; give one of \['coco/AP', 'voc/AP'\]"):
        get_metric_value("AP", numbers)
    for name in ("mAP", "coco/recall", "x/loss"):
        with pytest.raises(ValueError, match=f"no metric '{name}'; there are .*'coco/AP'"):
            get_metric_value(name, numbers)

"""Metrics in one process, and several metrics as one."""

import tracemalloc
from collections import namedtuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.evaluator import BaseMetric, DumpResults, Evaluator, RunningMetric, get_metric_value
from eng.fileio import exists, load
from eng.logging import MMLogger
from eng.registry import EVALUATOR, METRICS
from eng.structures import BaseDataElement, InstanceData


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


@pytest.fixture(autouse=True)
def fresh_warnings():
    MMLogger.get_current_instance().reset_warnings()


def test_a_metric_without_results_warns(capsys):
    class Silent(Bare):
        def compute_metrics(self, results):
            return {"count": len(results)}

    assert Silent().evaluate(3) == {"count": 0}
    assert "WARNING - Silent has no results" in capsys.readouterr().out


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
    with pytest.raises(
        ValueError, match=r"duplicate metric names \['accuracy', 'size'\] of Bare.*prefix="
    ):
        evaluator.evaluate(1)
    assert [metric.results for metric in evaluator.metrics] == [[], []]


def test_a_metric_called_with_nothing(capsys):
    for metric in (Bare(), Sums()):
        name = type(metric).__name__
        with pytest.raises(ValueError, match=f"{name} has no results to compute metrics from"):
            metric.evaluate(3)
        assert f"WARNING - {name} got no" in capsys.readouterr().out


def test_what_a_metric_computes_must_have_names():
    class Number(Bare):
        def compute_metrics(self, results):
            return 0.5

    metric = Number()
    metric.process(None, samples(1))
    with pytest.raises(TypeError, match="Number must return a dict of values by name, not float"):
        metric.evaluate(1)


def test_errors_of_a_metric_are_its_own():
    metric = Bare()
    metric.process(None, [{"correct": "x"}])
    with pytest.raises(TypeError, match="unsupported operand"):
        metric.evaluate(1)


def test_results_are_computed_on_the_cpu():
    class Tensors(Bare):
        def compute_metrics(self, results):
            self.seen = results
            return {}

    metric = Tensors()
    weight = torch.ones(1, requires_grad=True)
    metric.process(None, samples((weight * 2, {"a": [weight]}), InstanceData(scores=weight)))
    metric.evaluate(2)
    (pair, element) = metric.seen
    assert not pair[0].requires_grad
    assert not pair[1]["a"][0].requires_grad
    assert not element.scores.requires_grad


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


@pytest.mark.parametrize("chunk", [1, 2, 3, 10])
@pytest.mark.parametrize(
    "make", [iter, lambda items: (item for item in items), lambda x: map(id, x)]
)
def test_offline_evaluate_of_iterators(chunk, make):
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(iter(samples(1, 0, 0, 1, 1)), chunk_size=chunk)
    assert numbers == {"accuracy": 0.6, "size": 5}
    data = ["a", "b", "c", "d", "e"]
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(
        iter(samples(1, 0, 0, 1, 1)), data=make(data), chunk_size=chunk
    )
    assert numbers == {"accuracy": 0.6, "size": 5}
    assert sum(len(batch) for batch in evaluator.metrics[0].batches) == 5


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("data", "batch"),
    [
        ([{"i": 0}, {"i": 1}], {"i": [0, 1]}),
        (
            [{"a": {"b": 1}, "c": [2, 3]}, {"a": {"b": 4}, "c": [5, 6]}],
            {"a": {"b": [1, 4]}, "c": [[2, 5], [3, 6]]},
        ),
        ([(1, "ab"), (2, "cd")], ([1, 2], ["ab", "cd"])),
        ([Pair(1, 2), Pair(3, 4)], Pair([1, 3], [2, 4])),
        ([1, 2], [1, 2]),
        ([None, b"x"], [None, b"x"]),
    ],
)
def test_data_of_an_offline_evaluation_come_in_batches(data, batch):
    evaluator = Evaluator(Bare())
    evaluator.offline_evaluate(samples(1, 1), data=data, chunk_size=2)
    assert evaluator.metrics[0].batches == [batch]
    assert type(evaluator.metrics[0].batches[0]) is type(batch)


def test_tensors_of_an_offline_evaluation_are_not_stacked():
    evaluator = Evaluator(Bare())
    evaluator.offline_evaluate(samples(1), data=[{"inputs": torch.ones(2)}])
    (tensor,) = evaluator.metrics[0].batches[0]["inputs"]
    assert tensor.shape == (2,)


def test_data_of_another_form_are_refused():
    with pytest.raises(ValueError, match="zip"):
        Evaluator(Bare()).offline_evaluate(samples(1, 1), data=[[1], [1, 2]], chunk_size=2)
    with pytest.raises(KeyError, match="a"):
        Evaluator(Bare()).offline_evaluate(samples(1, 1), data=[{"a": 1}, {}], chunk_size=2)


def test_results_meet_in_the_folder_that_is_given(monkeypatch):
    seen = []
    monkeypatch.setattr("eng.evaluator.metric.collect_results", lambda *given: seen.append(given))
    for metric in (Bare(collect_dir="shared"), DumpResults("a.pkl", collect_dir="shared"), Bare()):
        metric.results = [1]
        metric._collect(1)
    assert [given[1:] for given in seen] == [(1, "cpu", "shared")] * 2 + [(1, "cpu", None)]
    for wrong in (Bare, lambda **settings: DumpResults("a.pkl", **settings)):
        with pytest.raises(ValueError, match="collect_dir is for collect_device='cpu'"):
            wrong(collect_device="gpu", collect_dir="shared")


def test_tensors_are_moved_by_the_name_that_other_code_imports():
    from eng.evaluator.metric import _to_cpu

    moved = _to_cpu({"a": [torch.ones(1, requires_grad=True)], "b": ("x", 3)})
    assert moved["a"][0].device.type == "cpu"
    assert moved["b"] == ("x", 3)


@pytest.mark.parametrize("chunk", [1, 2, 7])
@pytest.mark.parametrize("counts", [(3, 2), (2, 3), (0, 2), (2, 0), (4, 2)])
def test_iterators_of_another_length_are_refused(chunk, counts):
    predictions, data = samples(*[1] * counts[0]), ["a"] * counts[1]
    for kind in (ValueError, AssertionError):
        for make in (iter, list):
            with pytest.raises(kind, match="should have the same length"):
                Evaluator(Bare()).offline_evaluate(
                    make(predictions), data=iter(data), chunk_size=chunk
                )


def test_bad_input():
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="data has 1 entries for 2"):
            Evaluator(Bare()).offline_evaluate(samples(1, 1), data=["a"])
        with pytest.raises(kind, match="chunk_size must be at least 1, got 0"):
            Evaluator(Bare()).offline_evaluate(samples(1), chunk_size=0)
        with pytest.raises(kind, match="unknown metric 'AP'"):
            get_metric_value("AP", {"loss": 1})
    with pytest.raises(ValueError, match="'cpu' or 'gpu', not 'tpu'"):
        Bare(collect_device="tpu")
    with pytest.raises(
        TypeError, match="a config dict, a BaseMetric or one of torchmetrics, not str"
    ):
        Evaluator(["Accuracy"])


def test_get_metric_value():
    numbers = {"coco/AP": 1, "voc/AP": 2, "loss": 3, "voc/recall": 4}
    assert get_metric_value("coco/AP", numbers) == 1
    assert get_metric_value("loss", numbers) == 3
    assert get_metric_value("recall", numbers) == 4
    with pytest.raises(
        ValueError, match=r"'AP' is ambiguous; use the full name, one of \['coco/AP', 'voc/AP'\]"
    ):
        get_metric_value("AP", numbers)
    for name in ("mAP", "coco/recall", "x/loss"):
        with pytest.raises(ValueError, match=f"unknown metric '{name}'; available: .*'coco/AP'"):
            get_metric_value(name, numbers)


# ------------------------------------------------------------------ running metrics


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


# ------------------------------------------------------------------ dumping


@pytest.mark.parametrize("name", ["out.pkl", "deep/out.pickle"])
def test_predictions_are_dumped_and_evaluated_later(tmp_path, name):
    path = str(tmp_path / name)
    evaluator = Evaluator({"type": "DumpResults", "out_file_path": path})
    scores = torch.ones(2, requires_grad=True) * 2
    for i in range(3):
        instances = InstanceData(scores=scores * i)
        evaluator.process([BaseDataElement(correct=i % 2, pred_instances=instances)])
    assert evaluator.evaluate(2) == {}
    dumped = load(path)
    assert [sample["correct"] for sample in dumped] == [0, 1]
    assert dumped[1]["pred_instances"]["scores"].tolist() == [2, 2]
    assert not dumped[1]["pred_instances"]["scores"].requires_grad
    assert Evaluator(Bare()).offline_evaluate(dumped) == {"accuracy": 0.5, "size": 2}


def test_predictions_are_dumped_to_any_storage():
    metric = DumpResults("memory://dumped/out.pkl")
    metric.process(None, [{"a": (torch.ones(1), "x")}])
    metric.evaluate(1)
    assert load("memory://dumped/out.pkl") == [{"a": (torch.ones(1), "x")}]
    assert exists("memory://dumped/out.pkl")


def test_bad_paths_to_dump_to():
    with pytest.raises(ValueError, match=r"end with '.pkl' or '.pickle', not 'out.json'"):
        DumpResults("out.json")
    with pytest.raises(ValueError, match="'cpu' or 'gpu'"):
        DumpResults("out.pkl", collect_device="disk")

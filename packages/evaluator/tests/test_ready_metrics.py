"""Metrics that come with the package: forms of samples, edges and errors."""

import math

import numpy as np
import pytest
import torch

from eng.evaluator import (
    Accuracy,
    ConfusionMatrix,
    DumpResults,
    Evaluator,
    Mean,
    MeanAbsoluteError,
    MeanIoU,
    Perplexity,
    format_metrics,
)
from eng.registry import METRICS
from eng.structures import BaseDataElement, LabelData, PixelData

SCORES = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
LABELS = torch.tensor([1, 2])
PAIRS = list(zip(SCORES, LABELS, strict=True))


def evaluate(metric, samples, batch=None):
    evaluator = Evaluator(metric)
    evaluator.process(samples, batch)
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize(
    ("samples", "batch"),
    [
        ([{"pred_label": 1, "gt_label": 1}, {"pred_label": 0, "gt_label": 2}], None),
        ([{"pred_label": 1, "pred_score": 0.9, "gt_label": 1}, {"pred": 0, "label": 2}], None),
        ([{"pred": p, "label": t} for p, t in PAIRS], None),
        ([{"pred_score": p, "gt_label": t[None]} for p, t in PAIRS], None),
        ([{"preds": p, "target": t} for p, t in PAIRS], None),
        (PAIRS, None),
        ([([0.1, 0.7, 0.2], 1), (np.array([0.5, 0.2, 0.3]), np.uint8(2))], None),
        (SCORES, (torch.zeros(2), LABELS)),
        (SCORES, {"inputs": torch.zeros(2), "data_samples": LABELS}),
        (SCORES, {"inputs": torch.zeros(2), "labels": [1, 2]}),
        (SCORES, [torch.zeros(2), LABELS]),
        (SCORES, (torch.zeros(2), torch.ones(2), LABELS)),
        (SCORES, {"x": torch.zeros(2), "y": LABELS}),
        ([1, 0], {"data_samples": [BaseDataElement(gt_label=LabelData(label=t)) for t in LABELS]}),
        (
            [
                {"pred_label": LabelData(label=i), "gt_label": LabelData(label=t)}
                for i, t in ((1, 1), (0, 2))
            ],
            None,
        ),
    ],
)  # fmt: skip
def test_accuracy_reads_what_models_return(samples, batch):
    assert evaluate(Accuracy(), samples, batch) == {"accuracy": 0.5}


def test_named_fields_take_precedence():
    sample = {"pred": 0, "label": 1, "out": {"best": 1}, "truth": 1}
    assert evaluate(Accuracy(pred="out.best", target="truth"), [sample]) == {"accuracy": 1}
    assert evaluate(Accuracy(), [sample]) == {"accuracy": 0}


def test_equal_scores_and_nan():
    ties = [([0.5, 0.5, 0.0], 0), ([0.5, 0.5, 0.0], 1)]
    numbers = evaluate(Accuracy(topk=(1, 2)), ties)
    assert numbers == {"accuracy": 0.5, "accuracy_top2": 1}
    assert evaluate(Accuracy(), ties) == {"accuracy": 0.5}
    broken = [([math.nan, 1.0, 0.0], 0), ([math.nan] * 3, 1)]
    assert evaluate(Accuracy(), broken) == {"accuracy": 0}
    assert evaluate(Accuracy(topk=2), broken) == {"accuracy_top2": 0}


def test_dense_predictions():
    scores = torch.zeros(1, 3, 2, 4)  # (samples, classes, height, width)
    scores[:, 2] = 1
    target = torch.full((1, 2, 4), 2)
    target[0, 0, 0], target[0, 1, 1] = 0, 255
    assert evaluate(Accuracy(ignore_index=255), scores, (None, target))["accuracy"] == 6 / 7
    last = scores.movedim(1, -1)
    assert evaluate(Accuracy(ignore_index=255), last, (None, target))["accuracy"] == 6 / 7
    top = evaluate(Accuracy(topk=(1, 3), ignore_index=255), last, (None, target))
    assert top == {"accuracy": 6 / 7, "accuracy_top3": 1}


def test_binary_scores_need_a_threshold():
    samples = [(0.6, 1), (torch.tensor([0.4]), 1), (0.2, 0.0)]
    assert evaluate(Accuracy(threshold=0.5), samples)["accuracy"] == 2 / 3
    assert evaluate(ConfusionMatrix(threshold=0.5), samples)["recall"] == 0.75
    with pytest.raises(ValueError, match=r"one score per target.* set threshold"):
        evaluate(Accuracy(), samples)


def test_confusion_matrix_by_class_and_its_table(capsys):
    metric = ConfusionMatrix(by_class=True, log_table=True)
    metric.dataset_meta = {"classes": ("cat", "dog", "cow")}
    samples = [{"pred": p, "label": t} for p, t in ((0, 0), (0, 1), (1, 1), (1, 1))]
    numbers = evaluate(metric, samples)
    assert metric.matrix.tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 0]]
    assert numbers["precision"] == 0.75
    assert numbers["recall_dog"] == 2 / 3
    assert math.isnan(numbers["f1_cow"])  # and does not count
    table = """\
class    precision  recall      f1  targets
cat         0.5000  1.0000  0.6667        1
dog         1.0000  0.6667  0.8000        3
(macro)     0.7500  0.8333  0.7333        4"""
    assert metric.format() == table
    assert f"ConfusionMatrix by class:\n{table}" in capsys.readouterr().out


def test_batches_with_more_classes_than_before():
    metric = ConfusionMatrix()
    evaluator = Evaluator(metric)
    for pred, target in ((0, 1), (3, 0), (2, 2)):
        evaluator.process([{"pred": pred, "label": target}])
    evaluator.evaluate(3)
    assert metric.matrix.shape == (4, 4)
    assert metric.matrix[0, 3] == metric.matrix[1, 0] == metric.matrix[2, 2] == 1
    evaluator.process([{"pred": 0, "label": 0}])  # the second evaluation starts from nothing
    evaluator.evaluate(1)
    assert metric.matrix.tolist() == [[1]]


def test_maps_of_different_sizes():
    maps = [torch.zeros(1, 2, 2, dtype=torch.uint8), torch.ones(1, 3, 1, dtype=torch.uint8)]
    samples = [
        BaseDataElement(pred_sem_seg=PixelData(data=each), gt_sem_seg=PixelData(data=each * 0))
        for each in maps
    ]
    numbers = evaluate(MeanIoU(num_classes=4, by_class=True), samples)
    assert numbers["aAcc"] == numbers["IoU_0"] == 4 / 7
    assert numbers["mIoU"] == 2 / 7
    assert math.isnan(numbers["IoU_3"])


def test_memory_does_not_grow_with_the_dataset():
    metric = MeanIoU(num_classes=3)
    image = torch.randint(3, (64, 64))
    for _ in range(50):
        metric.process(None, [(image, image)])
    assert metric.results == []
    assert sum(each.numel() for each in metric.sums.values()) == 9


def test_mean_of_values_and_weights():
    samples = [{"losses": {"ce": torch.tensor([1.0, 2.0])}, "n": 2}, {"losses": {"ce": 6}, "n": 1}]
    assert evaluate(Mean("losses.ce"), samples) == {"ce": 3.0}
    assert evaluate(Mean("losses.ce", weight="n", name="loss"), samples) == {"loss": 12 / 5}
    assert evaluate(Mean(), [1, 2.0, np.float32(6)]) == {"mean": 3.0}
    with pytest.raises(ValueError, match=r"finds no field 'loss' in the sample, .*'losses', 'n'"):
        evaluate(Mean("loss"), samples)
    with pytest.raises(ValueError, match=r"needs field=\.\.\., .* one of \['losses', 'n'\]"):
        evaluate(Mean(), samples)


def test_perplexity_of_large_losses_and_of_half_precision():
    sample = {"logits": torch.tensor([[2000.0, 0.0]]), "labels": torch.tensor([1])}
    assert evaluate(Perplexity(), [sample]) == {"perplexity": math.inf}
    half = {"logits": torch.zeros(3, 5, dtype=torch.bfloat16), "labels": torch.tensor([1, -100, 2])}
    assert evaluate(Perplexity(), [half])["perplexity"] == pytest.approx(5)
    by_class_first = {"logits": torch.zeros(5, 3), "labels": torch.tensor([1, -100, 2])}
    assert evaluate(Perplexity(), [by_class_first])["perplexity"] == pytest.approx(5)


def test_nothing_to_count(capsys):
    ignored = [{"pred": 1, "label": 255}]
    for metric in (
        Accuracy(ignore_index=255),
        MeanIoU(num_classes=2),
        ConfusionMatrix(2, ignore_index=255),
    ):
        assert all(math.isnan(value) for value in evaluate(metric, ignored).values())
    assert capsys.readouterr().out.count("every target is ignored") == 3
    for metric in (Accuracy(), MeanIoU(), Mean("a"), Perplexity(), MeanAbsoluteError()):
        with pytest.raises(ValueError, match="has no results to compute metrics from"):
            Evaluator(metric).evaluate(1)


@pytest.mark.parametrize(
    ("metric", "sample", "words"),
    [
        (Accuracy(), {"guess": 1, "label": 1}, r"no prediction .*\['guess', 'label'\].* pred="),
        (Accuracy(), {"pred": 1}, r"finds no target: .*\['pred'\].* name the field with target"),
        (Accuracy(pred="a.b"), {"a": {"c": 1}, "label": 1}, r"expected one of \['a\.b'\]"),
        (Accuracy(topk=5), ([0.1, 0.9], 1), "topk=.* needs scores of at least 5 classes, got 2"),
        (Accuracy(topk=2), ([0.1, 0.9], 2), "target label 2, but labels must be from 0 to 1"),
        (Accuracy(), ([0.1, 0.9], [1, 0, 1]), r"predictions of shape \(1, 2\) for targets of"),
        (Accuracy(), (1, 0.5), "targets that are not integers"),
        (ConfusionMatrix(2), (2, 1), "predicted label 2, but labels must be from 0 to 1"),
        (ConfusionMatrix(), (1, -1), "target label -1, but .* ignore_index"),
        (ConfusionMatrix(), (1, 10**12), "label 1000000000000: set num_classes, or ignore_index"),
        (MeanAbsoluteError(), ([1.0, 2.0], [1.0]), r"shape \(1, 2\) for targets of shape \(1, 1\)"),
        (Perplexity(), ([[0.0, 1.0]], [2]), "target label 2, but labels must be from 0 to 1"),
    ],
)  # fmt: skip
def test_invalid_samples(metric, sample, words):
    with pytest.raises(ValueError, match=words):
        evaluate(metric, [sample])


def test_invalid_arguments():
    with pytest.raises(ValueError, match="topk must be one or more numbers from 1, got 0"):
        Accuracy(topk=0)
    with pytest.raises(ValueError, match="average must be one of"):
        ConfusionMatrix(average="mean")
    with pytest.raises(ValueError, match="num_classes must be at least 1"):
        MeanIoU(0)
    with pytest.raises(ValueError, match="has no matrix: evaluate it first"):
        ConfusionMatrix().format()
    with pytest.raises(TypeError, match="expected a tensor, an array or numbers, not str"):
        evaluate(Accuracy(), [("cat", 1)])


def test_names_are_declared():
    metrics = [Accuracy((1, 5), prefix="a"), Mean("x.loss"), MeanIoU(), ConfusionMatrix()]
    assert Evaluator(metrics).metric_names() == [
        "a/accuracy", "a/accuracy_top5", "loss", "mIoU", "mAcc", "aAcc", "precision", "recall", "f1"
    ]  # fmt: skip
    assert Evaluator(ConfusionMatrix(by_class=True)).metric_names() is None


class WithError(Accuracy):
    def compute_metrics(self, results):
        values = super().compute_metrics(results)
        return {**values, "error": 1 - values["accuracy"]}


class Declared(WithError):
    number_names = ("accuracy", "error")


class Renamed(Evaluator):
    def evaluate(self, size):
        return {f"coco/{name}": value for name, value in super().evaluate(size).items()}


class Counted(DumpResults):
    def compute_metrics(self, results):
        return {"count": len(results)}


def test_names_of_subclasses_that_compute_others_are_unknown(tmp_path):
    assert Evaluator(WithError()).metric_names() is None
    assert Evaluator(WithError(prefix="a")).metric_prefixes() == ["a"]
    assert Evaluator(Declared()).metric_names() == ["accuracy", "error"]
    assert Renamed(Accuracy(prefix="a")).metric_names() is None
    assert Renamed(Accuracy(prefix="a")).metric_prefixes() is None
    counted = Counted(str(tmp_path / "out.pkl"))
    assert Evaluator([counted, Accuracy(prefix="a")]).metric_prefixes() is None


def test_a_class_of_the_user_takes_precedence():
    class Own(Perplexity):
        pass

    there = METRICS.get("Perplexity")
    METRICS.register_module(name="Perplexity", module=Own)  # without force
    try:
        assert type(Evaluator({"type": "Perplexity"}).metrics[0]) is Own
    finally:
        METRICS.register_module(name="Perplexity", module=there, force=True)


def test_metrics_as_a_table():
    numbers = {"accuracy": 0.75, "loss": torch.tensor(0.5), "matrix": [[1]], "note": "x"}
    assert format_metrics(numbers) == "metric     value\naccuracy  0.7500\nloss      0.5000"
    assert format_metrics({}) == "metric  value"
    assert format_metrics({"f1": math.nan}, best={"f1": 0.5}).splitlines()[1] == (
        "f1          -  0.5000"
    )

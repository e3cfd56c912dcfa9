"""Random cases of metrics, and the values that scikit-learn computes for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from sklearn import metrics as reference

from eng.evaluator import (
    Accuracy,
    ConfusionMatrix,
    Evaluator,
    Mean,
    MeanAbsoluteError,
    MeanIoU,
    Perplexity,
)
from eng.structures import BaseDataElement, LabelData, PixelData

AVERAGES = ("macro", "micro", "weighted")
IGNORED = 255


class Case:
    """A dataset of random predictions and targets.

    Args:
        seed: The seed that it comes from.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.size, self.batch = int(rng.integers(1, 13)), int(rng.integers(1, 6))
        self.classes = int(rng.integers(3, 7))
        self.average = AVERAGES[seed % 3]
        self.form = int(rng.integers(4))
        shape = (self.size, 2, 3)
        self.scores = rng.normal(size=(self.size, self.classes))
        self.labels = rng.integers(self.classes, size=self.size)
        self.maps = rng.integers(self.classes, size=shape)
        self.true_maps = np.where(
            rng.random(shape) < 0.2, IGNORED, rng.integers(self.classes, size=shape)
        )
        self.logits = rng.normal(size=(self.size, 4, self.classes))
        self.tokens = rng.integers(self.classes, size=(self.size, 4))
        self.tokens[rng.random(self.tokens.shape) < 0.2] = -100
        self.weights = rng.random(self.size) + 0.1

    def evaluators(self) -> dict[str, Evaluator]:
        """Evaluators by the kind of sample that they receive."""
        return {
            "class": Evaluator(
                [Accuracy(topk=(1, 2)), ConfusionMatrix(average=self.average, prefix="cm")]
            ),
            "map": Evaluator(MeanIoU()),
            "text": Evaluator(Perplexity()),
            "value": Evaluator([MeanAbsoluteError(), Mean("weight"), Mean("pred", "weight", "m")]),
        }

    def batch_of(self, kind: str, places: list[int]) -> tuple[Any, Any]:
        """The batch and the samples of some places, in one of the forms that metrics accept."""
        if kind == "value":
            return None, [
                dict(pred=self.scores[i, 0], target=self.scores[i, 1], weight=self.weights[i])
                for i in places
            ]
        preds, targets = {
            "class": (self.scores, self.labels),
            "map": (self.maps, self.true_maps),
            "text": (self.logits, self.tokens),
        }[kind]
        preds, targets = torch.as_tensor(preds[places]), torch.as_tensor(targets[places])
        if self.form == 0:
            return None, list(zip(preds, targets, strict=True))
        if self.form == 1:
            return (torch.zeros(len(places)), targets), preds
        if self.form == 2:
            return {"data_samples": [{"gt_label": each} for each in targets]}, [
                {"prediction": each} for each in preds
            ]
        return None, [_make_element(kind, *pair) for pair in zip(preds, targets, strict=True)]

    def expected(self) -> dict[str, float]:
        """The values of scikit-learn."""
        guesses, seen = self.scores.argmax(1), range(self.classes)
        valid, told = self.true_maps != IGNORED, self.tokens != -100
        scores = reference.precision_recall_fscore_support(
            self.labels, guesses, average=self.average, zero_division=0
        )
        values = {
            "accuracy": reference.accuracy_score(self.labels, guesses),
            "accuracy_top2": reference.top_k_accuracy_score(
                self.labels, self.scores, k=2, labels=seen
            ),
            **dict(zip(("cm/precision", "cm/recall", "cm/f1"), scores, strict=False)),
            "mae": reference.mean_absolute_error(self.scores[:, 1], self.scores[:, 0]),
            "weight": self.weights.mean(),
            "m": np.average(self.scores[:, 0], weights=self.weights),
        }
        if valid.any():
            truth, found = self.true_maps[valid], self.maps[valid]
            values["mIoU"] = reference.jaccard_score(truth, found, average="macro")
            values["mAcc"] = reference.balanced_accuracy_score(truth, found)
            values["aAcc"] = reference.accuracy_score(truth, found)
        if told.any():
            shares = np.exp(self.logits[told])
            shares /= shares.sum(1, keepdims=True)
            loss = reference.log_loss(self.tokens[told], shares, labels=seen)
            values["perplexity"] = np.exp(loss)
        return values

    def confusion(self) -> list[list[int]]:
        """The matrix of scikit-learn."""
        labels = list(range(self.classes))
        return reference.confusion_matrix(
            self.labels, self.scores.argmax(1), labels=labels
        ).tolist()


def _make_element(kind: str, pred: torch.Tensor, target: torch.Tensor) -> BaseDataElement:
    if kind == "class":  # as the family has them: a label may be a tensor of one element
        return BaseDataElement(pred_score=pred, gt_label=LabelData(label=target[None]))
    if kind == "map":
        pred_map, true_map = PixelData(data=pred[None]), PixelData(data=target[None])
        return BaseDataElement(pred_sem_seg=pred_map, gt_sem_seg=true_map)
    return BaseDataElement(logits=pred, labels=target)


def check(seed: int, rank: int = 0, world: int = 1) -> None:
    """Hold the metrics of a case against scikit-learn, with the share of one process."""
    case = Case(seed)
    padded = -(-case.size // world) * world
    mine = [place % case.size for place in range(rank, padded, world)]
    found = {}
    for kind, evaluator in case.evaluators().items():
        for start in range(0, len(mine), case.batch):
            batch, samples = case.batch_of(kind, mine[start : start + case.batch])
            evaluator.process(samples, batch)
        found |= evaluator.evaluate(case.size)
        if kind == "class" and rank == 0:
            assert evaluator.metrics[1].matrix.tolist() == case.confusion(), seed
    if rank:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of classes that do not occur
        expected = case.expected()
    for name, value in found.items():
        if name in expected:
            np.testing.assert_allclose(value, expected[name], rtol=1e-6, err_msg=f"{seed} {name}")
        else:
            assert np.isnan(value), (seed, name, value)

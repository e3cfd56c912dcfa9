"""Convert predictions of classes to labels."""

from __future__ import annotations

from torch import Tensor

from eng.utils import ArgumentValueError

__all__ = ["align_scores", "check_labels", "drop_ignored", "squeeze", "to_labels"]


def squeeze(values: Tensor) -> Tensor:
    """Remove dimensions of size 1, but the first."""
    return values.reshape([len(values), *(size for size in values.shape[1:] if size != 1)])


def to_labels(
    owner: str, pred: Tensor, target: Tensor, threshold: float | None = None
) -> tuple[Tensor, Tensor]:
    """Convert predictions to the labels that they mean.

    Args:
        owner: Name of the metric, for errors.
        pred: Labels of the shape of the targets, scores of that shape to compare with
            ``threshold``, or scores with one dimension more, of classes: the second one, or else
            the last.
        target: Labels of shape (samples, ...).
        threshold: The score above which a binary prediction is class 1. Defaults to None.

    Returns:
        Labels of predictions and targets, int64 and flat.

    Raises:
        ValueError: If shapes do not agree, or labels are not integers.
    """
    pred, target = squeeze(pred), squeeze(target)
    if pred.shape != target.shape:
        pred = align_scores(owner, pred, target).argmax(1)
    elif threshold is not None:
        pred = pred > threshold
    elif pred.is_floating_point():
        raise ArgumentValueError(
            f"{owner} received one score per target, of shape {tuple(pred.shape)}: set "
            "threshold=..., above which a prediction is class 1 (0.5 of probabilities, 0 of "
            "logits), or return a score per class"
        )
    return pred.reshape(-1).long(), _as_labels(owner, target).reshape(-1)


def align_scores(owner: str, pred: Tensor, target: Tensor, last: bool = False) -> Tensor:
    """Move the dimension of classes to the second place.

    Args:
        owner: Name of the metric, for errors.
        pred: Scores with one dimension more than the targets.
        target: Labels.
        last: Whether the last dimension is preferred if both the second and the last fit.

    Raises:
        ValueError: If neither the second nor the last dimension is that of classes.
    """
    first_fits = pred.ndim == target.ndim + 1 and pred.shape[:1] + pred.shape[2:] == target.shape
    last_fits = pred.shape[:-1] == target.shape and pred.ndim > 1
    if last_fits and (last or not first_fits):
        return pred.movedim(-1, 1)
    if first_fits:
        return pred
    raise ArgumentValueError(
        f"{owner} received predictions of shape {tuple(pred.shape)} for targets of shape "
        f"{tuple(target.shape)} (samples first): expected labels of the same shape, or scores with "
        "one dimension more, of classes, in the second or the last place"
    )


def drop_ignored(pred: Tensor, target: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor]:
    """Drop the elements whose target is ``ignore_index``.

    Args:
        pred: Of shape (elements, ...).
        target: Of shape (elements,).
        ignore_index: The label, None for none.
    """
    if ignore_index is None:
        return pred, target
    kept = target != ignore_index
    return pred[kept], target[kept]


def check_labels(owner: str, labels: Tensor, num_classes: int, kind: str) -> None:
    """Check the range of labels.

    Raises:
        ValueError: If a label is negative or too large.
    """
    if not labels.numel():
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise ArgumentValueError(
            f"{owner} received the {kind} label {low if low < 0 else high}, but labels must be "
            f"from 0 to {num_classes - 1}; ignore_index=... leaves a label out"
        )


def _as_labels(owner: str, target: Tensor) -> Tensor:
    labels = target.long()
    if target.is_floating_point() and not bool((labels == target).all()):
        raise ArgumentValueError(f"{owner} received targets that are not integers")
    return labels

"""Draw the confusion matrix of each evaluation."""

from __future__ import annotations

from typing import Any

from eng.dist import is_main_process
from eng.hooks import Hook, HookRunner
from eng.registry import HOOKS
from eng.utils import ArgumentValueError, override

from .eval_loops import TestLoop, ValLoop
from .named_loop import loops_by_name

__all__ = ["ConfusionMatrixHook"]


@HOOKS.register_module()
class ConfusionMatrixHook(Hook):
    """Records a picture of the confusion matrix with the visualizer after each evaluation.

    The matrix is that of each metric that keeps one in ``matrix``, such as ``ConfusionMatrix`` and
    ``MeanIoU``.

    Args:
        interval: Epochs, or iterations in training by iterations, between two pictures of
            validation. Defaults to 1: every validation is drawn.
        normalize: Whether cells show shares of the targets of their class, in percent, rather than
            counts. Defaults to True.

    Raises:
        ValueError: At the start of a run, if no metric keeps a matrix.
    """

    priority = "LOW"

    def __init__(self, interval: int = 1, normalize: bool = True) -> None:
        if interval < 1:
            raise ArgumentValueError(f"interval must be at least 1, got {interval}")
        self.interval = interval
        self.normalize = normalize

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Check the metrics of validation."""
        _check(getattr(runner, "val_loop", None))

    @override
    def before_test(self, runner: HookRunner) -> None:
        """Check the metrics of testing."""
        _check(getattr(runner, "test_loop", None))

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Draw the matrix of validation."""
        by_epoch = getattr(runner.train_loop, "by_epoch", True)
        step = runner.epoch if by_epoch else runner.iter
        if step % self.interval == 0:
            self._draw(runner, getattr(runner, "val_loop", None), "val", step)

    @override
    def after_test_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Draw the matrix of testing."""
        self._draw(runner, getattr(runner, "test_loop", None), "test", runner.iter)

    def _draw(
        self, runner: HookRunner, loop: ValLoop | TestLoop | None, mode: str, step: int
    ) -> None:
        if loop is None or not is_main_process():
            return
        from eng.vis import draw_confusion_matrix  # matplotlib, which other runs do without

        found = loops_by_name(loop).items()
        for place, metric in [(s, m) for s, each in found for m in _find_metrics(each.evaluator)]:
            if metric.matrix is None:
                continue
            prefix = getattr(metric, "prefix", None)
            name = "_".join(filter(None, [mode, place, prefix, "confusion_matrix"]))
            title = f"{name}, step {step}"
            classes = getattr(metric, "classes", None)
            image = draw_confusion_matrix(metric.matrix, classes, title, self.normalize)
            runner.visualizer.add_image(name.replace("/", "_"), image, step)


def _find_metrics(evaluator: object) -> list[Any]:
    """Find the metrics that keep a matrix, which may be classes of the user."""
    return [each for each in getattr(evaluator, "metrics", []) if hasattr(each, "matrix")]


def _check(loop: ValLoop | TestLoop | None) -> None:
    if loop is None or _find_metrics(loop.evaluator):
        return
    names = [type(each).__name__ for each in getattr(loop.evaluator, "metrics", [])]
    raise ArgumentValueError(
        f"ConfusionMatrixHook needs a metric that keeps a matrix, such as "
        f"dict(type='ConfusionMatrix'), but the evaluator has {names}"
    )

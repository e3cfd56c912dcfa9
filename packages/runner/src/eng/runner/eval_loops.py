"""Validate and test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from operator import attrgetter

import torch
from torch.utils.data import DataLoader

from eng.checkpoint import is_sharded
from eng.dataset import length_of, open_loader
from eng.device import autocast
from eng.dist import all_gather_object, keep_data_ranks
from eng.dl_utils import unwrap
from eng.evaluator import BaseMetric, Evaluator
from eng.optim import evaluation_mode
from eng.registry import LOOPS
from eng.utils import DataBatch, override

from .base_loop import BaseLoop
from .data_order import put_generators, take_generators
from .dataloader_info import movable_sampler, place_sampler, stateful_part, stop_workers
from .errors import RunnerConfigError
from .eval_losses import EvalLosses, compute_losses
from .prefetching import prefetch
from .protocol import LoopRunner
from .same_samples import check_same_samples
from .types import EvaluatorOrConfig, LoaderOrConfig

__all__ = ["EvalLoop", "TestLoop", "ValLoop", "run_between_hooks"]


def run_between_hooks(
    runner: LoopRunner,
    mode: str,
    evaluate: Callable[[], dict[str, float]],
    forget: Callable[[], None],
) -> dict[str, float]:
    """Evaluate between the hooks of the beginning and the end, with the weights for evaluation.

    Args:
        runner: The runner.
        mode: ``'val'`` or ``'test'``.
        evaluate: Evaluates and returns metrics by name.
        forget: Clears what an interrupted evaluation leaves, since it would count in the next one.

    Returns:
        The metrics.
    """
    with evaluation_mode(getattr(runner, "optim_wrapper", None)):
        try:
            runner.call_hook(f"before_{mode}")
            runner.call_hook(f"before_{mode}_epoch")
            metrics = evaluate()
        except BaseException:  # of any kind: the next evaluation starts from scratch
            forget()
            runner.call_hook(f"after_interrupted_{mode}")
            raise
        runner.call_hook(f"after_{mode}_epoch", metrics=metrics)
        runner.call_hook(f"after_{mode}")
    return metrics


_NOTHING = nullcontext()


class EvalLoop(BaseLoop):
    """Base of validation and testing, which differ in the names of hooks and steps."""

    mode: str

    def __init__(
        self,
        runner: LoopRunner,
        dataloader: LoaderOrConfig,
        evaluator: EvaluatorOrConfig,
        fp16: bool = False,
        loss: bool = False,
    ) -> None:
        super().__init__(runner, dataloader)
        is_built = hasattr(evaluator, "evaluate") and not isinstance(evaluator, BaseMetric)
        self.evaluator: Evaluator = evaluator if is_built else runner.build_evaluator(evaluator)  # type: ignore[assignment]
        self.fp16 = fp16
        self.loss = loss
        if loss and not hasattr(unwrap(runner.model), "parse_losses"):
            raise RunnerConfigError(
                f"{self.mode}_cfg: loss=True needs a model with a mode 'loss' and parse_losses(), "
                f"as eng.model.BaseModel has: {type(unwrap(runner.model)).__name__} has none"
            )
        #: Batches of this evaluation so far, for the hooks.
        self.batches_seen = 0
        self._outputs = 0
        self._losses = EvalLosses()
        self.publish_meta()

    def _set_dataloader(self, dataloader: DataLoader[DataBatch]) -> None:
        self._dataloader, self._placed = dataloader, None
        if movable_sampler(dataloader) is None and stateful_part(dataloader) is None:
            self._placed = place_sampler(dataloader)

    dataloader: DataLoader[DataBatch] = property(  # type: ignore[assignment]
        attrgetter("_dataloader"), _set_dataloader
    )
    """The data loader, which a hook may replace between two evaluations."""

    @override
    def run(self) -> dict[str, float]:
        """Go over the data once.

        Returns:
            Metrics by name.
        """
        return run_between_hooks(self.runner, self.mode, self.evaluate_data, self.forget_results)

    def evaluate_data(self, first: int = 0) -> dict[str, float]:
        """Go over the data once, without the hooks of the beginning and the end.

        Args:
            first: Number of the first batch for the hooks. Defaults to 0.

        Returns:
            Metrics by name.
        """
        self.batches_seen, self._outputs = first, 0
        self._losses.reset()
        self.runner.model.eval()
        self._run_batches()
        size = self._count_samples()
        with self.runner.interruption.may_break():
            metrics = self.evaluator.evaluate(size)
            losses = self._losses.metrics(self.mode)
        return {**metrics, **losses} if losses else metrics

    def _run_batches(self) -> None:
        fetch, in_step = self.runner.interruption.fetch_to_validate, is_sharded(self.runner.model)
        for idx, data_batch in enumerate(fetch(self._open_batches(), in_step), self.batches_seen):
            self.run_iter(idx, data_batch)
            self.batches_seen = idx + 1

    def publish_meta(self) -> None:
        """Pass meta information of the dataset on to the evaluator and the visualizer."""
        meta = getattr(getattr(self.dataloader, "dataset", None), "metainfo", None)
        if meta is not None:
            self.evaluator.dataset_meta = meta
            self.runner.visualizer.dataset_meta = meta

    def forget_results(self) -> None:
        """Clear results, since those of an interrupted validation would count in the next one."""
        for metric in getattr(self.evaluator, "metrics", ()):
            results = getattr(metric, "results", None)
            if isinstance(results, list):
                results.clear()

    def _count_samples(self) -> int:
        """Count the samples of the data, without duplicates that fill up a batch."""
        size = length_of(getattr(self.dataloader, "dataset", None))
        # Of a stream, the samples that were read: none of them is a duplicate.
        return sum(keep_data_ranks(all_gather_object(self._outputs))) if size is None else size

    def _open_batches(self) -> Iterator[DataBatch]:
        """Begin an iteration that is the same each time, independent of earlier ones.

        Samples draw random numbers by their positions, and generators of the data loader are
        restored, so that a resumed run evaluates as an uninterrupted one does.
        """
        placed = self._placed
        if placed is not None:
            placed.seed = self.runner.seed
        generators = take_generators(self.dataloader)
        iterator = open_loader(self.dataloader, placed)
        is_whole = False
        try:
            batches = prefetch(self.dataloader, iterator)
            yield from check_same_samples(batches, self.dataloader)
            is_whole = True
        finally:
            put_generators(self.dataloader, generators)
            if not is_whole:
                stop_workers(self.dataloader, iterator)

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: DataBatch) -> None:
        """Predict one batch and pass it to the evaluator.

        Args:
            idx: Number of the batch, from 0.
            data_batch: The batch.
        """
        mode, runner = self.mode, self._runner
        runner.call_hook(f"before_{mode}_iter", batch_idx=idx, data_batch=data_batch)
        step = getattr(runner.model, f"{mode}_step")
        with autocast() if self.fp16 else _NOTHING:
            outputs = self._losses.split_off(step(data_batch))
            count = len(outputs) if hasattr(outputs, "__len__") else 1
            if self.loss:
                self._losses.add(compute_losses(runner.model, data_batch), count)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self._outputs += count
        runner.call_hook(
            f"after_{mode}_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )


@LOOPS.register_module()
class ValLoop(EvalLoop):
    """Validates a model.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        evaluator: The evaluator, its config, or configs of its metrics.
        fp16: Whether the model runs in mixed precision. Defaults to False.
        loss: Whether the losses of the model are metrics as well: their averages over the samples
            by name, and their sum as ``val_loss``. The model runs a second time on each batch,
            in its mode ``'loss'``. Defaults to False.
    """

    mode = "val"

    @property
    def val_loss(self) -> dict[str, float]:
        """Averages of the losses of the model, by name."""
        return self._losses.averages()


@LOOPS.register_module()
class TestLoop(EvalLoop):
    """Tests a model.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        evaluator: The evaluator, its config, or configs of its metrics.
        fp16: Whether the model runs in mixed precision. Defaults to False.
        loss: Whether the losses of the model are metrics as well: their averages over the samples
            by name, and their sum as ``test_loss``. The model runs a second time on each batch,
            in its mode ``'loss'``. Defaults to False.
    """

    __test__ = False  # not a class of tests, in spite of its name
    mode = "test"

    @property
    def test_loss(self) -> dict[str, float]:
        """Averages of the losses of the model, by name."""
        return self._losses.averages()

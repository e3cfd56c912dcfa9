"""Build a run and try one batch of it, without writing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from eng.config import Config
from eng.dl_utils import unwrap
from eng.model import check_parallel_parts
from eng.optim import OptimWrapper, OptimWrapperDict

from .batch_steps import place_before_update
from .descriptions import count_parameters, describe_data
from .first_mistakes import mistakes_explained
from .named_loop import loops_by_name
from .parallel import check_parallel
from .runner import Runner
from .trial_run import trial_runner

__all__ = ["try_run"]

_MOST_NAMES = 5


def try_run(cfg: Config) -> Iterator[str]:
    """Build everything of a run, train on one batch and validate one.

    Checkpoints that the config names are loaded. What would be written goes to a folder that is
    removed.

    Args:
        cfg: The config. It stays as it is.

    Yields:
        Lines that say what was found.

    Raises:
        UserError: If there are several processes, or the model lacks a part of ``parallel``.
    """
    with trial_runner(cfg, "--dry-run") as runner:
        yield from _describe(runner)
        parallel = check_parallel(runner.cfg)
        if parallel is not None:  # ignored here, in a single process
            check_parallel_parts(unwrap(runner.model), parallel)
        with mistakes_explained(runner.model, "train_dataloader"):
            yield from _train_one_batch(runner)
        if runner.val_loop is not None:
            with mistakes_explained(runner.model, "val_dataloader"):
                yield from _validate_one_batch(runner)


def _describe(runner: Runner) -> Iterator[str]:
    model = unwrap(runner.model)
    count, trained = count_parameters(model)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    yield f"model: {type(model).__name__}, {count:,} parameters, {trained:,} of them trained"
    yield f"device: {device}; seed: {runner.seed}"
    yield f"length: {runner.max_epochs} epochs, {runner.max_iters} iterations"
    yield f"training data: {describe_data(runner.train_dataloader)}"


def _train_one_batch(runner: Runner) -> Iterator[str]:
    model = runner.model
    model.train()
    batch = next(iter(runner.train_dataloader))
    yield f"first batch: {_describe_value(batch)}"
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapper) and not isinstance(wrapper, OptimWrapperDict):
        place_before_update(wrapper)  # of accumulated gradients
    step = getattr(model, "train_step")  # noqa: B009 - also of a model that does not derive from BaseModel
    losses = step(batch, optim_wrapper=wrapper)
    if isinstance(losses, Mapping):
        yield "losses: " + ", ".join(f"{k} {float(v):.4g}" for k, v in losses.items())
        bad = [name for name, value in losses.items() if not torch.isfinite(torch.as_tensor(value))]
        if bad:
            yield f"WARNING: not finite: {', '.join(bad)}"
    unchanged = [
        n for n, p in model.named_parameters() if n in before and torch.equal(p, before[n])
    ]
    changed = len(before) - len(unchanged)
    yield f"update: {changed} of {len(before)} trained parameters changed"
    if unchanged:
        shown = ", ".join(unchanged[:_MOST_NAMES])
        more = len(unchanged) - _MOST_NAMES
        yield f"  unchanged: {shown}{f' and {more} more' if more > 0 else ''}"


def _validate_one_batch(runner: Runner) -> Iterator[str]:
    model = runner.model.eval()
    for name, loop in loops_by_name(runner.val_loop).items():
        place = f" of {name!r}" if name else ""
        yield f"validation data{place}: {describe_data(loop.dataloader)}"
        batch = next(iter(loop.dataloader))
        with torch.no_grad():
            outputs = getattr(model, "val_step")(batch)  # noqa: B009 - as above
        loop.evaluator.process(data_samples=outputs, data_batch=batch)
        count = len(outputs) if isinstance(outputs, Sequence | Tensor) else 1
        yield f"validation of one batch{place}: {count} predictions, processed by the evaluator"


def _describe_value(value: object, depth: int = 0) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if isinstance(value, Mapping) and depth < 2:
        parts = [f"{key}: {_describe_value(each, depth + 1)}" for key, each in value.items()]
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        if not value or depth >= 2:
            return f"{type(value).__name__} of {len(value)}"
        kinds = {_describe_value(each, depth + 1) for each in value}
        same = len(kinds) == 1 and depth > 0
        if same or len(value) > 4:
            return f"{type(value).__name__} of {len(value)} {kinds.pop()}"
        return "(" + ", ".join(_describe_value(each, depth + 1) for each in value) + ")"
    return type(value).__name__

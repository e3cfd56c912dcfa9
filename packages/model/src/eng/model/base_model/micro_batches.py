"""Train a batch in parts that fit in memory, with the gradients of the whole."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from eng.device import is_out_of_memory
from eng.optim import MicroBatches, OptimWrapper, average_gradients, count_samples
from eng.utils import DataBatch

__all__ = ["split_batch", "take_step_in_parts"]

#: Key of the total loss, which no loss has as its name.
_TOTAL = ""


def take_step_in_parts(
    model: Any, bare: Any, data: DataBatch, optim_wrapper: OptimWrapper, micro: MicroBatches
) -> tuple[Tensor, dict[str, Tensor]]:
    """Train on a batch in micro-batches, which shrink when memory runs out.

    The losses of the micro-batches are weighted by their samples, so that the gradients are those
    of the whole batch if its losses are means over samples. An attempt that failed leaves nothing
    in gradients and random generators, but in buffers, such as running statistics.

    Args:
        model: The module to call: the model itself, or its wrapper.
        bare: The model itself, a :class:`BaseModel`.
        data: A batch from the data loader.
        optim_wrapper: Updates the parameters.
        micro: Size of the micro-batches.

    Returns:
        The total loss, and losses by name for the log, on their device.

    Raises:
        MemoryError: If a single sample is too much.
    """
    with optim_wrapper.optim_context(model):
        data = bare.data_preprocessor(data, True)
    samples = count_samples(data)
    with _gradients_aside(bare):
        while True:
            random, problem = _random_states(), None
            try:
                outcome = _accumulate(model, bare, data, optim_wrapper, samples, micro.size)
            except Exception as error:
                if not is_out_of_memory(error) or samples == 0:
                    raise
                problem = str(error) or type(error).__name__
            # Not within except: the error keeps the tensors of the failed attempt.
            if micro.record(samples, problem):
                break
            _clean_up(bare, random)
    if optim_wrapper.should_sync():
        average_gradients(bare.parameters())
    optim_wrapper.finish_parts()
    return outcome


def _accumulate(
    model: Any,
    bare: Any,
    data: DataBatch,
    optim_wrapper: OptimWrapper,
    samples: int,
    size: int | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Accumulate the gradients of all parts of a batch, and return its losses."""
    totals: dict[str, Tensor] = {}
    for part, count in split_batch(data, samples, size or samples):
        share = count / samples if count != samples else 1.0
        # Gradients are averaged over processes at the end, when all have succeeded.
        with model.no_sync() if hasattr(model, "no_sync") else nullcontext():
            with optim_wrapper.optim_context(model):
                losses = model._run_forward(part, "loss")
            loss, log_vars = bare.parse_losses(losses)
            optim_wrapper.check_losses(log_vars)
            optim_wrapper.backward_part(loss, share)
        for name, value in {_TOTAL: loss, **log_vars}.items():
            weighted = value.detach() * share
            totals[name] = totals[name] + weighted if name in totals else weighted
    return totals.pop(_TOTAL), totals


def split_batch(data: DataBatch, samples: int, size: int) -> Iterator[tuple[DataBatch, int]]:
    """Split a preprocessed batch along its samples.

    Args:
        data: A dict, list or tuple of the arguments of the model. In it, and in dicts, tuples and
            lists within, tensors and lists of as many entries as samples are split, all else is
            the same in each part.
        samples: Number of samples.
        size: The most samples of a part.

    Yields:
        The parts, and the number of samples of each, which differ by 1 at most.
    """
    count = -(-samples // size) if samples else 1
    if count <= 1:
        yield data, samples
        return
    begin = 0
    for index in range(count):
        end = begin + samples // count + (index < samples % count)
        yield _take_arguments(data, samples, slice(begin, end)), end - begin
        begin = end


def _take_arguments(data: Any, samples: int, part: slice) -> Any:
    # The outermost list holds arguments, however many these are.
    if isinstance(data, list):
        return [_take(each, samples, part) for each in data]
    return (
        _take_each(data, samples, part) if isinstance(data, tuple) else _take(data, samples, part)
    )


def _take(value: Any, samples: int, part: slice) -> Any:
    if isinstance(value, Tensor):
        return value[part] if value.ndim and len(value) == samples else value
    if isinstance(value, Mapping):
        return {key: _take(each, samples, part) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and len(value) == samples:
        return value[part]
    if isinstance(value, list):
        return [_take(each, samples, part) for each in value]
    return _take_each(value, samples, part) if isinstance(value, tuple) else value


def _take_each(values: tuple[Any, ...], samples: int, part: slice) -> tuple[Any, ...]:
    parts = [_take(each, samples, part) for each in values]
    # The class of a named tuple takes its entries one by one.
    return type(values)(*parts) if hasattr(values, "_fields") else tuple(parts)


@contextmanager
def _gradients_aside(model: nn.Module) -> Iterator[None]:
    """Keep accumulated gradients apart from those of an iteration, which may be repeated."""
    aside = [(each, each.grad) for each in model.parameters() if each.grad is not None]
    for parameter, _ in aside:
        parameter.grad = None
    try:
        yield
    except BaseException:
        for parameter, gradient in aside:
            parameter.grad = gradient
        raise
    for parameter, gradient in aside:
        assert gradient is not None
        parameter.grad = gradient if parameter.grad is None else gradient.add_(parameter.grad)


def _clean_up(model: nn.Module, random: list[Tensor]) -> None:
    """Drop gradients of a failed attempt, restore its generators and free its memory."""
    for parameter in model.parameters():
        parameter.grad = None
    torch.set_rng_state(random[0])
    gc.collect()
    if len(random) > 1:
        torch.cuda.set_rng_state(random[1])
        torch.cuda.empty_cache()


def _random_states() -> list[Tensor]:
    states = [torch.get_rng_state()]
    if torch.cuda.is_available():
        states.append(torch.cuda.get_rng_state())
    return states

"""Say what to write, in notes of errors that frequent mistakes lead to."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from torch import Tensor, nn

from eng.dl_utils import unwrap

__all__ = ["mistakes_explained"]

_FORWARD = "def forward(self, inputs, data_samples=None, mode='tensor')"
_CALL = re.compile(
    r"(?P<method>\w+)\(\) (takes|missing|got (an unexpected|multiple values|some positional))"
)
_SIGNATURES = {
    "process": "def process(self, data_batch, data_samples)",
    "compute_metrics": "def compute_metrics(self, results)",
}


@contextmanager
def mistakes_explained(model: nn.Module, loader: str) -> Iterator[None]:
    """Add a note to errors of frequent mistakes that are raised within the block.

    Args:
        model: The model that runs within the block.
        loader: Name of the setting of the data loader.

    Yields:
        Nothing.
    """
    try:
        yield
    except (TypeError, AttributeError) as error:
        note = _explain(error, unwrap(model), loader)
        if note is not None:
            _add_note(error, note)
        raise


def _explain(error: Exception, model: nn.Module, loader: str) -> str | None:
    frames = list(_list_frames(error))
    for frame in frames:
        code = frame.f_code
        is_method = code.co_name == "forward" and code.co_argcount > 0
        if is_method and frame.f_locals.get(code.co_varnames[0]) is model:
            return _explain_lists(str(error), frame, loader)
    found = _CALL.search(str(error))
    if found is None or not frames:
        return None
    method = found["method"]
    if method in _SIGNATURES and frames[-1].f_code.co_name in ("process", "evaluate"):
        return f"metrics are called with positional arguments: write {_SIGNATURES[method]}"
    is_call = frames[-1].f_code.co_name in ("_call_impl", "run_forward", "_run_forward")
    return _explain_call(model, frames) if method == "forward" and is_call else None


def _explain_lists(text: str, frame: FrameType, loader: str) -> str | None:
    """Explain that an argument of the model is a list where it takes a tensor."""
    code = frame.f_code
    for name in code.co_varnames[: code.co_argcount]:
        value = frame.f_locals.get(name)
        is_named = re.search(rf"\b{type(value).__name__}\b", text)
        if not isinstance(value, (list, tuple)) or not value or not is_named:
            continue
        if all(isinstance(each, (Tensor, int, float)) for each in value):
            kind = "tensors" if isinstance(value[0], Tensor) else "numbers"
            return (
                f"{name!r} is a {type(value).__name__} of {len(value)} {kind}, one of each sample: "
                "the default collate_fn, pseudo_collate, does not stack samples. Write "
                f"collate_fn=dict(type='default_collate') in {loader}, or stack them in the "
                "model's data_preprocessor"
            )
    return None


def _explain_call(model: nn.Module, frames: list[FrameType]) -> str:
    """Explain that the batch does not match the arguments of the model."""
    parameters = inspect.signature(model.forward).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if "mode" not in parameters and not takes_any:
        return (
            f"the runner calls {type(model).__name__} with mode='loss' and mode='predict': write "
            f"{_FORWARD}"
        )
    data = next((f.f_locals["data"] for f in reversed(frames) if "data" in f.f_locals), None)
    given = ", ".join(map(str, data)) if isinstance(data, dict) else "positional values"
    return (
        f"a batch is passed to forward() by its keys, which come from the dataset: it has {given}; "
        f"forward() of {type(model).__name__} takes {', '.join(parameters)}. Rename one of them"
    )


def _list_frames(error: BaseException) -> Iterator[FrameType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _add_note(error: Exception, note: str) -> None:
    if sys.version_info >= (3, 11):
        error.add_note(note)
    elif error.args and isinstance(error.args[0], str):  # notes are not printed there
        error.args = (f"{error.args[0]}\n{note}", *error.args[1:])

"""Describe the contents of a checkpoint in readable lines."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

__all__ = ["describe_checkpoint", "find_weights", "format_bytes", "list_tensors"]

#: Titles of the entries of ``meta`` that are shown.
_SHOWN = {
    "epoch": "epoch",
    "iter": "iteration",
    "experiment_name": "experiment",
    "seed": "seed",
    "world_size": "processes",
    "mmengine_version": "format of MMEngine",
}


def describe_checkpoint(checkpoint: object) -> list[str]:
    """Describe the run of a checkpoint, and its entries with their sizes.

    Args:
        checkpoint: The loaded checkpoint.

    Returns:
        The lines.
    """
    if not isinstance(checkpoint, Mapping):
        return [f"a {type(checkpoint).__name__}, not a checkpoint of a run"]
    meta = checkpoint.get("meta")
    lines = [*_describe_run(meta)] if isinstance(meta, Mapping) else []
    try:
        weights = find_weights(checkpoint)
    except ValueError:  # other entries are shown all the same
        weights = {}
    if weights is checkpoint:
        return [*lines, *_describe_weights("weights", weights)]
    for name, part in checkpoint.items():
        if part is weights:
            lines += _describe_weights(str(name), weights)
        elif name != "meta":
            lines.append(_describe_part(str(name), part))
    return lines


def find_weights(checkpoint: object) -> Mapping[str, object]:
    """Find the weights of the model in a checkpoint.

    Args:
        checkpoint: A loaded checkpoint of a run, of Lightning or of plain torch.

    Returns:
        Tensors by name: those in ``state_dict`` or ``model``, or the whole checkpoint.

    Raises:
        ValueError: If none of these has tensors by name.
    """
    if isinstance(checkpoint, Mapping):
        for found in (checkpoint.get("state_dict"), checkpoint.get("model"), checkpoint):
            if isinstance(found, Mapping) and any(isinstance(v, Tensor) for v in found.values()):
                return found
    raise ValueError("no state_dict found: neither 'state_dict' nor 'model' has tensors by name")


def list_tensors(weights: Mapping[str, object]) -> list[str]:
    """List the tensors of a model.

    Args:
        weights: Tensors by name.

    Returns:
        One line for each: name, shape, dtype and size.
    """
    rows = [
        (name, str(list(value.shape)), _format_dtype(value), format_bytes(value.nbytes))
        for name, value in weights.items()
        if isinstance(value, Tensor)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]:>9}"
        for row in rows
    ]


def format_bytes(count: float) -> str:
    """Format a number of bytes with binary units.

    Args:
        count: The number.

    Returns:
        A text such as ``'44.7 MiB'``.
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _describe_run(meta: Mapping[object, object]) -> Iterator[str]:
    for key, title in _SHOWN.items():
        if meta.get(key) is not None:
            yield f"{title}: {meta[key]}"
    saved_at = meta.get("saved_at")
    if isinstance(saved_at, (int, float)):
        moment = datetime.datetime.fromtimestamp(saved_at).astimezone()
        yield f"saved: {moment:%Y-%m-%d %H:%M:%S %z}"
    if isinstance(meta.get("cfg"), str):
        lines = str(meta["cfg"]).count("\n") + 1
        yield f"config: {lines} lines (print it with --config)"


def _describe_weights(name: str, weights: Mapping[str, object]) -> Iterator[str]:
    tensors = {key: value for key, value in weights.items() if isinstance(value, Tensor)}
    yield f"{name}: {_summarize(list(tensors.values()))}"
    by_part: dict[str, list[Tensor]] = {}
    for key, tensor in tensors.items():
        by_part.setdefault(str(key).partition(".")[0], []).append(tensor)
    if 1 < len(by_part) < len(tensors):
        for part, found in by_part.items():
            yield f"  {part}: {_summarize(found)}"


def _describe_part(name: str, part: object) -> str:
    tensors = list(_find_tensors(part))
    if tensors:
        return f"{name}: {_summarize(tensors)}"
    if isinstance(part, (Mapping, Sequence)) and not isinstance(part, (str, bytes)):
        entries = "entry" if len(part) == 1 else "entries"
        return f"{name}: {len(part)} {entries}"
    text = repr(part)
    return f"{name}: {text if len(text) <= 60 else type(part).__name__}"


def _find_tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _find_tensors(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _find_tensors(each)


def _summarize(tensors: list[Tensor]) -> str:
    numbers = sum(tensor.numel() for tensor in tensors)
    kinds = sorted({_format_dtype(tensor) for tensor in tensors})
    size = format_bytes(sum(tensor.nbytes for tensor in tensors))
    count = f"{len(tensors):,} tensor{'' if len(tensors) == 1 else 's'}"
    return f"{count}, {numbers:,} numbers, {size} ({', '.join(kinds)})"


def _format_dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")

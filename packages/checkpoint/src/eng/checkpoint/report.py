"""What of a state does not fit a model, in a few lines however much it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["fit_report"]

#: Entries under one title; what is more is put together by the modules that it belongs to.
LIMIT = 10

#: How torch words it in ``Module._load_from_state_dict``.
_SIZES = re.compile(
    r"size mismatch for (?P<name>\S+): copying a param with shape (?P<given>.*?) from checkpoint, "
    r"the shape in current model is (?P<wanted>.*?)\.$"
)


def fit_report(missing: Sequence[str], unexpected: Sequence[str], unfitting: Sequence[str]) -> str:
    """Put into words what did not fit.

    Args:
        missing: Names that the model has and the state has not.
        unexpected: Names that the state has and the model has not.
        unfitting: What is wrong with others, one message each.

    Returns:
        A line for each size mismatch, at most ten, and one line each for unexpected and missing
        keys; nothing if all fits.
    """
    lines = [_shorter(message) for message in unfitting[:LIMIT]]
    if len(unfitting) > LIMIT:
        lines.append(f"size mismatch for {len(unfitting) - LIMIT} more ({len(unfitting)} in all)")
    for title, names in (
        ("unexpected key in source state_dict", unexpected),
        ("missing keys in source state_dict", missing),
    ):
        if names:
            lines.append(f"{title}: {_listed(names)}")
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    if len(names) <= LIMIT:
        return ", ".join(names)
    entries = _grouped(names)
    more = len(entries) - LIMIT
    listed = "; ".join(entries[:LIMIT])
    return f"{listed}{f'; and {more} more' if more > 0 else ''} ({len(names)} in all)"


def _grouped(names: Sequence[str]) -> list[str]:
    """Names by the layer that they belong to; by larger and larger parts until they are few."""
    entries = _by_layer(names)
    depth = max((name.count(".") for name in names), default=0)
    while len(entries) > LIMIT and depth > 0:
        entries = _by_part(names, depth)
        depth -= 1
    return entries


def _by_layer(names: Sequence[str]) -> list[str]:
    layers: dict[str, list[str]] = {}
    for name in names:
        owner, _, leaf = name.rpartition(".")
        layers.setdefault(owner, []).append(leaf)
    return [
        f"{owner}.{{{', '.join(leaves)}}}" if owner and len(leaves) > 1
        else ", ".join(f"{owner}.{leaf}" if owner else leaf for leaf in leaves)
        for owner, leaves in layers.items()
    ]  # fmt: skip


def _by_part(names: Sequence[str], depth: int) -> list[str]:
    """One entry for all names that begin with the same ``depth`` parts."""
    starts = {name: ".".join(name.split(".")[:depth]) for name in names}
    counts = Counter(starts.values())
    only = {start: name for name, start in starts.items()}
    return [
        only[start] if count == 1 else f"{start}.* ({count})" for start, count in counts.items()
    ]


def _shorter(message: str) -> str:
    sizes = _SIZES.match(message)
    if sizes is None:
        return message
    given, wanted = (
        re.sub(r"^torch\.Size\(\[(.*)\]\)$", r"(\1)", sizes[key]) for key in ("given", "wanted")
    )
    return f"size mismatch for {sizes['name']}: {given} in the state_dict, {wanted} in the model"

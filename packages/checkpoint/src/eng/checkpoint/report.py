"""Report missing, unexpected and mismatching keys of a state dict in a few lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["fit_report"]

#: Entries of one line; longer lists of names are grouped by module.
LIMIT = 10

#: The message of torch in ``Module._load_from_state_dict``.
_SIZES = re.compile(
    r"size mismatch for (?P<name>\S+): copying a param with shape (?P<given>.*?) from checkpoint, "
    r"the shape in current model is (?P<wanted>.*?)\.$"
)


def fit_report(missing: Sequence[str], unexpected: Sequence[str], unfitting: Sequence[str]) -> str:
    """Report the keys that were not loaded.

    Args:
        missing: Names in the model that the state dict does not have.
        unexpected: Names in the state dict that the model does not have.
        unfitting: Messages about size mismatches, one for each name.

    Returns:
        A line for each size mismatch, at most ten, and one line each for unexpected and missing
        keys; empty if all keys match.
    """
    lines = [_shorten(message) for message in unfitting[:LIMIT]]
    if len(unfitting) > LIMIT:
        lines.append(f"size mismatch for {len(unfitting) - LIMIT} more ({len(unfitting)} in all)")
    for title, names in (
        ("unexpected key in source state_dict", unexpected),
        ("missing keys in source state_dict", missing),
    ):
        if names:
            lines.append(f"{title}: {_summarize(names)}")
    return "\n".join(lines)


def _summarize(names: Sequence[str]) -> str:
    if len(names) <= LIMIT:
        return ", ".join(names)
    entries = _group(names)
    more = len(entries) - LIMIT
    listed = "; ".join(entries[:LIMIT])
    return f"{listed}{f'; and {more} more' if more > 0 else ''} ({len(names)} in all)"


def _group(names: Sequence[str]) -> list[str]:
    """Group names by layer, then by larger and larger modules until ten entries are left."""
    entries = _group_by_layer(names)
    depth = max((name.count(".") for name in names), default=0)
    while len(entries) > LIMIT and depth > 0:
        entries = _group_by_module(names, depth)
        depth -= 1
    return entries


def _group_by_layer(names: Sequence[str]) -> list[str]:
    layers: dict[str, list[str]] = {}
    for name in names:
        owner, _, leaf = name.rpartition(".")
        layers.setdefault(owner, []).append(leaf)
    return [
        f"{owner}.{{{', '.join(leaves)}}}" if owner and len(leaves) > 1
        else ", ".join(f"{owner}.{leaf}" if owner else leaf for leaf in leaves)
        for owner, leaves in layers.items()
    ]  # fmt: skip


def _group_by_module(names: Sequence[str], depth: int) -> list[str]:
    """One entry for all names that share their first ``depth`` parts."""
    starts = {name: ".".join(name.split(".")[:depth]) for name in names}
    counts = Counter(starts.values())
    only = {start: name for name, start in starts.items()}
    return [
        only[start] if count == 1 else f"{start}.* ({count})" for start, count in counts.items()
    ]


def _shorten(message: str) -> str:
    sizes = _SIZES.match(message)
    if sizes is None:
        return message
    given, wanted = (
        re.sub(r"^torch\.Size\(\[(.*)\]\)$", r"(\1)", sizes[key]) for key in ("given", "wanted")
    )
    return f"size mismatch for {sizes['name']}: {given} in the state_dict, {wanted} in the model"

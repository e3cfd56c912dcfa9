"""Table of the metrics of a validation, with the best so far."""

from __future__ import annotations

from collections.abc import Mapping

from eng.hooks import scalar_of

from ..bests import Best
from .lines import color, format_number

__all__ = ["format_table"]

_INDENT = " " * 11


def format_table(
    metrics: Mapping[str, object], bests: Mapping[str, Best[str]], when: str, has_color: bool
) -> str:
    """Format metrics as lines of name, value and best value.

    Args:
        metrics: Values by name. Those that are not numbers are left out.
        bests: Best values so far, by name.
        when: When it was, as in ``bests``.
        has_color: Whether colors are allowed.

    Returns:
        Lines. The mark ``*`` is a best value.
    """
    values = {str(name): scalar_of(value) for name, value in metrics.items()}
    texts = {name: format_number(each) for name, each in values.items() if each is not None}
    if not texts:
        return f"{_INDENT}no metrics that are numbers"
    names, numbers = (max(map(len, each)) for each in (texts, texts.values()))
    lines = []
    for name, text in texts.items():
        line = f"{_INDENT}{name:{names}}  {text:>{numbers}}"
        best = bests.get(name)
        if best is not None and best.when == when:
            line += color(" * best so far", "32", has_color)
        elif best is not None:
            line += f"   best {format_number(best.value)} ({best.when})"
        lines.append(line)
    return "\n".join(lines)

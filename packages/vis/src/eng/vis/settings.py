"""Settings of what is drawn: colours, styles, widths; one for all objects, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties

from eng.utils import ArgumentTypeError, ArgumentValueError

from .geometry import as_array

__all__ = ["colors", "fonts", "names", "numbers", "spread", "styles"]

T = TypeVar("T")

LINE_STYLES = ("-", "--", "-.", ":", "solid", "dashed", "dashdot", "dotted")


def spread(argument: str, values: Sequence[T], count: int) -> list[T]:
    """One value for each object.

    Args:
        argument: Name of the argument, for errors.
        values: One value, or one for each object; further ones are left out.
        count: Number of objects.

    Returns:
        As many values as objects.

    Raises:
        ValueError: If there are fewer values than objects, and more than one or none.
    """
    if len(values) >= count:
        return list(values[:count])
    if len(values) == 1:
        return [values[0]] * count
    raise ArgumentValueError(
        f"{argument} has {len(values)} values for {count} objects: give one, or one for each"
    )


def colors(
    argument: str, given: Any, count: int, alpha: float | Sequence[float] = 1.0
) -> np.ndarray:
    """Colours of objects.

    Args:
        argument: Name of the argument, for errors.
        given: A colour, or one for each object: what matplotlib takes, or whole numbers of 0 to
            255 as RGB or RGBA.
        count: Number of objects.
        alpha: Opacity that all are multiplied with, or one for each. Defaults to 1.

    Returns:
        RGBA of 0 to 1, of shape (count, 4).

    Raises:
        ValueError: If one is no colour, or their number is not that of the objects.
    """
    if hasattr(given, "detach"):
        given = as_array(argument, given)
    many = isinstance(given, (Sequence, np.ndarray)) and not isinstance(given, str)
    if not many or any(isinstance(v, Real) for v in given):
        given = [given]
    rgba = spread(argument, [_color(argument, color) for color in given], count)
    values = np.array(rgba, np.float64).reshape(-1, 4)
    values[:, 3] *= alpha
    return values


def numbers(argument: str, given: Any, count: int, most: float = float("inf")) -> list[float]:
    """Numbers of objects, such as widths of lines.

    Args:
        argument: Name of the argument, for errors.
        given: A number, or one for each object.
        count: Number of objects.
        most: The greatest that is allowed. Defaults to infinity.

    Returns:
        As many numbers as objects.

    Raises:
        TypeError: If one is no number.
        ValueError: If one is negative or too great, or their number is not that of the objects.
    """
    array = np.atleast_1d(as_array(argument, given)).astype(np.float64)
    if array.ndim != 1:
        raise ArgumentValueError(
            f"{argument} must be a number or one for each object, not of shape {array.shape}"
        )
    if not (np.isfinite(array) & (array >= 0) & (array <= most)).all():
        raise ArgumentValueError(f"{argument} must be from 0 to {most:g}, not {array.tolist()}")
    return spread(argument, array.tolist(), count)


def styles(argument: str, given: Any, count: int) -> list[Any]:
    """Styles of lines.

    Args:
        argument: Name of the argument, for errors.
        given: A style of matplotlib, or one for each object: '-', '--', '-.', ':', or a tuple of
            an offset and the lengths of dashes and gaps.
        count: Number of objects.

    Returns:
        As many styles as objects.

    Raises:
        ValueError: If one is no style, or their number is not that of the objects.
    """
    many = isinstance(given, Sequence) and not isinstance(given, str)
    if not many or any(isinstance(v, Real) for v in given):
        given = [given]
    for style in given:
        if style not in LINE_STYLES and not (isinstance(style, tuple) and len(style) == 2):
            raise ArgumentValueError(
                f"{argument}: {style!r} is no style; give one of {', '.join(LINE_STYLES)}, or a"
                " tuple of an offset and lengths of dashes and gaps, such as (0, (3, 1))"
            )
    return spread(argument, given, count)


def names(argument: str, given: Any, count: int, allowed: Sequence[str] | None = None) -> list[str]:
    """Words of objects, such as where a text is aligned.

    Args:
        argument: Name of the argument, for errors.
        given: A word, or one for each object.
        count: Number of objects.
        allowed: What it may be. Defaults to None, anything.

    Returns:
        As many words as objects.

    Raises:
        ValueError: If one is not allowed, or their number is not that of the objects.
    """
    words = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
    for word in words:
        if not isinstance(word, str) or (allowed is not None and word not in allowed):
            wanted = "a word" if allowed is None else f"one of {', '.join(allowed)}"
            raise ArgumentValueError(f"{argument} must be {wanted}, not {word!r}")
    return spread(argument, words, count)


def fonts(families: Any, properties: Any, count: int) -> list[FontProperties]:
    """Fonts of texts.

    Args:
        families: A family of fonts, or one for each text.
        properties: Properties of fonts, or those of each text, which take precedence. None for
            the families alone.
        count: Number of texts.

    Returns:
        As many fonts as texts.

    Raises:
        TypeError: If properties are something else.
        ValueError: If a family is invalid, or their number is not that of the texts.
    """
    if properties is None:
        return [FontProperties(family=[name]) for name in names("font_families", families, count)]
    given = properties if isinstance(properties, (list, tuple)) else [properties]
    for each in given:
        if not isinstance(each, FontProperties):
            raise ArgumentTypeError(
                "font_properties must be a matplotlib.font_manager.FontProperties, or a list of "
                f"one for each text, not {each!r}"
            )
    return spread("font_properties", given, count)


def _color(argument: str, color: Any) -> tuple[float, ...]:
    try:
        values = np.asarray(color)
        if values.dtype.kind in "ui" and values.shape in ((3,), (4,)) and values.max() <= 255:
            return to_rgba(tuple((values / 255).tolist()))
        return to_rgba(color)
    except (TypeError, ValueError):
        raise ArgumentValueError(
            f"{argument}: {color!r} is no colour; give a name such as 'g' or 'tab:blue', '#00ff00',"
            " 3 whole numbers of 0 to 255 or 3 floats of 0 to 1"
        ) from None

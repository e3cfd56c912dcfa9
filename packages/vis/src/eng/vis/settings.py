"""Check settings of objects: colours, styles and widths, one for all or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeVar, cast

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties

from eng.utils import ArgumentTypeError, ArgumentValueError

from .geometry import as_array
from .types import Colors, LineStyle

__all__ = ["colors", "fonts", "names", "numbers", "spread", "styles"]

T = TypeVar("T")

LINE_STYLES = ("-", "--", "-.", ":", "solid", "dashed", "dashdot", "dotted")


def spread(argument: str, values: Sequence[T], count: int) -> list[T]:
    """Repeat a single value for all objects, or check that there is one for each.

    Args:
        argument: Name of the argument, for errors.
        values: One value, or one for each object; further ones are ignored.
        count: Number of objects.

    Returns:
        As many values as objects.

    Raises:
        ValueError: If there are fewer values than objects, and not exactly one.
    """
    if len(values) >= count:
        return list(values[:count])
    if len(values) == 1:
        return [values[0]] * count
    raise ArgumentValueError(
        f"{argument} has {len(values)} values for {count} objects: pass one, or one per object"
    )


def colors(
    argument: str, given: Colors, count: int, alpha: float | Sequence[float] = 1.0
) -> np.ndarray:
    """Convert colours of objects to RGBA.

    Args:
        argument: Name of the argument, for errors.
        given: A colour, or one for each object: colours of matplotlib, or integers of 0 to 255, or
            floats of 0 to 255 with one of at least 2, as RGB or RGBA.
        count: Number of objects.
        alpha: Opacity to multiply all with, or one for each. Defaults to 1.

    Returns:
        RGBA of 0 to 1, of shape (count, 4).

    Raises:
        ValueError: If a colour is invalid, or their number differs from that of the objects.
    """
    each = _as_list(as_array(argument, given) if hasattr(given, "detach") else given)
    rgba = spread(argument, [_to_rgba(argument, color) for color in each], count)
    values = np.array(rgba, np.float64).reshape(-1, 4)
    values[:, 3] *= alpha
    return values


def numbers(argument: str, given: object, count: int, most: float = float("inf")) -> list[float]:
    """Check numbers of objects, such as line widths.

    Args:
        argument: Name of the argument, for errors.
        given: A number, or one for each object.
        count: Number of objects.
        most: The maximum. Defaults to infinity.

    Returns:
        As many numbers as objects.

    Raises:
        TypeError: If one is not a number.
        ValueError: If one is negative or above the maximum, or their number differs from that of
            the objects.
    """
    array = np.atleast_1d(as_array(argument, given)).astype(np.float64)
    if array.ndim != 1:
        raise ArgumentValueError(
            f"{argument} must be a number or one per object, not of shape {array.shape}"
        )
    if not (np.isfinite(array) & (array >= 0) & (array <= most)).all():
        raise ArgumentValueError(f"{argument} must be from 0 to {most:g}, not {array.tolist()}")
    return spread(argument, array.tolist(), count)


def styles(argument: str, given: object, count: int) -> list[LineStyle]:
    """Check line styles.

    Args:
        argument: Name of the argument, for errors.
        given: A style of matplotlib, or one for each object: '-', '--', '-.', ':', or a tuple of
            an offset and the lengths of dashes and gaps.
        count: Number of objects.

    Returns:
        As many styles as objects.

    Raises:
        ValueError: If a style is invalid, or their number differs from that of the objects.
    """
    each = [given] if isinstance(given, np.ndarray) else _as_list(given)
    for style in each:
        if style not in LINE_STYLES and not (isinstance(style, tuple) and len(style) == 2):
            raise ArgumentValueError(
                f"{argument}: invalid line style {style!r}; pass one of {', '.join(LINE_STYLES)},"
                " or a tuple of an offset and lengths of dashes and gaps, such as (0, (3, 1))"
            )
    return spread(argument, cast("Sequence[LineStyle]", each), count)


def names(
    argument: str, given: object, count: int, allowed: Sequence[str] | None = None
) -> list[str]:
    """Check names of objects, such as alignments of texts.

    Args:
        argument: Name of the argument, for errors.
        given: A name, or one for each object.
        count: Number of objects.
        allowed: Accepted names. Defaults to None, any.

    Returns:
        As many names as objects.

    Raises:
        ValueError: If one is not accepted, or their number differs from that of the objects.
    """
    words = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
    for word in words:
        if not isinstance(word, str) or (allowed is not None and word not in allowed):
            wanted = "a str" if allowed is None else f"one of {', '.join(allowed)}"
            raise ArgumentValueError(f"{argument} must be {wanted}, not {word!r}")
    return spread(argument, words, count)


def fonts(families: object, properties: object, count: int) -> list[FontProperties]:
    """Make the fonts of texts.

    Args:
        families: A font family, or one for each text.
        properties: Properties of fonts, or those of each text, which take precedence. None for
            the families alone.
        count: Number of texts.

    Returns:
        As many fonts as texts.

    Raises:
        TypeError: If properties have another type.
        ValueError: If a family is invalid, or their number differs from that of the texts.
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


def _as_list(given: object) -> Sequence[object] | np.ndarray:
    """Return one setting for each object as they are, and a single one in a list.

    Numbers, such as of a colour or of dashes, are a single one.
    """
    if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
        return [given]
    return [given] if any(isinstance(value, Real) for value in given) else given


def _to_rgba(argument: str, color: Any) -> tuple[float, ...]:
    try:
        values = np.asarray(color)
        # Floats of 2 and more, as of a palette that was computed, are of 0 to 255 as well; one just
        # above 1 is a mistake of rounding.
        is_of_bytes = values.dtype.kind in "ui" or (values.dtype.kind == "f" and values.max() >= 2)
        if is_of_bytes and values.shape in ((3,), (4,)) and values.max() <= 255:
            return to_rgba(tuple((values / 255).tolist()))
        return to_rgba(color)
    except (TypeError, ValueError):
        raise ArgumentValueError(
            f"{argument}: invalid colour {color!r}; pass a name such as 'g' or 'tab:blue',"
            " '#00ff00', 3 integers of 0 to 255 or 3 floats of 0 to 1"
        ) from None

"""Types of images, coordinates, colours and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

__all__ = [
    "Arguments",
    "Color",
    "Colors",
    "Coordinates",
    "LineStyle",
    "LineStyles",
    "Names",
    "Numbers",
    "Outline",
    "Scalar",
    "Scalars",
    "TextBoxes",
    "Texts",
]

#: Arguments by name that are passed on to a function of another library.
Arguments: TypeAlias = "dict[str, Any]"

#: A name or hex code, RGB or RGBA: integers of 0 to 255, or floats of 0 to 1.
Color: TypeAlias = "str | Sequence[float] | np.ndarray | Tensor"

#: A colour for all objects, or one for each. One sequence type, which type checkers infer lists by.
Colors: TypeAlias = "str | np.ndarray | Tensor | Sequence[float | Color]"

#: Coordinates of objects, of any device.
Coordinates: TypeAlias = "np.ndarray | Tensor | Sequence[float | Sequence[float]]"

#: A style of matplotlib: ``'--'``, or an offset and the lengths of dashes and gaps.
LineStyle: TypeAlias = "str | tuple[float, Sequence[float]]"

#: A style for all objects, or one for each.
LineStyles: TypeAlias = "LineStyle | Sequence[LineStyle]"

#: A name for all objects, such as of a font or an alignment, or one for each.
Names: TypeAlias = "str | Sequence[str]"

#: A text or a number, or one for each position.
Texts: TypeAlias = "str | float | Sequence[str | float]"

#: A number for all objects, such as a width or an opacity, or one for each.
Numbers: TypeAlias = "float | Sequence[float] | np.ndarray | Tensor"

#: A value to record: a number, or a tensor or array of one element.
Scalar: TypeAlias = "float | np.ndarray | Tensor"

#: Scalars by name. A dict of floats is not a dict of scalars to a type checker, hence any values.
Scalars: TypeAlias = "dict[str, Any]"

#: Settings of the box around a text, of :class:`matplotlib.patches.FancyBboxPatch`, or of each.
TextBoxes: TypeAlias = "Mapping[str, object] | Sequence[Mapping[str, object] | None]"


class Outline(NamedTuple):
    """Edges and faces of polygons and circles: each one setting for all, or one for each."""

    edge_colors: Colors
    line_styles: LineStyles
    line_widths: Numbers
    face_colors: Colors | None
    alpha: Numbers

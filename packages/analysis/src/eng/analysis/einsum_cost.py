"""Count the multiply-adds of an Einstein summation."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters

import numpy as np

__all__ = ["einsum_cost"]

LARGEST_SEARCH = 6  # operands


def einsum_cost(equation: str, shapes: Sequence[Sequence[int]]) -> int | float:
    """Count the flops of an einsum, half of the estimate of :func:`numpy.einsum_path`.

    Each contraction of two operands costs one flop for each combination of all its indices. A
    contraction without a sum, such as an outer product, costs half: it multiplies without adding.

    Args:
        equation: The equation, such as ``'bij,bjk->bik'``; it may have an ellipsis.
        shapes: Shapes of the operands.

    Returns:
        The count; a fraction if a product without a sum has an odd size.

    Raises:
        ValueError: If the numbers of operands in the equation and of shapes differ.

    Examples:
        >>> einsum_cost("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)])
        120
    """
    terms, output = _parse(equation.replace(" ", ""), [len(shape) for shape in shapes])
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for index, size in zip(term, shape, strict=True):
            sizes[index] = max(sizes.get(index, 1), size)
    doubled = sum(_step_costs(terms, output, sizes))
    return doubled // 2 if doubled % 2 == 0 else doubled / 2


def _step_costs(terms: list[str], output: str, sizes: dict[str, int]) -> list[int]:
    """Count the multiplications and additions of each contraction, along the path of numpy."""
    arrays = [np.broadcast_to(0.0, [sizes[index] for index in term]) for term in terms]
    # The optimal path takes exponential time in the number of operands.
    search = "optimal" if len(terms) <= LARGEST_SEARCH else "greedy"
    path = np.einsum_path(f"{','.join(terms)}->{output}", *arrays, optimize=search)[0][1:]
    left, costs = list(terms), []
    for step in path:
        chosen = [left.pop(place) for place in sorted(step, reverse=True)]
        indices = set("".join(chosen))
        kept = indices & set("".join([output, *left]))
        factor = max(1, len(chosen) - 1) + (kept != indices)
        costs.append(factor * prod(sizes[index] for index in indices))
        left.append("".join(sorted(kept)))
    return costs


def _parse(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """Expand the ellipsis and the output of an equation, with unused letters."""
    inputs, arrow, output = equation.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum {equation!r} needs {len(terms)} operands, not {len(ranks)}")
    if not arrow:
        letters = inputs.replace(",", "").replace("...", "")
        output = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    unused = [letter for letter in ascii_letters if letter not in equation]
    hidden = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    for place, (term, count) in enumerate(zip(terms, hidden, strict=True)):
        terms[place] = term.replace("...", "".join(unused[:count][::-1]))
    return terms, output.replace("...", "".join(unused[: max(hidden)][::-1]))

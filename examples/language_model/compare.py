"""Compare the perplexities of two runs on the text that was left out.

python examples/language_model/compare.py work_dirs/language_model/plain \
    work_dirs/language_model/two
"""

from __future__ import annotations

import sys

from eng.vis.runs import read_curves


def compare(first: str, second: str, tolerance: float = 1e-3) -> bool:
    """Print the perplexities of two runs side by side.

    Args:
        first: Work directory of a run.
        second: That of the other one.
        tolerance: The most that two values may differ by. Defaults to 0.001.

    Returns:
        Whether both have values of the same iterations, within the tolerance.
    """
    one, other = (read_curves(work_dir).curves["perplexity"] for work_dir in (first, second))
    for step, left, right in zip(one.steps, one.values, other.values, strict=False):
        print(f"iteration {step}: {left:.4f} {right:.4f}")
    if one.steps != other.steps:
        print(f"validated at other iterations: {one.steps} and {other.steps}")
        return False
    largest = max(abs(a - b) for a, b in zip(one.values, other.values, strict=True))
    print("equal" if largest <= tolerance else f"not equal: they differ by up to {largest:.6f}")
    return largest <= tolerance


if __name__ == "__main__":
    sys.exit(not compare(sys.argv[1], sys.argv[2]))

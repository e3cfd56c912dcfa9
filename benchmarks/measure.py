"""Measure calls turn by turn and the cost of imports, and report figures against their limits."""

import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

__all__ = [
    "Comparison", "compare", "import_ms", "report", "report_ratio", "run_all", "seconds",
    "summarize", "take_turns",
]  # fmt: skip

#: What was reported in this process, by what it is.
FIGURES = {}


class Comparison(NamedTuple):
    """Two calls measured turn by turn: median seconds of each, median ratio and difference."""

    ours: float
    theirs: float
    ratio: float
    more: float


def seconds(call, number=1):
    """Seconds that a call takes, as the mean of ``number`` calls in a row."""
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number


def take_turns(calls, rounds, number=1):
    """Seconds of several calls, measured turn by turn in an order that changes.

    So a machine that is busy for a while slows all of them, and none always finds in the caches
    what the same other one has left.

    Args:
        calls: Calls by name.
        rounds: Measurements of each.
        number: Calls in a row that are one measurement, of which the mean counts.

    Returns:
        ``rounds`` seconds by name.
    """
    times = {name: [] for name in calls}
    order = list(calls)
    for round_ in range(rounds):
        random.Random(round_).shuffle(order)
        for name in order:
            times[name].append(seconds(calls[name], number))
    return times


def compare(ours, theirs, rounds, number=1):
    """Measure two calls turn by turn; see :func:`take_turns`."""
    return summarize(**take_turns({"ours": ours, "theirs": theirs}, rounds, number))


def summarize(ours, theirs):
    """Summarize seconds of two calls, which were measured in pairs."""
    pairs = list(zip(ours, theirs, strict=True))
    return Comparison(
        median(ours),
        median(theirs),
        median(a / b for a, b in pairs),
        median(a - b for a, b in pairs),
    )


def import_ms(module, rounds=9):
    """Milliseconds of an import over bare Python, in processes of their own.

    Of processor time, as a busy machine stretches that of the clock.
    """

    def spent(statement):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return median(spent(f"import {module}") - spent("pass") for _ in range(rounds)) * 1e3


def report(what, value, limit, unit="", detail="", at_least=False):
    """Print a figure beside its limit.

    Args:
        what: What was measured.
        value: The figure.
        limit: What it may be at most; None for no limit.
        unit: Of both, such as ``" ms"``.
        detail: More to say.
        at_least: Whether ``limit`` is what it must be at least.

    Returns:
        Whether the limit is kept.
    """
    holds = limit is None or (value >= limit if at_least else value <= limit)
    FIGURES[what] = {"value": value, "limit": limit, "unit": unit.strip()}
    line = f"{what}: {value:.3g}{unit}"
    if limit is not None:
        line += f", limit {'at least ' if at_least else ''}{limit:.3g}{unit}"
    if detail:
        line += f" ({detail})"
    print(line if holds else f"{line}  MISSED", flush=True)
    return holds


def report_ratio(what, comparison, limit, reference):
    """Print how many times a reference a call takes; see :func:`report`."""
    detail = f"{_time(comparison.ours)}, {reference} {_time(comparison.theirs)}"
    return report(what, comparison.ratio, limit, " times", detail)


def run_all(*checks):
    """Run checks, each of which returns whether its limits are kept, and exit by the result.

    With the variable ``BENCH_JSON`` set, the figures are added to the file that it names, under the
    name of the program; ``benchmarks/compare.py`` compares two such files.
    """
    kept = all([check() for check in checks])
    if os.environ.get("BENCH_JSON"):
        path = Path(os.environ["BENCH_JSON"])
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, Path(sys.argv[0]).stem: FIGURES}, indent=1) + "\n")
    sys.exit(0 if kept else 1)


def _time(value):
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e6:.3g} us"

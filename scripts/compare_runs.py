"""Run the same jobs at two commits on this machine, and compare them to the bit.

    python scripts/compare_runs.py BASE [OTHER]      OTHER defaults to the working tree

The jobs: digits in one process and in two; a small network by epochs and by iterations, whole and
stopped and resumed, with averaged weights, accumulated gradients and bfloat16. Compared are losses,
the order of samples, learning rates, final weights and the lines of the log without their times.
Exits with 1 where anything differs.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workspace import ROOT

#: What of a log line depends on the clock.
TIMES = re.compile(r"(eta|time|data_time): [\d:.]+( days?, [\d:]+)?|^\S+ \S+ - ")


def main(base: str, other: str | None) -> int:
    """Compare two commits; 1 where they differ."""
    with TemporaryDirectory() as folder:
        found = [results_at(commit, Path(folder, str(n))) for n, commit in enumerate((base, other))]
    differing = 0
    for name in found[0] | found[1]:
        ours, theirs = (each.get(name, {}) for each in found)
        unequal = [what for what in ours | theirs if ours.get(what) != theirs.get(what)]
        differing += bool(unequal)
        counts = f"{len(ours.get('losses', ()))} losses, {len(ours.get('lines', ()))} lines"
        print(f"{name:<40} {counts:<26} {f'DIFFERS: {unequal}' if unequal else 'equal'}")
        for what in unequal:
            for pair in itertools.zip_longest(as_list(ours.get(what)), as_list(theirs.get(what))):
                if pair[0] != pair[1]:
                    print(f"    first of {what}:\n        {pair[0]!r}\n        {pair[1]!r}")
                    break
    return int(differing > 0)


def as_list(value: Any) -> list[Any]:
    """A list of what is compared, one item where it is none."""
    return value if isinstance(value, list) else [value]


def results_at(commit: str | None, folder: Path) -> dict[str, Any]:
    """Results of all jobs with the sources of a commit, in a process of their own."""
    folder.mkdir()
    tree = ROOT
    if commit is not None:
        tree = folder / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", tree, commit], check=True, capture_output=True)
    try:
        sources = [str(path) for path in tree.glob("packages/*/src")]
        sources += [str(tree / "examples" / "digits"), str(ROOT / "scripts")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sources)}
        env |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
        out = folder / "results.json"
        words = [sys.executable, __file__, "--jobs", str(tree), str(folder / "runs"), str(out)]
        subprocess.run(words, env=env, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        results: dict[str, Any] = json.loads(out.read_text())
        return results
    finally:
        if commit is not None:
            subprocess.run([*git, "remove", "--force", tree], check=True, capture_output=True)


# ------------------------------------------------------------------ in the process of a commit


def run_jobs(tree: Path, folder: Path, out: Path) -> None:
    """Run every job with the packages on the path, and write what it did as JSON."""
    import comparison_jobs as jobs

    import eng.runner
    from eng.dist.testing import run_in_processes

    if not Path(eng.runner.__file__).is_relative_to(tree):
        sys.exit(f"eng.runner is {eng.runner.__file__}, not that of {tree}")
    digits = str(tree / "examples" / "digits" / "config.py")
    results = {"digits": jobs.digits(digits, str(folder / "digits"), 1)}
    args = (digits, str(folder / "digits_2"), 2)
    for rank, found in enumerate(run_in_processes(jobs.digits, 2, *args, timeout=300)):
        results[f"digits, rank {rank} of 2"] = found
    for by_epoch in (True, False):
        for kind in jobs.KINDS:
            name = f"{kind} by {'epoch' if by_epoch else 'iteration'}"
            where = folder / name.replace(" ", "_")
            results[name] = jobs.line(str(where / "whole"), kind, by_epoch)
            for stop in (4, 5, 11):
                work_dir = str(where / f"stopped_{stop}")
                results[f"{name}, stopped at {stop}"] = jobs.line(work_dir, kind, by_epoch, stop)
                resumed = jobs.line(work_dir, kind, by_epoch, resume=True)
                results[f"{name}, resumed from {stop}"] = resumed
    for found in results.values():
        found["lines"] = [TIMES.sub("", line) for line in found["lines"]]
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--jobs"]:
        run_jobs(*map(Path, sys.argv[2:]))
    elif len(sys.argv) in (2, 3):
        sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
    else:
        sys.exit(__doc__)

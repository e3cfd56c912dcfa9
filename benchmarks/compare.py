"""Compare two files of figures: `make bench-compare OLD=before.json NEW=after.json`.

The files are written by `make bench BENCH_JSON=before.json`. Figures of two runs of a machine that
was busy meanwhile say little: run both on a quiet one.
"""

import json
import sys
from pathlib import Path


def main(old, new):
    before, after = (json.loads(Path(name).read_text()) for name in (old, new))
    for program in sorted(before.keys() | after.keys()):
        figures = before.get(program, {}), after.get(program, {})
        print(program)
        for what in figures[0] | figures[1]:
            values = [each[what]["value"] if what in each else None for each in figures]
            unit = next(each[what]["unit"] for each in figures if what in each)
            print(
                f"  {what:<52} {describe(values[0]):>9} {describe(values[1]):>9} {unit:<6}", end=""
            )
            print(f" {values[1] / values[0]:6.2f} times" if all(values) else "")


def describe(value):
    return "-" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

"""Speed of eng-mmengine: what its line for the path adds to a start of Python, and the import."""

import os
import resource
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure import compare, import_ms, report, report_ratio, run_all, take_turns

PACKAGE = Path(__file__).parents[1] / "packages" / "mmengine"
LINE = "eng_mmengine_alias.pth"


def environment(folder, with_line):
    """An environment without packages, or with the wheel's line and the folder that it is about."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    if with_line:
        shutil.copy(PACKAGE / LINE, packages)
        (packages / "eng_mmengine_alias" / "mmengine").mkdir(parents=True)
    return folder / "bin" / "python"


def start():
    """Processor time of whole processes, as a busy machine stretches that of the clock."""
    with TemporaryDirectory() as folder:
        pythons = [environment(Path(folder, name), name == "with") for name in ("with", "without")]
        pairs = [[spent(python) for python in pythons] for _ in range(100)]
    more = median(ours - bare for ours, bare in pairs) * 1e3
    bare = median(bare for _, bare in pairs) * 1e3
    return report("more at a start of Python", more, 1, " ms", f"bare start {bare:.3g} ms")


def spent(python):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, "-I", "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line():
    """The line alone, as `site` runs it: where the folder is, and where it has to be looked for."""
    path = list(sys.path)
    with TemporaryDirectory() as folder:
        beside, apart = Path(folder, "beside"), Path(folder, "apart")
        for each in (beside, apart):
            each.mkdir()
            shutil.copy(PACKAGE / LINE, each)
        (beside / "eng_mmengine_alias" / "mmengine").mkdir(parents=True)

        def run(where):
            sys.path[:] = [p for p in path if "mmengine" not in p]
            site.addsitedir(os.fspath(where), set(sys.path))

        calls = {"beside": lambda: run(beside), "apart": lambda: run(apart)}
        times = take_turns(calls, 200)
    sys.path[:] = path
    found = [
        report(f"the line, the folder {name} it", median(each) * 1e3, 1, " ms")
        for name, each in times.items()
    ]
    return all(found)


def load():
    """Over bare Python, held against the import that gives the same names of eng."""
    limit = 1.2 * import_ms("eng.all")
    return report("import mmengine over bare python", import_ms("mmengine"), limit, " ms")


def lookup():
    """A name is looked up once, then it is an attribute like any other."""
    import mmengine.utils

    import eng.utils

    timed = compare(
        lambda: mmengine.utils.digit_version,
        lambda: eng.utils.digit_version,
        rounds=15,
        number=100_000,
    )
    return report_ratio("a name that was looked up before", timed, 2, "of eng")


if __name__ == "__main__":
    run_all(start, line, load, lookup)

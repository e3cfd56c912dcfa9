"""Speed of eng.config: loading and dumping a config of about 400 leaves, and the import."""

import subprocess
import sys
import tempfile
import timeit
from pathlib import Path
from statistics import median

from eng.config import Config


def files(folder):
    for part in range(3):
        lines = [
            f"group_{part}_{i} = dict(type='Block{i}', depth={i}, rate=0.1, "
            f"steps=[1, 2, 3], inner=dict(a={i}, b='text', c=None, d=True))"
            for i in range(13)
        ]
        (folder / f"base{part}.py").write_text("\n".join(lines))
    child = ["_base_ = ['base0.py', 'base1.py', 'base2.py']"]
    child += [f"group_{p}_{i} = dict(inner=dict(a=-1))" for p in range(3) for i in range(13)]
    (folder / "child.py").write_text("\n".join(child))
    return folder / "child.py"


def leaves(value):
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def import_ms():
    code = (
        "import time; t = time.perf_counter(); import eng.config; "
        "print((time.perf_counter() - t) * 1e3)"
    )
    return median(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(7))


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = files(Path(folder))
        cfg = Config.fromfile(path)
        load = min(timeit.repeat(lambda: Config.fromfile(path), number=1, repeat=15)) * 1e3
        dump = min(timeit.repeat(cfg.dump, number=1, repeat=15)) * 1e3
        loaded = import_ms()
        print(f"{leaves(cfg.to_dict())} leaves in four files")
        print(f"load {load:.1f} ms: target 15 ms, other engines 46 ms ({46 / load:.1f} times)")
        print(f"dump {dump:.1f} ms: target 20 ms, other engines 2400 ms ({2400 / dump:.0f} times)")
        print(f"import eng.config {loaded:.1f} ms over bare python: target 90 ms")
    return 0 if load < 15 and dump < 20 and loaded < 90 else 1


if __name__ == "__main__":
    sys.exit(main())

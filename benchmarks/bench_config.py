"""Speed of eng.config: loading and dumping a config of about 400 leaves, and the import."""

import tempfile
from pathlib import Path

from measure import import_ms, report, run_all, take_turns

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


def load_and_dump():
    with tempfile.TemporaryDirectory() as folder:
        path = files(Path(folder))
        cfg = Config.fromfile(path)
        times = take_turns({"load": lambda: Config.fromfile(path), "dump": cfg.dump}, rounds=15)
    load, dump = min(times["load"]) * 1e3, min(times["dump"]) * 1e3
    what = f"{leaves(cfg.to_dict())} leaves in four files"
    return all(
        [
            report(f"load {what}", load, 15, " ms", f"other engines 46 ms, {46 / load:.1f} times"),
            report(
                f"dump {what}", dump, 20, " ms", f"other engines 2400 ms, {2400 / dump:.0f} times"
            ),
        ]
    )


def load_package():
    return report("import eng.config over bare python", import_ms("eng.config"), 90, " ms")


if __name__ == "__main__":
    run_all(load_and_dump, load_package)

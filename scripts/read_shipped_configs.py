"""Read the configs that wheels of the OpenMMLab family ship, and check their values.

    pip install --no-deps --target FOLDER mmsegmentation==1.2.2 mmpretrain==1.2.0
    python scripts/read_shipped_configs.py FOLDER [--min mmseg=681 mmpretrain=534]

Nothing of the wheels is imported or copied. The second evaluation shares no code with eng.config:
it replaces variables in the text, runs the file with `_base_` as an object, and merges. Exits with
1 where a value differs, or fewer configs of a package are read than `--min` asks for.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import time
import types
import warnings
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

from eng.config import Config

VARIABLE = re.compile(r"(['\"]?)\{\{\s*_base_\.([\w.]+)\s*\}\}(['\"]?)")
FILE_VARIABLE = re.compile(r"\{\{\s*(file\w+)\s*\}\}")


class Values(dict[str, Any]):
    """A dictionary with its values as attributes; what is set becomes one too, as a copy."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, as_values(value))

    __setattr__ = __setitem__


def evaluate(path: Path) -> dict[str, Any]:
    """The values of a config file with those of its bases."""
    text = path.read_text(encoding="utf-8")
    known = {
        "fileDirname": str(path.parent),
        "fileBasename": path.name,
        "fileBasenameNoExtension": path.stem,
        "fileExtname": path.suffix,
    }
    text = FILE_VARIABLE.sub(lambda match: known[match[1]], text)
    # Whole strings as well as bare variables become expressions.
    text = VARIABLE.sub(lambda match: f"_copy_(_base_.{match[2]})", text)
    tree = ast.parse(text)
    entries = [node for node in tree.body if ast.unparse(node).startswith("_base_ = ")]
    bases = eval(ast.unparse(entries[0]).removeprefix("_base_ = ")) if entries else []
    # What stands behind such a condition is run in a script alone, and its imports may be missing.
    is_script = any("__name__ ==" in ast.unparse(node) for node in tree.body)
    left_out = (ast.ImportFrom,) if is_script else ()
    tree.body = [
        each for each in tree.body if each not in entries and not isinstance(each, left_out)
    ]
    inherited: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        inherited.update(evaluate(path.parent / base))
    scope: dict[str, Any] = {
        "_copy_": deepcopy,
        "_base_": as_values(inherited),
        "__file__": str(path),
    }
    exec(compile(tree, str(path), "exec"), scope)
    own = {
        key: value
        for key, value in scope.items()
        if not key.startswith("__")
        and key not in ("_copy_", "_base_")
        and not isinstance(value, (types.ModuleType, types.FunctionType))
    }
    merged: dict[str, Any] = merge(scope["_base_"], own)
    return merged


def as_values(value: Any) -> Any:
    """Dictionaries with attributes, all the way down."""
    if isinstance(value, dict):
        return Values({key: as_values(each) for key, each in value.items()})
    return type(value)(map(as_values, value)) if type(value) in (list, tuple) else value


def merge(base: Any, new: Any) -> Any:
    """The values of a base and those that replace them, in plain dictionaries."""
    if not isinstance(new, dict):
        return type(new)(merge(None, each) for each in new) if type(new) in (list, tuple) else new
    if type(base) is list and new and all(key.isdigit() for key in new):
        return [merge(each, new.get(str(i), each)) for i, each in enumerate(base)]
    known = {} if new.get("_delete_") or not isinstance(base, dict) else base
    found = {key: merge(None, value) for key, value in known.items() if key not in new}
    changed = {key: merge(known.get(key), value) for key, value in new.items() if key != "_delete_"}
    return {**found, **changed}


def is_equal(one: Any, other: Any) -> bool:
    """Whether two values are equal, of equal types, NaN included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_equal, one, other))
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124


def origins_missing(cfg: Config) -> list[str]:
    """The keys at the top whose origin is no line of a file that has them in its text."""
    missing = []
    for key in cfg:
        origin = cfg.origin(key)
        lines = Path(origin.file).read_text(encoding="utf-8").splitlines() if origin.file else []
        if not origin.line or not (0 < origin.line <= len(lines)):
            missing.append(key)
    return missing


def read_all(folder: Path) -> dict[str, Counter[str]]:
    """Read every config below `<package>/.mim/configs`, and print what fails.

    Returns:
        For each package how many configs there are beside the files that are only bases, and how
        many of all files were read, are equal, differ, and could not be compared.
    """
    results: dict[str, Counter[str]] = {}
    for package in sorted(each.parent for each in folder.glob("*/.mim")):
        counts = results[package.name] = Counter()
        for path in sorted((package / ".mim" / "configs").rglob("*.py")):
            is_base = "_base_" in path.relative_to(package).parts
            counts["bases" if is_base else "configs"] += 1
            try:
                cfg = Config.fromfile(path, import_custom_modules=False)
            except Exception as error:
                print(f"not read: {path}\n    {type(error).__name__}: {error}")
                continue
            counts["bases read" if is_base else "configs read"] += 1
            if missing := origins_missing(cfg):
                counts["without a line"] += 1
                print(f"without a line: {path}: {missing}")
            try:
                expected = evaluate(path)
            except Exception as error:
                counts["not compared"] += 1
                print(f"not compared: {path}\n    {type(error).__name__}: {error}")
                continue
            expected.pop("_deprecation_", None)
            equal = is_equal(cfg.to_dict(), expected)
            counts["equal" if equal else "different"] += 1
            if not equal:
                print(f"different: {path}")
    return results


def main() -> int:
    """Read the wheels of a folder; 1 where a value differs or too few are read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what pip install --target has filled")
    parser.add_argument("--min", nargs="+", default=[], help="PACKAGE=COUNT that must be read")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    begin = time.perf_counter()
    results = read_all(args.folder)
    for package, counts in results.items():
        print(f"{package}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    print(f"{time.perf_counter() - begin:.0f} s")
    failed = not results or any(counts["different"] for counts in results.values())
    for package, _, least in (each.partition("=") for each in args.min):
        failed |= results.get(package, Counter())["configs read"] < int(least)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

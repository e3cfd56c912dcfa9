"""The command ``eng migrate``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from eng.cli import Command

from .offered import Origin, find_origin, nearest, offered_by, split_path
from .rewrite import rewrite
from .uses import Module, find_files, read_source

__all__ = ["MIGRATE"]

_PLAIN = "loads plain data alone; for a file that you trust: torch.load(path, weights_only=False)"
_NO_PIP = "never installs a package, but says which one is missing"
#: What a person has to know of names that do another thing here.
_DIFFERENT = {
    Origin("eng.checkpoint", "CheckpointLoader"): _PLAIN,
    Origin("eng.checkpoint", "load_checkpoint"): _PLAIN,
    Origin("eng.checkpoint", "_load_checkpoint"): _PLAIN,
    Origin("eng.checkpoint", "_load_checkpoint_with_prefix"): _PLAIN,
    Origin("eng.dataset", "InfiniteSampler"): "its later turns through the data have other orders",
    Origin("eng.dataset", "worker_init_fn"): "random numbers of a sample come from seed and place",
    Origin("eng.hub", "get_config"): _NO_PIP,
    Origin("eng.hub", "get_model"): _NO_PIP,
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="folder or file with Python code")
    parser.add_argument(
        "--write",
        action="store_true",
        help="rewrite the imports to eng, as far as eng has the names",
    )


def _run(args: argparse.Namespace) -> int:
    lacking, used, changed = 0, 0, 0
    for path in find_files(args.path):
        try:
            text, encoding = read_source(path)
            if "mmengine" not in text:
                continue
            uses = Module(text).uses()
            new = rewrite(text)
        except SyntaxError as error:
            print(f"{path}:{error.lineno or 1}: not read: {error.msg}")
            continue
        used += bool(uses)
        for use in uses:
            for line, is_lacking in _remarks(use.path):
                print(f"{path}:{use.line}: {use.path}: {line}")
                lacking += is_lacking
        if new != text:
            changed += 1
            if args.write:
                with path.open("w", encoding=encoding, newline="") as file:
                    file.write(new)
    print(_summary(used, lacking, changed, args.write))
    return 1 if lacking else 0


def _remarks(path: str) -> Iterator[tuple[str, bool]]:
    """What is to be said of a use of a dotted path, and whether eng lacks it."""
    module, rest = split_path(path)
    offered = offered_by(module)
    if offered is None or not rest:
        return
    origin = find_origin(f"{module}.{rest[0]}")
    if origin in _DIFFERENT:
        yield _DIFFERENT[origin], False
    if origin is None:
        near = nearest(module, rest[0])
        instead = offered.missing.get(rest[0]) or (f"the nearest name is {near!r}" if near else "")
        yield f"eng has no {rest[0]!r}{f'; {instead}' if instead else ''}", True


def _summary(used: int, lacking: int, changed: int, is_written: bool) -> str:
    words = [f"files that use mmengine: {used}", f"uses of names that eng lacks: {lacking}"]
    if is_written:
        words.append(f"files rewritten: {changed}")
    else:
        words.append(f"files that --write would rewrite: {changed}")
    return "; ".join(words)


MIGRATE = Command("list what code uses of mmengine, and rewrite it to eng", _add_arguments, _run)

"""List uses of mmengine in code, and rewrite them to eng."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from .offered import Origin, find_origin, nearest, offered_by, split_path
from .rewrite import rewrite
from .uses import Module, find_files, read_source

__all__ = ["migrate"]

_PLAIN = "loads plain data only; for a trusted file: torch.load(path, weights_only=False)"
_NO_PIP = "never installs a package, but names the missing one"
#: Remarks on names that behave differently in eng.
_DIFFERENT = {
    Origin("eng.checkpoint", "CheckpointLoader"): _PLAIN,
    Origin("eng.checkpoint", "load_checkpoint"): _PLAIN,
    Origin("eng.checkpoint", "_load_checkpoint"): _PLAIN,
    Origin("eng.checkpoint", "_load_checkpoint_with_prefix"): _PLAIN,
    Origin("eng.dataset", "InfiniteSampler"): "later passes over the data are shuffled differently",
    Origin("eng.dataset", "worker_init_fn"): "random numbers depend on the seed and the sample",
    Origin("eng.hub", "get_config"): _NO_PIP,
    Origin("eng.hub", "get_model"): _NO_PIP,
}


def migrate(args: Namespace) -> int:
    """Report what eng lacks or does in another way, and rewrite imports if asked to.

    Args:
        args: Parsed arguments of the command.

    Returns:
        The exit status: 1 if eng lacks a name that is used.
    """
    lacking, used, changed = 0, 0, 0
    for path in find_files(args.path):
        try:
            text, encoding = read_source(path)
            if "mmengine" not in text:
                continue
            uses = Module(text).uses()
            new = rewrite(text)
        except SyntaxError as error:
            print(f"{path}:{error.lineno or 1}: cannot be parsed: {error.msg}")
            continue
        except OSError as error:  # a broken link, or a file of somebody else
            if path == args.path:
                raise
            print(f"{path}: cannot be read: {error.strerror or error}")
            continue
        used += bool(uses)
        for use in uses:
            for line, is_lacking in _check_use(use.path):
                print(f"{path}:{use.line}: {use.path}: {line}")
                lacking += is_lacking
        if new != text and (not args.write or _write(path, new, encoding)):
            changed += 1
    print(_summarize(used, lacking, changed, args.write))
    return 1 if lacking else 0


def _write(path: Path, text: str, encoding: str) -> bool:
    """Write a file, and return whether it could be written."""
    try:
        with path.open("w", encoding=encoding, newline="") as file:
            file.write(text)
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror or error}")
        return False
    return True


def _check_use(path: str) -> Iterator[tuple[str, bool]]:
    """Yield remarks on the use of a dotted path, and whether the name is missing in eng."""
    module, rest = split_path(path)
    offered = offered_by(module)
    if offered is None or not rest:
        return
    origin = find_origin(f"{module}.{rest[0]}")
    if origin in _DIFFERENT:
        yield _DIFFERENT[origin], False
    if origin is None:
        near = nearest(module, rest[0])
        instead = offered.missing.get(rest[0]) or (f"did you mean {near!r}?" if near else "")
        yield f"eng has no {rest[0]!r}{f'; {instead}' if instead else ''}", True


def _summarize(used: int, lacking: int, changed: int, is_written: bool) -> str:
    words = [f"files that use mmengine: {used}", f"uses of names missing in eng: {lacking}"]
    if is_written:
        words.append(f"files rewritten: {changed}")
    else:
        words.append(f"files that --write would rewrite: {changed}")
    return "; ".join(words)

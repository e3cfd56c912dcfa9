"""The actions ``show``, ``export``, ``average`` and ``diff`` of ``eng checkpoint``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from eng.utils import UserError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

__all__ = ["add_action", "add_inspect_actions", "choose_output"]


def add_inspect_actions(actions: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions to the parser of ``eng checkpoint``.

    Args:
        actions: The subparsers of that parser.
    """
    show = add_action(actions, "show", "print the contents of a checkpoint", _show)
    show.add_argument("file", metavar="FILE", help="path or URL of the checkpoint")
    content = show.add_mutually_exclusive_group()
    content.add_argument("--tensors", action="store_true", help="list each tensor of the model")
    content.add_argument("--config", action="store_true", help="print the config of the run")

    export = add_action(actions, "export", "write the weights of the model alone", _export)
    export.add_argument("file", metavar="FILE", help="path or URL of the checkpoint")
    export.add_argument("--to", required=True, choices=["safetensors", "pth"], help="the format")
    export.add_argument("--out", metavar="FILE", help="output file (default: next to FILE)")

    average = add_action(actions, "average", "average the weights of checkpoints", _average)
    average.add_argument(
        "files", nargs="+", metavar="FILE", help="checkpoints, or one work directory with --last"
    )
    average.add_argument("--last", type=int, metavar="N", help="the newest N of a work directory")
    average.add_argument("--out", required=True, metavar="FILE", help="output file")

    diff = add_action(actions, "diff", "compare the weights of two checkpoints", _diff)
    diff.add_argument("left", metavar="A", help="path or URL of a checkpoint")
    diff.add_argument("right", metavar="B", help="path or URL of another one")
    diff.add_argument(
        "--most", type=int, default=20, metavar="N", help="lines of each kind (default: 20)"
    )


def add_action(
    actions: _SubParsersAction[argparse.ArgumentParser], name: str, help_: str, run: object
) -> argparse.ArgumentParser:
    """Add an action of ``eng checkpoint``.

    Args:
        actions: The subparsers of the command.
        name: Name of the action.
        help_: What it does, in a line.
        run: Function of the parsed arguments that does it.

    Returns:
        The parser of the action.
    """
    parser = actions.add_parser(name, help=help_, description=f"{help_.capitalize()}.")
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS)
    parser.set_defaults(action=run)
    return parser


def choose_output(args: argparse.Namespace, suffix: str) -> str:
    """Return the output file of an action that writes one.

    Args:
        args: Its arguments, with ``file`` and ``out``.
        suffix: End of the default name, in place of the one of ``file``.

    Raises:
        UserError: If the file exists.
    """
    if args.out:
        out: str = args.out
    else:
        file = args.file.rstrip("/")
        ending = "" if Path(file).is_dir() else PurePath(file).suffix
        out = f"{file.removesuffix(ending)}{suffix}"
    if Path(out).exists():
        raise UserError(f"{out} already exists; choose another file with --out")
    return out


def _show(args: argparse.Namespace) -> None:
    from .contents import describe_checkpoint, list_tensors

    checkpoint = _load(args.file)
    if args.config:
        meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
        text = meta.get("cfg") if isinstance(meta, Mapping) else None
        if not isinstance(text, str):
            raise UserError(f"no config found in {args.file}")
        print(text)
    elif args.tensors:
        print("\n".join(list_tensors(_get_weights(checkpoint, args.file))))
    else:
        print("\n".join([args.file, *describe_checkpoint(checkpoint)]))


def _export(args: argparse.Namespace) -> None:
    from .contents import format_bytes
    from .export import export_weights

    out = choose_output(args, "_weights.pth" if args.to == "pth" else f".{args.to}")
    export_weights(_get_weights(_load(args.file), args.file), out, args.to)
    size = f" ({format_bytes(Path(out).stat().st_size)})" if Path(out).is_file() else ""
    print(f"{out}{size}")


def _average(args: argparse.Namespace) -> None:
    from .average import average_weights, list_latest
    from .saver import save_checkpoint

    out, files = choose_output(args, ""), args.files
    if args.last is not None:
        if len(files) != 1:
            raise UserError(f"--last needs one work directory, not {len(files)} files")
        if args.last < 2:
            raise UserError(f"--last must be at least 2, not {args.last}")
        files = list_latest(files[0], args.last)
    weights = average_weights(files, lambda file: _get_weights(_load(file), file))
    save_checkpoint({"meta": {"averaged": files}, "state_dict": weights}, out)
    print(f"{out}: the average of {', '.join(files)}")


def _diff(args: argparse.Namespace) -> int:
    from .difference import compare_weights

    left, right = (_get_weights(_load(file), file) for file in (args.left, args.right))
    found = compare_weights(left, right)
    print("\n".join(found.lines(args.most)))
    return 0 if found.is_none else 1


def _load(file: str) -> object:
    from .loader import CheckpointLoader

    checkpoint: object = CheckpointLoader.load_checkpoint(file, map_location="cpu", logger="silent")
    return checkpoint


def _get_weights(checkpoint: object, file: str) -> Mapping[str, object]:
    from .contents import find_weights

    try:
        return find_weights(checkpoint)
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error

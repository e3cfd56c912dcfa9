"""The ``eng checkpoint`` command."""

from __future__ import annotations

import argparse
import importlib

from eng.cli import Command
from eng.utils import importing

from .inspect_actions import add_action, add_inspect_actions, choose_output

__all__ = ["CHECKPOINT"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add_inspect_actions(actions)
    purpose = "write a checkpoint in the format of another engine and list what is lost"
    convert = add_action(actions, "convert", purpose, _convert)
    convert.add_argument("file", metavar="FILE", help="path or URL of the checkpoint")
    convert.add_argument("--to", required=True, choices=["mmengine"], help="the other engine")
    convert.add_argument(
        "--out", metavar="FILE", help="output file (default: <name>_mmengine.pth next to it)"
    )


def _run(args: argparse.Namespace) -> int | None:
    with importing():
        importlib.import_module("torch")  # which every action needs
    status: int | None = args.action(args)
    return status


def _convert(args: argparse.Namespace) -> None:
    from .errors import CheckpointError
    from .loader import CheckpointLoader
    from .older_format import to_mmengine
    from .saver import save_checkpoint

    out = choose_output(args, f"_{args.to}.pth")
    checkpoint = CheckpointLoader.load_checkpoint(args.file, map_location="cpu", logger="silent")
    try:
        if not isinstance(checkpoint, dict):
            raise CheckpointError(f"expected a dict, not {type(checkpoint).__name__}")
        converted = to_mmengine(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"{args.file} is not a checkpoint of a run: {error}") from error
    save_checkpoint(converted.checkpoint, out)
    print(f"{out}: {', '.join(converted.checkpoint)}")
    for line in converted.lost:
        print(f"lost: {line}")


CHECKPOINT = Command("show, compare, export and convert checkpoints", _add_arguments, _run)

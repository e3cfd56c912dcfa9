"""The command ``eng export``: its arguments, which need no torch."""

from __future__ import annotations

import argparse
from pathlib import Path

from eng.cli import Command
from eng.utils import UserError, add_module_folders, importing

__all__ = ["EXPORT"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Export the model of a checkpoint, which maps the inputs to its outputs in mode 'tensor', "
        "and compare the outputs of the exported model with those of the original."
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="path or URL of the checkpoint")
    parser.add_argument(
        "--format",
        required=True,
        choices=["onnx", "torch_export"],
        help="onnx needs pip install 'eng-infer[onnx]'",
    )
    parser.add_argument("--out", metavar="FILE", help="output file (default: next to CHECKPOINT)")
    parser.add_argument(
        "--shape",
        action="append",
        type=_read_shape,
        metavar="3,224,224",
        help="shape of an input of one sample; repeated for several inputs (default: inputs of "
        "the first samples of test_dataloader.dataset)",
    )
    parser.add_argument("--config", metavar="CONFIG", help="config, if the checkpoint has none")


def _read_shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        shape = (0,)
    if any(size < 1 for size in shape):
        raise argparse.ArgumentTypeError(f"expected sizes such as 3,224,224, not {text!r}")
    return shape


def _run(args: argparse.Namespace) -> None:
    suffix = ".onnx" if args.format == "onnx" else ".pt2"
    if args.out is not None and not args.out.endswith(suffix):
        raise UserError(
            f"--out must end with {suffix} for --format {args.format}, not {args.out!r}"
        )
    # Of modules that the config imports, as eng train finds them.
    folders = [] if args.config is None else [Path(args.config).resolve().parent]
    add_module_folders(*folders, Path.cwd())
    with importing():
        from .export import export_checkpoint

    name = args.checkpoint.removesuffix(".pth")
    if "://" in name:  # into the current directory, as the one of the checkpoint is not here
        name = name.rstrip("/").rpartition("/")[2]
    out = args.out or f"{name}{suffix}"
    for line in export_checkpoint(args.checkpoint, args.format, out, args.shape, args.config):
        print(line)


EXPORT = Command("export a model to ONNX or torch.export, and compare it", _add_arguments, _run)

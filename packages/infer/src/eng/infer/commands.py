"""The command ``eng predict``: its arguments, which need no torch."""

from __future__ import annotations

import argparse

from eng.cli import Command
from eng.config import add_config_arguments, config_from_arguments
from eng.utils import UserError, importing

__all__ = ["PREDICT"]

_SUFFIXES = (".json", ".pkl", ".pickle")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="path or address of its weights")
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="a file, or a folder of files, to predict"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write the predictions to FILE, predictions.json or predictions.pkl "
        "(default: print a line of JSON for each input)",
    )
    parser.add_argument(
        "--show-dir", metavar="DIR", help="draw to images in DIR, if the inferencer can draw"
    )
    parser.add_argument("--batch-size", type=int, default=1, metavar="N", help="inputs at a time")
    parser.add_argument("--device", metavar="cpu|cuda:N", help="device (default: a GPU, else cpu)")
    parser.epilog = (
        "How a file becomes an input of the model is said by inferencer=dict(type=...) in the "
        "config, a subclass of eng.infer.BaseInferencer, or else by the pipeline of "
        "test_dataloader.dataset."
    )


def _run(args: argparse.Namespace) -> None:
    if args.out is not None and not args.out.endswith(_SUFFIXES):
        raise UserError(f"--out must end with {', '.join(_SUFFIXES)}, not {args.out!r}")
    if args.batch_size < 1:
        raise UserError(f"--batch-size must be at least 1, not {args.batch_size}")
    with importing():
        cfg = config_from_arguments(args)  # before torch, so that errors are reported at once
        from .predict import predict

    predict(args, cfg)


PREDICT = Command("predict files with a trained model", _add_arguments, _run)

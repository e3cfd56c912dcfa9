"""Run ``eng predict``."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch

from eng.checkpoint import is_checkpoint_folder
from eng.config import Config
from eng.dataset import TransformError
from eng.fileio import dump
from eng.registry import INFERENCERS
from eng.structures import to_plain
from eng.utils import UserError

from .infer import BaseInferencer
from .inputs import list_inputs
from .pipeline_inferencer import PipelineInferencer
from .types import InputType

__all__ = ["predict"]

#: Names by which inferencers take the folder for images.
_FOLDER_ARGUMENTS = ("out_dir", "img_out_dir", "show_dir")


def predict(args: Namespace, cfg: Config) -> None:
    """Predict the inputs of a command line, and print or write the predictions.

    Args:
        args: The arguments of ``eng predict``.
        cfg: The config that they name.

    Raises:
        UserError: If an argument is invalid, or the config does not support predictions.
    """
    _check_checkpoint(args.checkpoint)
    _check_device(args.device)
    inputs = [each for given in args.inputs for each in _list_files(given)]
    as_objects = args.out is not None and not args.out.endswith(".json")
    with redirect_stdout(sys.stderr):  # which has the predictions alone
        inferencer = _build_inferencer(cfg, args.checkpoint, args.device)
        drawing = {} if args.show_dir is None else _choose_folder(inferencer, args.show_dir)
        with _unreadable_inputs_reported():
            results = inferencer(
                inputs, return_datasamples=as_objects, batch_size=args.batch_size, **drawing
            )
    predictions = _read_predictions(results)
    if args.out is None:
        for place, each in enumerate(predictions):
            entry = {"prediction": to_plain(each)}
            if len(predictions) == len(inputs):
                entry = {"input": str(inputs[place]), **entry}
            print(json.dumps(entry))
        return
    dump(predictions if as_objects else to_plain(predictions), args.out)
    print(f"{len(predictions)} predictions: {args.out}")


def _check_checkpoint(path: str) -> None:
    # An address is not a path.
    if os.path.isdir(path) and not is_checkpoint_folder(path):  # noqa: PTH112
        found = ", ".join(sorted(each.name for each in Path(path).glob("*.pth"))) or "none"
        raise UserError(f"{path} is a directory: name a checkpoint in it; there are {found}")


def _check_device(device: str | None) -> None:
    if device is None:
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # an unknown kind, or one that is missing here
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"--device must be a device here, cpu or cuda:N: {reason}") from error


def _list_files(given: str) -> list[InputType]:
    found = list_inputs(given)
    if not found:
        print(f"eng: {given} has no files to predict", file=sys.stderr)
    return found


@contextmanager
def _unreadable_inputs_reported() -> Iterator[None]:
    """Report an input that is missing or damaged as a mistake of the command line."""
    try:
        yield
    except TransformError as error:
        if isinstance(error.__cause__, OSError):
            raise UserError(str(error)) from error
        raise


def _build_inferencer(cfg: Config, checkpoint: str, device: str | None) -> BaseInferencer:
    """Build the inferencer that a config names, or that of its test pipeline."""
    given = cfg.get("inferencer", {"type": PipelineInferencer})
    settings = dict(given) if isinstance(given, Mapping) else {"type": given}
    kind = INFERENCERS.type_of(settings)
    del settings["type"]
    if not (isinstance(kind, type) and issubclass(kind, BaseInferencer)):
        raise UserError(f"inferencer must be a subclass of eng.infer.BaseInferencer, not {kind!r}")
    settings = {"show_progress": sys.stderr.isatty(), **settings}
    if isinstance(cfg.get("visualizer"), Mapping):
        cfg["visualizer"] = {**cfg["visualizer"], "vis_backends": []}  # nothing is recorded
    return kind(model=cfg, weights=checkpoint, device=device, **settings)


def _choose_folder(inferencer: BaseInferencer, folder: str) -> dict[str, Any]:
    """Return the argument by which an inferencer takes the folder for images."""
    for name in _FOLDER_ARGUMENTS:
        if name in inferencer.visualize_kwargs:
            return {name: folder}
    raise UserError(
        f"--show-dir: {type(inferencer).__name__} cannot draw to a folder: none of "
        f"{', '.join(_FOLDER_ARGUMENTS)} is in its visualize_kwargs"
    )


def _read_predictions(results: object) -> Sequence[object]:
    """Return the predictions among the results of an inferencer."""
    found = results.get("predictions", results) if isinstance(results, Mapping) else results
    return list(found) if isinstance(found, (list, tuple)) else [found]

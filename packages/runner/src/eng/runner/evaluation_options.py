"""Options of ``eng test`` that change its config; they need no torch."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from eng.utils import UserError

if TYPE_CHECKING:
    from eng.config import Config

__all__ = ["add_test_options", "apply_test_options"]

_SUFFIXES = (".json", ".pkl", ".pickle")


def add_test_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser.

    Args:
        parser: The parser of ``eng test``.
    """
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write the predictions to FILE, predictions.json or predictions.pkl",
    )
    parser.add_argument("--show-dir", metavar="DIR", help="draw the predictions to images in DIR")


def apply_test_options(args: argparse.Namespace, cfg: Config) -> None:
    """Change a config as the options say.

    Args:
        args: The arguments of ``eng test``.
        cfg: The config. Changed.

    Raises:
        UserError: If an option is invalid, or the config has no test.
    """
    if cfg.get("test_dataloader") is None:
        raise UserError(
            f"{args.config}: missing test_dataloader, the data to test with; "
            "test_dataloader = val_dataloader takes that of validation"
        )
    if args.out is not None:
        if not args.out.endswith(_SUFFIXES):
            raise UserError(f"--out must end with {', '.join(_SUFFIXES)}, not {args.out!r}")
        _add_metric(cfg, {"type": "DumpPredictions", "out_file_path": args.out})
    if cfg.get("test_evaluator") is not None and cfg.get("test_cfg") is None:
        cfg["test_cfg"] = {}
    if args.show_dir is not None:
        _draw(cfg, args.show_dir)


def _add_metric(cfg: Config, metric: dict[str, str]) -> None:
    """Add a metric to the evaluator of the test, or to that of each set."""
    from eng.dataset import has_named_loaders  # which imports torch

    given, loaders = cfg.get("test_evaluator"), cfg["test_dataloader"]
    if isinstance(given, Mapping) and has_named_loaders(loaders) and set(given) == set(loaders):
        root, suffix = os.path.splitext(metric["out_file_path"])  # noqa: PTH122 - of any storage
        cfg["test_evaluator"] = {
            name: _with_metric(each, {**metric, "out_file_path": f"{root}.{name}{suffix}"})
            for name, each in given.items()
        }
    else:
        cfg["test_evaluator"] = _with_metric(given, metric)


def _with_metric(given: object, metric: dict[str, str]) -> object:
    if isinstance(given, Mapping) and "metrics" in given:
        return {**given, "metrics": [*_as_list(given["metrics"]), metric]}
    return [*_as_list(given), metric]


def _as_list(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _draw(cfg: Config, folder: str) -> None:
    """Draw predictions by the visualization hook of the config, or by a plain one."""
    folder = os.path.abspath(folder)  # noqa: PTH100 - also of a folder that does not exist
    hook = (cfg.get("default_hooks") or {}).get("visualization")
    if isinstance(hook, Mapping) and "Naive" not in str(hook.get("type")):
        # As the hooks of libraries of the OpenMMLab family have it.
        cfg.merge_from_dict({"default_hooks.visualization.draw": True})
        cfg.merge_from_dict({"default_hooks.visualization.test_out_dir": folder})
        return
    if hook is None:
        cfg["custom_hooks"] = [
            *(cfg.get("custom_hooks") or []),
            {"type": "NaiveVisualizationHook"},
        ]
    visualizer = dict(cfg.get("visualizer") or {})
    kind = visualizer.get("type", "Visualizer")
    if isinstance(kind, str) and kind.rpartition(".")[2] == "Visualizer":
        visualizer["type"] = "PredictionVisualizer"
    visualizer["vis_backends"] = [{"type": "ImageFolderBackend", "save_dir": folder}]
    cfg["visualizer"] = visualizer

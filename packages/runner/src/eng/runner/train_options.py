"""Options of ``eng train`` that change its config; they need no torch."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eng.utils import UserError

if TYPE_CHECKING:
    from eng.config import Config, ConfigDict

__all__ = ["add_train_options", "apply_train_options", "check_device", "choose_device"]

_TENSORBOARD = {"type": "TensorboardVisBackend"}


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser.

    Args:
        parser: The parser of ``eng train``.
    """
    parser.add_argument("--amp", action="store_true", help="train in mixed precision")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale learning rates from auto_scale_lr.base_batch_size to the real batch size",
    )
    parser.add_argument("--compile", action="store_true", help="compile the training step")
    parser.add_argument("--tensorboard", action="store_true", help="record curves for TensorBoard")
    parser.add_argument(
        "--report-params",
        action="store_true",
        help="log frozen parameters, and those that receive no gradient",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="seed of all random numbers")
    parser.add_argument(
        "--device", metavar="cpu|cuda|cuda:N", help="device of a single process (default: a GPU)"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="build everything, train and validate one batch, report, and write nothing",
    )


def apply_train_options(args: argparse.Namespace, cfg: Config) -> None:
    """Change a config as the options say.

    Args:
        args: The arguments of ``eng train``.
        cfg: The config. Changed.

    Raises:
        UserError: If the config does not have what an option changes, or a device is invalid.
    """
    if args.amp:
        for wrapper in _find_optim_wrappers(cfg):
            _use_mixed_precision(wrapper)
    if args.auto_scale_lr:
        settings = cfg.get("auto_scale_lr") or {}
        if "base_batch_size" not in settings:
            raise UserError(
                "--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in the config: "
                "the batch size that its learning rate is for"
            )
        cfg["auto_scale_lr"] = {**settings, "enable": True}
    if args.compile and not cfg.get("compile"):
        cfg["compile"] = True
    if args.tensorboard:
        _record_for_tensorboard(cfg)
    if args.report_params:
        hooks = list(cfg.get("custom_hooks") or [])
        cfg["custom_hooks"] = [*hooks, {"type": "ParameterReportHook"}]
    if args.seed is not None:
        cfg["randomness"] = {**(cfg.get("randomness") or {}), "seed": args.seed}
    if args.device is not None:
        choose_device(args.device, args.launcher or cfg.get("launcher") or "none")


def _find_optim_wrappers(cfg: Config) -> Iterator[ConfigDict]:
    from eng.config import ConfigDict  # late: eng --help imports this module

    given = cfg.get("optim_wrapper")
    if not isinstance(given, ConfigDict):
        raise UserError("--amp needs optim_wrapper = dict(optimizer=dict(...)) in the config")
    several = [
        each for each in given.values() if isinstance(each, ConfigDict) and "optimizer" in each
    ]
    yield from several or [given]


def _use_mixed_precision(wrapper: ConfigDict) -> None:
    kind = wrapper.get("type", "OptimWrapper")
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    name = name.rpartition(".")[2]
    if name == "OptimWrapper":
        wrapper["type"] = "AmpOptimWrapper"
        wrapper.setdefault("loss_scale", "dynamic")
    elif name != "AmpOptimWrapper":
        raise UserError(f"--amp replaces an OptimWrapper, but optim_wrapper.type is {name}")


def _record_for_tensorboard(cfg: Config) -> None:
    visualizer = cfg.get("visualizer") or {"type": "Visualizer"}
    backends = list(visualizer.get("vis_backends") or [{"type": "LocalVisBackend"}])
    if not any(each.get("type") == _TENSORBOARD["type"] for each in backends):
        backends.append(dict(_TENSORBOARD))
    cfg["visualizer"] = {**visualizer, "vis_backends": backends}


def choose_device(device: str, launcher: str) -> None:
    """Show the process only one device, before torch looks for any.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        launcher: The launcher of the processes, ``none`` for a single one.

    Raises:
        UserError: If the device is invalid, or a GPU is chosen for several processes.
    """
    number = re.fullmatch(r"cuda(?::(\d+))?", device)
    if device != "cpu" and number is None:
        raise UserError(f"--device must be cpu, cuda or cuda:N, not {device!r}")
    if launcher != "none" and device != "cpu":
        raise UserError(
            f"--device {device} is for a single process: the launcher {launcher!r} gives each "
            "process a device"
        )
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif number is not None and number[1] is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = _name_visible(int(number[1]))


def _name_visible(number: int) -> str:
    """Name a GPU of those that the environment shows, as torch counts them."""
    names = [each.strip() for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    if names == [""]:
        return str(number)
    if number >= len(names):
        raise UserError(
            f"--device cuda:{number}: CUDA_VISIBLE_DEVICES shows {len(names)}: {', '.join(names)}"
        )
    return names[number]


def check_device(device: str) -> None:
    """Refuse a GPU that the process does not have, as it would train on the CPU instead.

    Args:
        device: The device after :func:`choose_device`: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UserError: If PyTorch finds no such GPU.
    """
    import torch

    if device != "cpu" and not torch.cuda.is_available():
        raise UserError(f"--device {device}: PyTorch finds no such GPU here; use --device cpu")

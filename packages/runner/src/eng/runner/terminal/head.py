"""Head of a run on a terminal: device, data, model, and where things are written."""

from __future__ import annotations

import os
import platform
import textwrap
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from eng.dl_utils import unwrap

from ..descriptions import count_by_module, count_parameters, describe_data, shorten_path
from ..named_loop import loops_by_name
from ..protocol import LoopRunner
from .bar import Bar
from .lines import color

__all__ = ["format_head"]

_LABEL_WIDTH = 10


def format_head(runner: LoopRunner, width: int, has_color: bool) -> str:
    """Describe a run in about ten lines.

    Args:
        runner: The runner. Only loops that are built are described.
        width: Characters of a line.
        has_color: Whether colors are allowed.

    Returns:
        Lines of a label and a text.
    """
    entries = {
        "versions": f"eng {_find_version()}, torch {torch.__version__}, "
        f"Python {platform.python_version()}",
        "device": _describe_device(runner),
        "run": f"{_count_processes(runner)}, {_describe_precision(runner)}, seed {runner.seed}",
        **_describe_loops(runner),
        **_describe_model(runner, width - _LABEL_WIDTH),
        "writes to": shorten_path(runner.work_dir),
        "log": shorten_path(f"{runner.log_dir}/{runner.timestamp}.log"),
    }
    if not Bar.is_available():
        entries["progress"] = "no progress bar: pip install 'eng-runner[progress]'"
    lines = []
    for label, text in entries.items():
        first, *rest = _wrap(text, width - _LABEL_WIDTH)
        lines.append(f"{color(f'{label:{_LABEL_WIDTH}}', '2', has_color)}{first}")
        lines += [" " * _LABEL_WIDTH + line for line in rest]
    return "\n".join([*lines, ""])


def _wrap(text: str, width: int) -> list[str]:
    """Wrap a text at blanks, but not a path."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _count_processes(runner: LoopRunner) -> str:
    number = runner.environment.world_size
    return f"{number} processes" if number > 1 else "1 process"


def _find_version() -> str:
    try:
        return version("eng-runner")
    except PackageNotFoundError:  # sources on the path, not an installed package
        return "(unknown version)"


def _describe_device(runner: LoopRunner) -> str:
    found = next((each.device for each in runner.model.parameters()), torch.device("cpu"))
    if found.type == "cuda":
        return f"{found} ({torch.cuda.get_device_name(found)}){_describe_cuda_memory(found)}"
    if found.type != "cpu":
        return str(found)
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}{_describe_memory()}"


def _describe_cuda_memory(device: torch.device) -> str:
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:  # not supported by the driver
        return ""
    return f", {_format_bytes(free)} of {_format_bytes(total)} free"


def _describe_memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE")
        free, total = size * os.sysconf("SC_AVPHYS_PAGES"), size * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not known on this system
        return ""
    return f", {_format_bytes(free)} of {_format_bytes(total)} free"


def _format_bytes(number: float) -> str:
    return f"{number / 2**30:.1f} GiB"


def _describe_precision(runner: LoopRunner) -> str:
    kind = next((p.dtype for p in runner.model.parameters() if p.is_floating_point()), None)
    text = str(kind or torch.get_default_dtype()).removeprefix("torch.")
    wrapper = runner.optim_wrapper
    if "Amp" not in type(wrapper).__name__:
        return text
    cast: Any = getattr(wrapper, "cast_dtype", None)
    return f"mixed: {str(cast or 'automatic').removeprefix('torch.')} and {text}"


def _describe_loops(runner: LoopRunner) -> dict[str, str]:
    """Describe the data of the loops that are built: others may never be used."""
    found = {}
    for mode in ("train", "val", "test"):
        slot = getattr(getattr(runner, "_loops", None), mode, None)
        loops = loops_by_name(getattr(slot, "built", None))
        loaders = {name: getattr(loop, "dataloader", None) for name, loop in loops.items()}
        texts = [
            f"{name}: {describe_data(loader)}" if name else describe_data(loader)
            for name, loader in loaders.items()
            if loader is not None
        ]
        if texts:
            found[mode] = "; ".join(texts)
    if "train" in found:
        by_epoch, epochs = runner.progress.by_epoch, runner.max_epochs
        found["length"] = f"{epochs} epochs, " if by_epoch else ""
        found["length"] += f"{runner.max_iters} iterations"
    return found


def _describe_model(runner: LoopRunner, width: int) -> dict[str, str]:
    model = unwrap(runner.model)
    total, trained = count_parameters(model)
    share = "all trained" if trained == total else f"{trained:,} trained"
    lines = {"model": f"{type(model).__name__}, {total:,} parameters, {share}"}
    parts = [f"{name} {number:,}" for name, number in count_by_module(model).items()]
    if parts:
        lines["modules"] = _join(parts, width)
    return lines


def _join(parts: list[str], width: int) -> str:
    """Join as many parts as fit, and count the others."""
    for number in range(len(parts), 0, -1):
        more = len(parts) - number
        text = ", ".join([*parts[:number], *([f"{more} more"] if more else [])])
        if len(text) <= width:
            return text
    return parts[0]

"""Build the outputs of a run: logger, log processor, message hub and visualizer."""

from __future__ import annotations

import glob
import logging
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from eng.config import Config, ConfigError
from eng.dist import explain_failures, master_only, write_stacks_to
from eng.dl_utils import collect_env
from eng.hooks import HookRunner
from eng.logging import MessageHub, MMLogger
from eng.registry import LOG_PROCESSORS, VISUALIZERS, PartOrConfig
from eng.vis import Visualizer

from .descriptions import shorten_path
from .errors import RunnerTypeError
from .first_mistakes import mistakes_explained
from .identity import RunIdentity
from .log_processor import LogProcessor
from .protocol import LoopRunner
from .types import Settings

PartT = TypeVar("PartT")

#: Settings of the data of an operation, but of training.
_LOADERS = {"val_step": "val_dataloader", "test_step": "test_dataloader"}
#: Functions by which Python shows warnings unless they are collected.
_SHOW = getattr(warnings, "_showwarnmsg_impl", None)
_SHOW_WARNING = getattr(warnings, "_showwarning_orig", warnings.showwarning)

__all__ = [
    "build_log_processor",
    "build_logger",
    "build_message_hub",
    "build_visualizer",
    "dump_config",
    "log_details",
    "log_end",
    "log_environment",
    "reported",
    "warnings_in_log",
]


def build_logger(
    identity: RunIdentity, log_level: int | str, log_file: str | None, **settings: Any
) -> MMLogger:
    """Build the logger of a run.

    Args:
        identity: Names and folders of the run.
        log_level: Its level.
        log_file: Its file; None names it by the time, in the folder of this start.
        **settings: Further arguments of :class:`eng.logging.MMLogger`.

    Returns:
        The logger.
    """
    log_file = log_file or str(Path(identity.log_dir) / f"{identity.timestamp}.log")
    settings = {"file_mode": "a", "logger_name": "eng", **settings}
    name = settings.pop("name", identity.instance_name)
    logger = MMLogger.get_instance(name, log_file=log_file, log_level=log_level, **settings)
    logger.close_files()  # open while the run runs
    return logger


def build_log_processor(
    log_processor: PartOrConfig[LogProcessor], train_cfg: object
) -> LogProcessor:
    """Build the log processor.

    Args:
        log_processor: The log processor, which is returned as it is, or its config.
        train_cfg: Config of the training loop, which says whether lines count epochs.

    Returns:
        The log processor.
    """
    if not isinstance(log_processor, Mapping):
        return _check_is_part("log_processor", log_processor, "get_log_after_iter")
    by_epoch = train_cfg.get("by_epoch", True) if isinstance(train_cfg, Mapping) else True
    return LOG_PROCESSORS.build({"type": "LogProcessor", "by_epoch": by_epoch, **log_processor})


def build_message_hub(identity: RunIdentity, message_hub: Settings | None = None) -> MessageHub:
    """Build the message hub of a run.

    Args:
        identity: Names of the run.
        message_hub: Its arguments. Defaults to None.

    Returns:
        The message hub.
    """
    return MessageHub.get_instance(**{"name": identity.instance_name, **(message_hub or {})})


def build_visualizer(
    identity: RunIdentity, visualizer: PartOrConfig[Visualizer] | None
) -> Visualizer:
    """Build the visualizer of a run.

    Args:
        identity: Names and folders of the run.
        visualizer: The visualizer, which is returned as it is, or its config; None makes one that
            writes files.

    Returns:
        The visualizer.
    """
    if visualizer is not None and not isinstance(visualizer, Mapping):
        return _check_is_part("visualizer", visualizer, "add_config")
    backends = [{"type": "LocalVisBackend"}]
    cfg = {"type": "Visualizer", "vis_backends": backends, **(visualizer or {})}
    # A name in the config is meant for one run: another runner in this process gets its own.
    name = cfg.get("name", "")
    cfg["name"] = f"{identity.instance_name}_{name}" if name else identity.instance_name
    cfg.setdefault("save_dir", identity.log_dir)
    return VISUALIZERS.build(cfg)


def _check_is_part(name: str, given: PartT, method: str) -> PartT:
    """Refuse what is neither a part nor a config, such as a list or a name."""
    if not hasattr(given, method) or isinstance(given, type):
        shown = given.__name__ if isinstance(given, type) else type(given).__name__
        raise RunnerTypeError(
            f"{name} must be a dict such as dict(type={name.title().replace('_', '')!r}), or the "
            f"object itself, not {shown}"
        )
    return given


def log_environment(runner: LoopRunner, env_cfg: Settings) -> None:
    """Write machine, libraries, processes, seed and config to the log.

    Args:
        runner: The runner, with its logger, config and ``meta``.
        env_cfg: Settings of processes and libraries.
    """
    logger = runner.logger
    shown = {
        **collect_env(),
        **env_cfg,
        "seed": runner.seed,
        "processes": runner.environment.world_size,
    }
    shown.pop("PyTorch compiling details", None)  # a page that hides all the rest
    lines = "\n".join(f"    {name}: {value}" for name, value in shown.items())
    log_details(logger, f"Environment:\n{lines}")
    for name, value in runner.cfg.env_variables.items():
        log_details(logger, f"The config uses the environment variable {name}: {value}")
    log_details(logger, f"Config:\n{runner.meta['cfg']}")
    if runner.cfg.get("parallel") is not None and runner.environment.mesh is None:
        logger.info("The setting parallel is ignored: there is a single process.")


def log_end(runner: LoopRunner) -> None:
    """Write to the log where the results of a training are.

    Args:
        runner: The runner, after its training.
    """
    places = {
        "Checkpoints": runner.work_dir,
        "log": f"{runner.log_dir}/{runner.timestamp}.log",
        "curves": f"{runner.log_dir}/vis_data/scalars.json",
    }
    text = "; ".join(f"{name}: {place}" for name, place in places.items())
    lines = [f"{name.lower()}: {shorten_path(place)}" for name, place in places.items()]
    short = "\n".join(["Done.", *(f"  {line}" for line in lines)])
    runner.logger.info(f"Done. {text}", extra={"terminal_text": short})


def log_details(logger: logging.Logger, text: str) -> None:
    """Write a text to the log that a terminal shows at level DEBUG alone.

    Args:
        logger: The logger.
        text: The text.
    """
    logger.info(text, extra={"terminal_text": ""})


@contextmanager
def reported(runner: HookRunner, operation: str) -> Iterator[None]:
    """Write diagnostics of a run to its folder: warnings, and the stacks of threads that hang.

    Args:
        runner: The runner.
        operation: Name of the block, for the message if another process fails.

    Yields:
        Nothing.
    """
    with (
        write_stacks_to(runner.log_dir),
        explain_failures(operation),
        warnings_in_log(runner.logger),
        mistakes_explained(runner.model, _LOADERS.get(operation, "train_dataloader")),
    ):
        yield


@contextmanager
def warnings_in_log(logger: logging.Logger) -> Iterator[None]:
    """Write warnings to the log, where they are found after a run, and each of them once.

    Args:
        logger: The logger.

    Yields:
        Nothing.
    """
    shown_before = warnings.showwarning
    # Code that collects warnings, as tests do, still receives them.
    is_recording = getattr(warnings, "_showwarnmsg_impl", None) is not _SHOW

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        logger.warning(f"{category.__name__}: {message} ({filename}:{lineno})")
        if is_recording or shown_before is not _SHOW_WARNING:
            shown_before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown_before


@master_only
def dump_config(cfg: Config, text: str, identity: RunIdentity, logger: MMLogger) -> None:
    """Write the config to the work directory, under the name of the file it came from.

    It is written to the folder of this start as well, by which the next start knows the one in the
    work directory for a dump: any other file there is the user's and is kept. A config that the
    format cannot hold does not stop the run: it is then written as Python.

    Args:
        cfg: The config.
        text: The same as text.
        identity: Names and folders of the run.
        logger: The logger.
    """
    name = Path(cfg.filename).name if cfg.filename else f"{identity.timestamp}.py"
    own = Path(identity.log_dir) / name
    try:
        cfg.dump(own)
    except ConfigError as error:
        own = own.with_suffix(".py")
        logger.warning(f"{error}. The config is in {own.name}, for reading only")
        own.write_text(text, encoding="utf-8")
    path = Path(identity.work_dir) / own.name
    if cfg.filename and path.exists() and path.samefile(cfg.filename):
        return  # the work directory is where the user's config is, which stays as it is
    if path.exists() and not _is_dump(path):
        logger.warning(f"{path} is not a dump of a run and stays as it is; the config is in {own}")
        return
    shutil.copyfile(own, path)


def _is_dump(path: Path) -> bool:
    """Whether a file is the dump of an earlier start, and not one of the user."""
    content = path.read_bytes()
    # The second is all that versions before 0.2 left.
    names = (glob.escape(path.name), "vis_data/config.py")
    dumps = (dump for name in names for dump in path.parent.glob(f"*/{name}"))
    return any(dump.is_file() and dump.read_bytes() == content for dump in dumps)

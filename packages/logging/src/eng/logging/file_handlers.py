"""Create handlers of the standard library for log files."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = ["make_file_handler"]


def make_file_handler(cfg: Mapping[str, Any], path: Path, mode: str) -> logging.FileHandler:
    """Create a handler that writes a log file.

    Args:
        cfg: Name of a class of :mod:`logging.handlers` under ``type``, and its arguments.
            ``filename`` overrides ``path``. The mapping is not modified.
        path: Path of the file, whose directory is created.
        mode: Mode to open the file in, unless ``cfg`` has one.

    Raises:
        TypeError: ``cfg`` is not a mapping, or an argument is unknown.
        AssertionError: ``cfg`` has no ``type``.
        ValueError: The type is not a handler of files.
    """
    # Imported late, since it is slow to import.
    from logging import handlers

    if not isinstance(cfg, Mapping):
        raise ArgumentTypeError(f"file_handler_cfg must be a dict, but got {cfg!r}")
    arguments = {"filename": str(path), **cfg}
    if "type" not in arguments:
        # Raised explicitly, since `python -O` removes assert statements.
        raise AssertionError(f"file_handler_cfg requires the key 'type', but got {list(cfg)}")
    name = arguments.pop("type")
    arguments.pop("_scope_", None)  # of a config that inherits from another package's
    known = {
        each.__name__: each
        for each in (logging.FileHandler, *vars(handlers).values())
        if isinstance(each, type) and issubclass(each, logging.FileHandler)
    }
    if name not in known:
        raise ArgumentValueError(
            f"unknown handler {name!r} in file_handler_cfg, "
            f"known handlers: {', '.join(sorted(known))}"
        )
    if name != "TimedRotatingFileHandler":  # that one has no mode
        arguments.setdefault("mode", mode)
    Path(arguments["filename"]).parent.mkdir(parents=True, exist_ok=True)
    handler: logging.FileHandler = known[name](**arguments)
    return handler

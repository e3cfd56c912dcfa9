"""Handlers of the standard library for log files."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = ["make_file_handler"]


def make_file_handler(cfg: Mapping[str, Any], path: Path, mode: str) -> logging.FileHandler:
    """Make a handler that writes a log file.

    Args:
        cfg: Name of the class, from :mod:`logging.handlers`, under ``type``, and its arguments.
            ``filename`` replaces ``path``. It is not changed.
        path: The file, whose folder is made.
        mode: Mode to open the file in, where the class has one and ``cfg`` none.

    Raises:
        TypeError: ``cfg`` is no mapping, or an argument is unknown.
        AssertionError: ``cfg`` has no ``type``.
        ValueError: No handler of files has that name.
    """
    # Imported late, since it is slow to import.
    from logging import handlers

    if not isinstance(cfg, Mapping):
        raise ArgumentTypeError(f"file_handler_cfg must be a dict, but it is {cfg!r}")
    arguments = {"filename": str(path), **cfg}
    if "type" not in arguments:
        # Raised by hand, since `python -O` drops assert statements.
        raise AssertionError(f"file_handler_cfg needs the key 'type', but it has {list(cfg)}")
    name = arguments.pop("type")
    arguments.pop("_scope_", None)  # of a config that inherits from another package's
    known = {
        each.__name__: each
        for each in (logging.FileHandler, *vars(handlers).values())
        if isinstance(each, type) and issubclass(each, logging.FileHandler)
    }
    if name not in known:
        raise ArgumentValueError(
            f"unknown handler {name!r} in file_handler_cfg, known are: {', '.join(sorted(known))}"
        )
    if name != "TimedRotatingFileHandler":  # that one has no mode
        arguments.setdefault("mode", mode)
    Path(arguments["filename"]).parent.mkdir(parents=True, exist_ok=True)
    handler: logging.FileHandler = known[name](**arguments)
    return handler

"""Read the small files in which a run records events after its latest checkpoint."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from eng.fileio import get_file_backend
from eng.logging import print_log

__all__ = ["read_record"]

T = TypeVar("T")


def read_record(
    work_dir: str, name: str, parse: Callable[[Any], T], what: str, consequence: str
) -> T | None:
    """Read a record. A corrupt one is ignored, with a warning.

    Args:
        work_dir: The directory that it is in.
        name: Name of the file.
        parse: Parses the content of the file; a ValueError, TypeError or KeyError means that the
            file is corrupt.
        what: Its subject, for the warning.
        consequence: Consequence of a corrupt record, for the warning.

    Returns:
        The record; None if the file is missing or corrupt.
    """
    backend = get_file_backend(work_dir)
    path = backend.join_path(work_dir, name)
    if not backend.isfile(path):
        return None
    try:
        return parse(json.loads(backend.get_text(path)))
    except (ValueError, TypeError, KeyError) as error:
        print_log(
            f"{path} is not a record of {what} ({type(error).__name__}: {error}) and is ignored"
            f"{consequence}",
            logger="current",
            level=logging.WARNING,
        )
        return None

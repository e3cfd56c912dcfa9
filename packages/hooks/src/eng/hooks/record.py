"""Read the small files in which a run records what a checkpoint does not know yet."""

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
    """Read a record. One that is damaged is left out, with a warning.

    Args:
        work_dir: The directory that it is in.
        name: Name of the file.
        parse: Makes the record of what the file holds; a ValueError, TypeError or KeyError of it
            means that the file is damaged.
        what: What it records, for the warning.
        consequence: What follows if it is damaged, for the warning.

    Returns:
        The record; None where there is no file, or a damaged one.
    """
    backend = get_file_backend(work_dir)
    path = backend.join_path(work_dir, name)
    if not backend.isfile(path):
        return None
    try:
        return parse(json.loads(backend.get_text(path)))
    except (ValueError, TypeError, KeyError) as error:
        print_log(
            f"{path} is not a record of {what} ({type(error).__name__}: {error}) and is left out"
            f"{consequence}",
            logger="current",
            level=logging.WARNING,
        )
        return None

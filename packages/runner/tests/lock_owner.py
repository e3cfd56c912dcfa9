"""A process that holds the lock of a work directory."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from eng.runner.work_dir_lock import work_dir_lock


@contextlib.contextmanager
def living_owner(work_dir: Path) -> Iterator[int]:
    """Fork a process that holds the lock. It is killed at the end, and leaves the lock behind."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with work_dir_lock(str(work_dir), logging.getLogger("owner")):
                os.write(writer, b".")
                signal.pause()
        finally:
            os._exit(1)
    os.close(writer)
    try:
        assert os.read(reader, 1) == b"."
        yield child
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

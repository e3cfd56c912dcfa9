"""Keep two jobs from training in one work directory."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from pathlib import Path

from eng.dist import broadcast_object_list, is_main_process
from eng.utils import override

from .errors import RunnerConfigError

__all__ = ["WorkDirInUseError", "take_over_work_dirs", "work_dir_lock"]

#: Name of the file in a work directory.
LOCK = ".train.lock"
#: Seconds between two heartbeats of the process that holds a lock.
HEARTBEAT = 5.0
#: Seconds without one, seen from another machine, after which the process is taken for dead.
SILENCE = 30.0
#: Seconds after which a temporary file of a lock counts as left behind.
_LEFT_BEHIND = 600

_is_forced: ContextVar[bool] = ContextVar("take_over_work_dirs", default=False)
#: Locks that this process holds, with how often, by their paths.
_held: dict[Path, _Held] = {}
_guard = threading.Lock()


class WorkDirInUseError(RunnerConfigError):
    """Another job trains in the work directory."""


@dataclass(frozen=True)
class Owner:
    """The process that holds a lock.

    Attributes:
        host: Its machine, for messages.
        machine: The boot of the machine and the space of process ids that ``pid`` is of.
        pid: Its process id.
        started: Its start, to distinguish it from a later process of that id.
        since: The time at which it acquired the lock, for messages.
        token: Unique for each lock.
    """

    host: str
    machine: str
    pid: int
    started: str
    since: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def this_process(cls) -> Owner:
        """This process as the owner of a new lock."""
        pid, since = os.getpid(), time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(socket.gethostname(), _identify_machine(), pid, _start_of(pid) or "", since)

    @override
    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextmanager
def take_over_work_dirs() -> Iterator[None]:
    """Take over locks of other jobs, whether these are alive or not."""
    token = _is_forced.set(True)
    try:
        yield
    finally:
        _is_forced.reset(token)


@contextmanager
def work_dir_lock(work_dir: str, logger: logging.Logger) -> Iterator[None]:
    """Hold the lock of a work directory. To be called in all processes; the first one takes it.

    Runs of one process share it. The lock of a dead process is taken over: on this machine at
    once, on another one after a while without a heartbeat. Where files cannot be written,
    nothing is locked.

    Args:
        work_dir: The directory.
        logger: Where a take-over of a lock is reported.

    Yields:
        Nothing.

    Raises:
        WorkDirInUseError: If another job that is alive holds it; in all processes.
    """
    path = Path(work_dir).resolve() / LOCK
    boxes: list[Exception | None] = [None]
    if is_main_process():
        try:
            with _guard:
                _acquire(path, logger)
        except WorkDirInUseError as error:
            boxes = [error]
    broadcast_object_list(boxes)
    if boxes[0] is not None:
        raise boxes[0]
    try:
        yield
    finally:
        if is_main_process():
            with _guard:
                _leave(path)


class _Held:
    """A lock that this process holds, with the thread of its heartbeat."""

    def __init__(self, path: Path, owner: Owner, logger: logging.Logger) -> None:
        self.count, self.pid = 1, os.getpid()
        self.path, self.owner, self._logger = path, owner, logger
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="work-dir-lock", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT):
            with suppress(OSError):  # a full disk, or a server that is away for a moment
                found = _read(self.path)
                if found is None:  # the directory was cleaned up
                    _create(self.path, self.owner)
                elif found.token != self.owner.token:
                    self._logger.warning(
                        f"{self.path} was taken over by {found}: two jobs train in one directory."
                    )
                    return
                os.utime(self.path)

    def release(self) -> None:
        """End the thread and remove the file, unless it is another job's by now."""
        self._end.set()
        self._thread.join()
        found = _read(self.path)
        if found is not None and found.token == self.owner.token:
            self.path.unlink(missing_ok=True)


def _acquire(path: Path, logger: logging.Logger) -> None:
    held = _held.get(path)
    if held is not None and held.pid == os.getpid():  # not that of the parent of a fork
        held.count += 1
        return
    owner = Owner.this_process()
    try:
        while not _create(path, owner):
            _remove_if_stale(path, logger)
    except OSError as error:
        logger.warning(f"{path} cannot be written, so that a second job is not noticed: {error}")
        return
    _held[path] = _Held(path, owner, logger)
    for left in path.parent.glob(f"{LOCK}.*"):  # by one that was killed while it took the lock
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                left.unlink()


def _leave(path: Path) -> None:
    held = _held.get(path)
    if held is None or held.pid != os.getpid():
        return
    held.count -= 1
    if not held.count:
        del _held[path]
        with suppress(OSError):  # the directory is gone, or cannot be written any more
            held.release()


def _create(path: Path, owner: Owner) -> bool:
    """Create the file with its content in one step, unless it exists."""
    beside = path.with_name(f"{path.name}.{owner.token}")
    beside.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    try:
        os.link(beside, path)
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    return True


def _remove_if_stale(path: Path, logger: logging.Logger) -> None:
    """Remove the lock of a dead process, or of any with ``--force``.

    Raises:
        WorkDirInUseError: If the process may be alive.
    """
    found = _read(path)
    if found is None:
        if path.exists():
            logger.warning(f"{path} is not a lock: it is replaced.")
            _remove(path, None)
        return
    if _is_forced.get():
        logger.warning(f"{path} is taken over from {found}, as requested.")
    elif _is_alive(found, path, logger):
        raise WorkDirInUseError(
            f"{path.parent} is in use: {found} trains there. Wait for it, use another work_dir, or "
            "take the directory over with `eng train --force` if that job is dead"
        )
    else:
        logger.warning(f"{path} is taken over from {found}, which is no longer alive.")
    _remove(path, found)


def _remove(path: Path, judged: Owner | None) -> None:
    """Remove a lock, but not a newer one that replaced it meanwhile."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):
        path.rename(aside)
        moved = _read(aside)
        if moved is not None and (judged is None or moved.token != judged.token):
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()


def _is_alive(owner: Owner, path: Path, logger: logging.Logger) -> bool:
    if owner.machine == _identify_machine():
        if owner.pid == os.getpid():  # left behind by this process, which does not hold it
            return False
        return bool(owner.started) and _start_of(owner.pid) == owner.started
    # Its clock may differ from ours: a heartbeat is a change that we observe.
    logger.info(f"Watching {path} for {SILENCE:g} s, since {owner} may be dead.")
    first, end = _read_heartbeat(path), time.monotonic() + SILENCE
    while time.monotonic() < end:
        time.sleep(min(1.0, SILENCE / 10))
        if _read_heartbeat(path) != first:
            return True
    return False


def _read_heartbeat(path: Path) -> tuple[int, str]:
    """Read the heartbeat. The file is opened, so that a file server returns its present state."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns, file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return 0, ""


def _read(path: Path) -> Owner | None:
    """Return the owner of a lock; None if it is missing or not a lock."""
    try:
        return Owner(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _identify_machine() -> str:
    """Identify the boot of this machine and the namespace of process ids, as of a container."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # not Linux
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _start_of(pid: int) -> str | None:
    """Return when a process was started, None if it does not exist.

    On Linux a number that distinguishes processes of the same id; elsewhere ``'?'``.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    else:
        # After the name, which may have blanks and brackets: the state; 19 fields later the start.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "?"
    return "?"

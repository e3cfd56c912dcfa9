"""Tell the story of the runs in a work directory out of their logs and records."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .log_file import LogEntry, read_environment, read_log
from .start import RunStart, find_starts

__all__ = ["Event", "StartHistory", "read_history"]

#: Seconds after its last sign in which a run on another machine counts as alive.
_ALIVE = 60
_LOCK = ".train.lock"


@dataclass(frozen=True)
class Event:
    """Something that happened in a run.

    Attributes:
        time: When.
        kind: ``'start'``, ``'resume'``, ``'best'``, ``'checkpoint'``, ``'warning'``, ``'error'`` or
            ``'end'``.
        text: A line without the time.
    """

    time: datetime
    kind: str
    text: str


@dataclass
class StartHistory:
    """The events of one start of a run.

    Attributes:
        start: The start.
        events: Its events in order.
        progress: The last position that the log shows, such as ``epoch 3, iteration 60``; empty if
            it shows none.
        seconds: Time from the first to the last entry of the log.
    """

    start: RunStart
    events: list[Event] = field(default_factory=list)
    progress: str = ""
    seconds: float = 0.0


#: Patterns of messages, each with the kind of the event and its text.
_MESSAGES: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Resumed from (?P<file>.+): epoch (?P<epoch>\d+), iter (?P<iter>\d+)\."),
        "resume",
        lambda m: f"resumed from {_name(m['file'])}: epoch {m['epoch']}, iteration {m['iter']}",
    ),
    (  # of the original engine
        re.compile(r"resumed epoch: (?P<epoch>\d+), iter: (?P<iter>\d+)"),
        "resume",
        lambda m: f"resumed at epoch {m['epoch']}, iteration {m['iter']}",
    ),
    (
        re.compile(
            r"The best checkpoint with (?P<score>\S+) (?P<key>\S+) at (?P<place>\d+ ?\w+|\w+ \d+) "
            r"(?:is saved to|is) (?P<file>.+)\."
        ),
        "best",
        lambda m: f"best {m['key']} {m['score']} at {_swap(m['place'])}: {_name(m['file'])}",
    ),
    (
        re.compile(r"Saving checkpoint at (?P<place>\d+ \w+)"),
        "checkpoint",
        lambda m: f"checkpoint at {_swap(m['place'])}",
    ),
    (
        re.compile(
            r"(?P<cause>SIG\w+|time limit): training was ended after (?P<iter>\d+) iterations"
            r"(?:; the newest checkpoint is (?P<file>.+?)\. )?"
        ),
        "end",
        lambda m: (
            f"ended by {m['cause']} after {m['iter']} iterations"
            f"{', saved ' + _name(m['file']) if m['file'] else ', nothing saved'}"
        ),
    ),
    (
        re.compile(r"Training is stopped early: (?P<why>.+)\.|the monitored metric did not (.+)"),
        "end",
        lambda m: f"stopped early: {m['why'] or m[0]}",
    ),
    (
        re.compile(r"Training is complete: "),
        "end",
        lambda m: "nothing to do, training was complete",
    ),
    (re.compile(r"Done\. Checkpoints"), "end", lambda m: "finished"),
)
_POSITION = re.compile(
    r"(?:Epoch\(train\) +\[ *(?P<epoch>\d+)\]\[ *(?P<batch>\d+)/ *(?P<batches>\d+|\?)\]"
    r"|Iter\(train\) +\[ *(?P<iter>\d+)/)"
)
#: The last line of a test, which has no closing one.
_TESTED = re.compile(r"(?:Epoch|Iter)\(test\) +\[ *(?P<batch>\d+)/ *(?P=batch)\]")


def read_history(work_dir: str | Path) -> list[StartHistory]:
    """Read the events of all starts in a work directory, the oldest first.

    Args:
        work_dir: The work directory, or the folder of one start in it.

    Raises:
        RunNotFoundError: If there is none.
    """
    starts = find_starts(work_dir, every=True)
    histories = [_read_start(start) for start in starts]
    state = _read_state(Path(work_dir), starts[-1])
    for history in histories:
        is_last = history is histories[-1]
        if not any(event.kind == "end" for event in history.events):
            _add_end(history, state if is_last else "")
    return histories


def _read_start(start: RunStart) -> StartHistory:
    history = StartHistory(start)
    if start.log is None:
        return history
    first: datetime | None = None
    entry: LogEntry | None = None
    tested: LogEntry | None = None
    for entry in read_log(start.log):
        if first is None:
            first = entry.time
            text = _describe_environment(read_environment(start.log))
            history.events.append(Event(entry.time, "start", text))
        position = _POSITION.match(entry.text)
        if position is not None:
            history.progress = _format_position(position)
        elif _TESTED.match(entry.text):
            tested = entry
        else:
            history.events += _find_events(entry)
    if tested is not None and not history.progress:
        history.events.append(Event(tested.time, "end", "tested"))
    if first is not None and entry is not None:
        history.seconds = (entry.time - first).total_seconds()
    return history


def _find_events(entry: LogEntry) -> Iterator[Event]:
    for pattern, kind, describe in _MESSAGES:
        found = pattern.search(entry.text)
        if found is not None:
            yield Event(entry.time, kind, describe(found))
            return
    if entry.level in ("WARNING", "ERROR", "CRITICAL"):
        kind = "warning" if entry.level == "WARNING" else "error"
        yield Event(entry.time, kind, f"{entry.level.lower()}: {entry.text}")


def _describe_environment(environment: dict[str, str]) -> str:
    processes = environment.get("processes") or environment.get("GPU number")
    known = (
        ("seed {}", environment.get("seed")),
        ("{} process" if processes == "1" else "{} processes", processes),
        ("torch {}", environment.get("PyTorch")),
        ("Python {}", environment.get("Python", "").partition(" ")[0]),
    )
    parts = [text.format(value) for text, value in known if value]
    return "started" + (f": {', '.join(parts)}" if parts else "")


def _format_position(position: re.Match[str]) -> str:
    if position["iter"] is not None:
        return f"iteration {position['iter']}"
    return f"epoch {position['epoch']}, batch {position['batch']} of {position['batches']}"


def _add_end(history: StartHistory, state: str) -> None:
    """Add an end to a start whose log has none."""
    if not history.events:
        return
    where = f" at {history.progress}" if history.progress else ""
    last = history.events[0].time.timestamp() + history.seconds
    text = f"{state}{where}" if state else f"the log ends{where}, without a closing line"
    history.events.append(Event(datetime.fromtimestamp(last), "end", text))


def _read_state(work_dir: Path, start: RunStart) -> str:
    """Return ``'running'`` or ``'killed'`` by the lock of the directory; empty if it has none."""
    folder = work_dir if (work_dir / _LOCK).exists() else work_dir.parent
    lock = folder / _LOCK
    try:
        owner = json.loads(lock.read_text(encoding="utf-8"))
        beat = max(lock.stat().st_mtime, start.log.stat().st_mtime if start.log else 0.0)
    except (OSError, ValueError):
        return ""  # a run that ends removes it
    processes = Path("/proc")
    if owner.get("host") == socket.gethostname() and processes.is_dir():
        return "running" if (processes / str(owner.get("pid"))).exists() else "killed"
    return "running" if time.time() - beat < _ALIVE else "killed"


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[-1]


def _swap(place: str) -> str:
    """Return ``epoch 3`` for ``3 epochs`` and ``3 epoch``."""
    first, _, second = place.partition(" ")
    if not first.isdigit():
        return f"{'iteration' if first.startswith('iter') else first} {second}"
    unit = "iteration" if second.startswith("iter") else second.rstrip("s")
    return f"{unit} {first}"

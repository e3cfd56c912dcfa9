"""The command ``eng history``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from eng.cli import Command

if TYPE_CHECKING:
    from .history import Event, StartHistory

__all__ = ["HISTORY"]

#: Events of one kind in a row that are shown, and kinds of which all are.
_SHOWN, _WHOLE = 4, ("start", "resume", "end", "error")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the starts, resumes, signals, checkpoints and best scores of the runs in a work "
        "directory, from its logs and records."
    )
    parser.add_argument("work_dir", metavar="WORK_DIR", help="work directory of a run")
    parser.add_argument(
        "--all", dest="is_whole", action="store_true", help="print every event, leaving out none"
    )


def _run(args: argparse.Namespace) -> None:
    from .history import read_history

    histories = read_history(args.work_dir)
    for line in _format(Path(args.work_dir), histories, args.is_whole):
        print(line)


def _format(work_dir: Path, histories: Sequence[StartHistory], is_whole: bool) -> Iterator[str]:
    runs = [list(each) for _, each in groupby(histories, key=lambda each: each.start.run_id)]
    starts = f"{len(histories)} start{'' if len(histories) == 1 else 's'}"
    count = f"{len(runs)} runs, {starts}" if len(runs) > 1 else starts
    seconds = sum(each.seconds for each in histories)
    yield f"{work_dir}: {count}, {_format_duration(seconds)} in all"
    for run in runs:
        yield ""
        run_id = run[0].start.run_id
        yield f"run {run_id[:8]}" if run_id else "run"
        for history in run:
            yield from _format_start(history, is_whole)
    checkpoints = _list_checkpoints(work_dir)
    if checkpoints:
        yield ""
        yield f"checkpoints: {', '.join(checkpoints)}"


def _format_start(history: StartHistory, is_whole: bool) -> Iterator[str]:
    if not history.events:
        yield f"  {history.start.name}  no log"
        return
    day = None
    for event in history.events if is_whole else _shorten(history.events):
        if isinstance(event, str):
            yield f"  {'':19}  {event}"
            continue
        date = f"{event.time:%Y-%m-%d}"
        shown = date if date != day else ""
        day = date
        yield f"  {shown:10} {event.time:%H:%M:%S}  {event.text}"


def _shorten(events: Sequence[Event]) -> Iterator[Event | str]:
    """Leave out the middle of many events of one kind, and repeated warnings."""
    seen: set[str] = set()
    unique = []
    for event in events:
        if event.kind != "warning" or event.text not in seen:
            unique.append(event)
        seen.add(event.text)
    for kind, group in groupby(unique, key=lambda event: event.kind):
        row = list(group)
        left_out = len(row) - _SHOWN
        if kind in _WHOLE or left_out <= 1:
            yield from row
            continue
        yield from row[:1]
        yield f"... {left_out} more ({kind}); --all shows them"
        yield from row[1 - _SHOWN :]


def _list_checkpoints(work_dir: Path) -> list[str]:
    """List the checkpoints in a directory, the oldest first, and the last one marked."""
    found = [each for each in work_dir.glob("*.pth") if not each.name.startswith(".")]
    # Folders of shards, without those that a killed run left.
    folders = (each.parent for each in work_dir.glob("*/complete.json"))
    found += [each for each in folders if ".part-" not in each.name]
    pointer = work_dir / "last_checkpoint"
    last = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    found.sort(key=lambda each: (each.stat().st_mtime, each.name))
    return [
        f"{each.name} (last)" if last and Path(last).name == each.name else each.name
        for each in found
    ]


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


HISTORY = Command("tell the story of a run: starts, resumes, best scores", _add_arguments, _run)

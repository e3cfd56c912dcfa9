"""Read the log of a start of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

__all__ = ["LogEntry", "read_environment", "read_log"]

#: The head of an entry: the time, with or without a year, the logger, the level.
_HEAD = re.compile(
    r"(?:(?P<year>\d{4})/)?(?P<month>\d\d)/(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d) - \S+ - "
    r"(?:\x1b\[\d+m)*(?P<level>[A-Z]+)(?:\x1b\[0m)* - ?(?P<text>.*)"
)
_ENVIRONMENT = re.compile(r"(?:System |Runtime )?[Ee]nvironment:?$")
_SETTING = re.compile(r"\s{2,}(?P<name>[^:]+): ?(?P<value>.*)")


@dataclass(frozen=True)
class LogEntry:
    """An entry of a log.

    Attributes:
        time: Its time.
        level: Its level, such as ``WARNING``.
        text: The message; further lines are separate.
        more: Further lines of the message.
    """

    time: datetime
    level: str
    text: str
    more: tuple[str, ...]


def read_log(file: Path) -> Iterator[LogEntry]:
    """Read the entries of a log in order. Lines that do not belong to an entry are skipped.

    Args:
        file: The file. The year of times without one is that of the name of its folder.
    """
    year = int(file.parent.name[:4]) if file.parent.name[:4].isdigit() else datetime.now().year
    head, more = None, []
    last: datetime | None = None
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = _HEAD.match(line.rstrip("\n"))
            if found is None:
                more.append(line.rstrip("\n"))
                continue
            if head is not None:
                yield LogEntry(*head, tuple(more))
            time = _read_time(found, year)
            if last is not None and time < last and time.month == 1 and last.month == 12:
                year += 1
                time = _read_time(found, year)
            last, more = time, []
            head = (time, found["level"], found["text"])
    if head is not None:
        yield LogEntry(*head, tuple(more))


def read_environment(file: Path) -> dict[str, str]:
    """Read the environment that a log reports at its start: versions, devices, seed.

    Args:
        file: The log.

    Returns:
        Values by name; empty if the log reports none.
    """
    found: dict[str, str] = {}
    for entry in read_log(file):
        lines = [entry.text, *entry.more]
        if not any(_ENVIRONMENT.search(line.strip()) for line in lines):
            if found:
                break  # it is reported once, at the start
            continue
        for line in lines:
            setting = _SETTING.fullmatch(line)
            if setting is not None:
                found[setting["name"].strip()] = setting["value"].strip()
    return found


def _read_time(found: re.Match[str], year: int) -> datetime:
    text = f"{found['year'] or year}/{found['month']}/{found['day']} {found['time']}"
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S")

"""Decide which checkpoints are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from eng.checkpoint import CheckpointFolder
from eng.logging import MessageHub
from eng.utils import StateDict

__all__ = ["KeptCheckpoints", "Retention", "retain"]

T = TypeVar("T")

#: Runtime information with the files of every hook of a run.
_KEPT = "kept_checkpoints"


def retain(kept: Sequence[T], new: T, max_keep: int) -> tuple[list[T], list[T]]:
    """Decide which of the interval checkpoints are kept when one is added.

    Args:
        kept: Those kept so far, the oldest first.
        new: The new one, which may be among them already.
        max_keep: How many are kept at most; below 1 all of them.

    Returns:
        Those to keep, the new one last, and those to remove.

    Examples:
        >>> retain([1, 2, 3], 4, 2)
        ([3, 4], [1, 2])
        >>> retain([1, 2], 2, -1)
        ([1, 2], [])
    """
    found = [*(each for each in kept if each != new), new]
    surplus = len(found) - max_keep if max_keep > 0 else 0
    return found[max(0, surplus) :], found[: max(0, surplus)]


@dataclass(frozen=True)
class Retention:
    """Rules by which checkpoints are kept.

    Attributes:
        max_keep: How many of the newest are kept at most; below 1 all of them.
        keep_every: Epochs or iterations between two that are kept for ever, or None.
        begin: The epoch or iteration from which these are counted.
    """

    max_keep: int
    keep_every: int | None = None
    begin: int = 0

    def is_for_ever(self, number: int | None) -> bool:
        """Whether the checkpoint of an epoch or iteration is kept for ever."""
        if number is None or self.keep_every is None:
            return False
        return (number - self.begin) % self.keep_every == 0


class KeptCheckpoints:
    """The interval checkpoints of one hook, which the message hub takes into checkpoints.

    Only files that the run itself has saved into the folder are in the list. The list of a
    checkpoint of another work directory does not apply: a file of the same name here is another's.

    Args:
        hub: The message hub of the run.
        key: Identifies the hook among others of the run.
        folder: Where it saves.
        work_dir: The work directory.
        rules: Which of them are kept. Those that are kept for ever are not in the list.
        is_only: Whether it is the only such hook, to which a list without a key belongs.
    """

    def __init__(
        self,
        hub: MessageHub,
        key: str,
        folder: CheckpointFolder,
        work_dir: str,
        rules: Retention,
        is_only: bool,
    ) -> None:
        self._hub, self._key, self._folder, self._rules = hub, key, folder, rules
        self._for_ever: str | None = None
        self._place = {"folder": folder.path, "work_dir": work_dir}
        self.files: list[str] = self._read_list(is_only)
        self._note(self.files)

    def add(self, name: str, number: int | None = None) -> list[str]:
        """Add a checkpoint.

        The message hub still lists files that are to be removed, so that a run which is killed
        before that removes them when it is resumed.

        Args:
            name: Name of its file.
            number: Its epoch or iteration, where the name has one of the template. Defaults to
                None.

        Returns:
            Files to remove after it is complete.
        """
        if self._rules.is_for_ever(number):
            self._for_ever = name
            self.files = [each for each in self.files if each != name]
            self._note(self.files)
            return []
        self.files, surplus = retain(self.files, name, self._rules.max_keep)
        self._note([*surplus, *self.files])
        if number is not None:
            self._note_numbers(number)
        return self._exclude_files_of_others(surplus)

    def forget(self, name: str) -> None:
        """Forget a checkpoint that could not be written."""
        self.files = [each for each in self.files if each != name]
        self._for_ever = None if self._for_ever == name else self._for_ever
        self._note(self.files)

    def holds(self, name: str) -> bool:
        """Whether a file is kept, as one of the newest or for ever."""
        return name in self.files or name == self._for_ever

    def drop_surplus(self) -> list[str]:
        """Drop files that a killed run would have removed.

        Returns:
            Files to remove.
        """
        if not self.files:
            return []
        self.files, surplus = retain(self.files, self.files[-1], self._rules.max_keep)
        return self._exclude_files_of_others(surplus)

    def _read_list(self, is_only: bool) -> list[str]:
        """The list of the checkpoint that the run was resumed from.

        It may come from another program: names that are not those of checkpoints are left out.
        """
        lists: StateDict = self._hub.get_info(_KEPT, {})
        known = lists.get(self._key, {})
        resumed_from = self._hub.get_info("resumed_from")
        is_here = resumed_from is None or self._folder.holds(resumed_from)
        names: list[object] = []
        if known and (is_here or all(known.get(key) == at for key, at in self._place.items())):
            names = known["files"]
        elif not lists and is_only and is_here:  # of a version without lists by name
            numbers = self._hub.get_info("keep_ckpt_ids", [])
            names = [self._folder.template.format(n) for n in numbers if isinstance(n, int)]
        own = [str(name) for name in names if self._folder.has_name_of_one(str(name))]
        return [name for name in own if not self._rules.is_for_ever(self._find_number(name))]

    def _find_number(self, name: str) -> int | None:
        """The epoch or iteration in a name of the template, None in another one."""
        numbers = map(int, re.findall(r"\d+", name))
        return next((n for n in numbers if self._folder.template.format(n) == name), None)

    def _note(self, files: Sequence[str]) -> None:
        known = self._hub.get_info(_KEPT, {})
        self._hub.update_info(_KEPT, {**known, self._key: {**self._place, "files": list(files)}})

    def _note_numbers(self, number: int) -> None:
        """Keep up the list by number, which programs of others read."""
        numbers = [*self._hub.get_info("keep_ckpt_ids", []), number]
        kept = [n for n in dict.fromkeys(numbers) if self._folder.template.format(n) in self.files]
        self._hub.update_info("keep_ckpt_ids", kept)

    def _exclude_files_of_others(self, files: Sequence[str]) -> list[str]:
        """Return the files that no other hook of the run keeps in the same folder."""
        others = [
            set(each["files"])
            for key, each in self._hub.get_info(_KEPT, {}).items()
            if key != self._key and each["folder"] == self._folder.path
        ]
        return [name for name in files if not any(name in each for each in others)]

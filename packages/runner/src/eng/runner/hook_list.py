"""Hooks in the order in which they run, resolved to the stages at which they do something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eng.hooks import Hook, Priority, get_priority

__all__ = ["HookList"]


class HookList:
    """Hooks by priority. Those of equal priority run in the order in which they were added."""

    def __init__(self) -> None:
        self._hooks: list[Hook] = []
        self._resolved: dict[str, list[Callable[..., None]]] = {}

    def __iter__(self) -> Iterator[Hook]:
        return iter(self._hooks)

    def __len__(self) -> int:
        return len(self._hooks)

    def add(self, hook: Hook, priority: int | str | Priority | None = None) -> None:
        """Add a hook.

        Args:
            hook: The hook.
            priority: Its priority. Defaults to None, that of the hook itself.
        """
        if priority is not None:
            hook.priority = priority
        value = get_priority(hook.priority)
        place = len(self._hooks)
        while place and get_priority(self._hooks[place - 1].priority) > value:
            place -= 1
        self._hooks.insert(place, hook)
        self._resolved.clear()

    def at(self, stage: str) -> list[Callable[..., None]]:
        """The methods of hooks that do something at a stage.

        Args:
            stage: Name of the stage, also one of the user's own.

        Returns:
            Bound methods in the order in which they run.
        """
        methods = self._resolved.get(stage)
        if methods is None:
            methods = [getattr(hook, stage) for hook in self._hooks if _acts_at(hook, stage)]
            self._resolved[stage] = methods
        return methods

    def describe(self) -> str:
        """All stages with their hooks, for the log."""
        blocks = []
        for stage in Hook.stages:
            lines = [
                f"({_priority_name(hook):<12}) {type(hook).__name__}"
                for hook in self._hooks
                if _acts_at(hook, stage)
            ]
            if lines:
                blocks.append("\n".join([f"{stage}:", *lines]))
        return "\n -------------------- \n".join(blocks)


def _acts_at(hook: Any, stage: str) -> bool:
    if stage in vars(hook):
        return True
    if isinstance(hook, Hook) and stage in Hook.stages:
        return stage in hook.get_triggered_stages()
    return hasattr(hook, stage)


def _priority_name(hook: Hook) -> str:
    value = get_priority(hook.priority)
    names = {level.value: level.name for level in Priority}
    return names.get(value, str(value))

"""Keys of scalars in the message hub."""

from __future__ import annotations

__all__ = ["DATA_TIME", "TIME", "TRAIN", "ScalarKeys"]


class ScalarKeys(dict[str, str]):
    """Keys by the name or mode in them, each made once: a string keeps its hash.

    Args:
        template: The key, with ``{}`` for the name or mode.
    """

    def __init__(self, template: str) -> None:
        super().__init__()
        self._template = template

    def __missing__(self, name: str) -> str:
        key = self[name] = self._template.format(name)
        return key


#: Of outputs and settings of a training step, by their names.
TRAIN = ScalarKeys("train/{}")
#: Of the times of an iteration, by mode.
TIME, DATA_TIME = ScalarKeys("{}/time"), ScalarKeys("{}/data_time")

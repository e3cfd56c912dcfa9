"""Compare two runs: config, environment, data, losses and samples."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from .batches import BatchRecord, read_batches
from .curves import Curve, read_curves
from .dumped_config import DumpedValue, read_dumped_config
from .log_file import read_environment
from .start import RunNotFoundError, RunStart, find_starts

__all__ = ["Comparison", "Difference", "FirstDifference", "compare_runs"]

#: Keys that name the place of a run, which two runs never share.
_PLACES = ("work_dir", "resume")
#: Scalars that measure the machine.
_MEASURED = ("time", "data_time", "memory", "eta")
MISSING = "(missing)"

#: Values by name, by iteration.
Scalars: TypeAlias = "dict[int, dict[str, object]]"


@dataclass(frozen=True)
class Difference:
    """A setting that differs.

    Attributes:
        key: Its name.
        left: Its value in the first run, as text.
        right: Its value in the second run, as text.
        left_origin: Where the first run has it from, empty if unknown.
        right_origin: Where the second run has it from, empty if unknown.
    """

    key: str
    left: str
    right: str
    left_origin: str = ""
    right_origin: str = ""


@dataclass(frozen=True)
class FirstDifference:
    """The first iteration at which a recorded value differs.

    Attributes:
        iteration: The iteration, from 1.
        name: Name of the value, such as ``loss``.
        left: Its value in the first run, as text.
        right: Its value in the second run, as text.
        before: The last iteration at which all values were recorded and equal, 0 for none.
    """

    iteration: int
    name: str
    left: str
    right: str
    before: int


@dataclass
class Comparison:
    """The differences between two runs.

    Attributes:
        config: Differences of the configs; the reason as text if one cannot be read.
        environment: Differences of versions, devices and processes; the reason as text if the log
            of one run alone has them.
        seed: The difference of the seed, None if it is equal or unknown.
        data: Differences of the training data; None if one run did not record them.
        losses: The first difference of recorded losses; None if there is none.
        scalars: The first difference of other recorded scalars, such as learning rates and metrics;
            None if there is none.
        samples: The first difference of batches; None if there is none, or not recorded.
        compared: Number of iterations at which both runs have scalars.
        batches: Number of iterations whose batches both runs recorded.
    """

    config: list[Difference] | str = field(default_factory=list)
    environment: list[Difference] | str = field(default_factory=list)
    seed: Difference | None = None
    data: list[Difference] | None = None
    losses: FirstDifference | None = None
    scalars: FirstDifference | None = None
    samples: FirstDifference | None = None
    compared: int = 0
    batches: int = 0

    def is_equal(self) -> bool:
        """Return whether nothing differs."""
        settings = (self.config, self.environment, self.seed, self.data)
        return not any((*settings, self.losses, self.scalars, self.samples))


def compare_runs(left: str | Path, right: str | Path) -> Comparison:
    """Compare the newest runs of two work directories.

    Args:
        left: The work directory of the first run, or the folder of one start.
        right: The same of the second run.

    Raises:
        RunNotFoundError: If a directory has no run.
    """
    starts = [find_starts(left), find_starts(right)]
    found = Comparison(config=_compare_configs(starts[0][-1], starts[1][-1]))
    environments = [_read_environments(each) for each in starts]
    differences = _compare_mappings(*environments)
    if all(environments) or not any(environments):
        found.environment = [each for each in differences if "seed" not in each.key]
        found.seed = next((each for each in differences if each.key == "seed"), None)
    else:
        unknown = starts[0 if environments[1] else 1][-1]
        found.environment = f"{unknown.folder} has no log of it"
    records = [read_batches(each) for each in starts]
    if records[0].data and records[1].data:
        found.data = _compare_mappings(records[0].data, records[1].data)
    found.batches = len(records[0].batches.keys() & records[1].batches.keys())
    found.samples = _find_first(*(_list_batches(each) for each in records))
    scalars = [_read_scalars(left), _read_scalars(right)]
    losses = [_choose(each, is_loss=True) for each in scalars]
    if records[0].losses and records[1].losses:  # of each iteration, not averaged
        losses = [each.losses for each in records]
    found.compared = len(losses[0].keys() & losses[1].keys())
    found.losses = _find_first(*losses)
    found.scalars = _find_first(*(_choose(each, is_loss=False) for each in scalars))
    return found


def _compare_configs(left: RunStart, right: RunStart) -> list[Difference] | str:
    """Compare the dumped configs; return the reason if one cannot be read."""
    try:
        values = [_read_config(each) for each in (left, right)]
    except ValueError as error:
        return str(error)
    return [
        Difference(key, _shorten(a.text), _shorten(b.text), a.origin, b.origin)
        for key in dict.fromkeys([*values[0], *values[1]])
        for a, b in [[each.get(key, DumpedValue(MISSING, "")) for each in values]]
        if a.text != b.text and key.partition(".")[0] not in _PLACES
    ]


def _read_config(start: RunStart) -> dict[str, DumpedValue]:
    """Read the config of a run, with the origins that it recorded."""
    if start.config is None:
        raise ValueError(f"{start.folder} has no config")
    values = read_dumped_config(start.config)
    try:
        file = start.folder / "vis_data" / "config.origins"
        origins: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        origins = {}  # not recorded: the lines of the dump are the next best
    if not isinstance(origins, dict):
        return values
    return {
        key: DumpedValue(value.text, str(origins.get(key, value.origin)))
        for key, value in values.items()
    }


def _read_environments(starts: list[RunStart]) -> dict[str, str]:
    logs = [start.log for start in starts if start.log is not None]
    return read_environment(logs[-1]) if logs else {}


def _compare_mappings(left: Mapping[str, object], right: Mapping[str, object]) -> list[Difference]:
    return [
        Difference(key, str(left.get(key, MISSING)), str(right.get(key, MISSING)))
        for key in dict.fromkeys([*left, *right])
        if left.get(key, MISSING) != right.get(key, MISSING)
    ]


def _list_batches(record: BatchRecord) -> Scalars:
    return {step: {"batch": batch} for step, batch in record.batches.items()}


def _read_scalars(path: str | Path) -> Scalars:
    """Read the scalars of a run by iteration, without those that measure the machine."""
    try:
        curves = read_curves(path).curves
    except RunNotFoundError:
        return {}
    table: Scalars = {}
    for name, curve in curves.items():
        if name.rpartition("/")[-1] not in _MEASURED:
            for step, value in _iterate(curve):
                table.setdefault(step, {})[name] = value
    return table


def _choose(table: Scalars, is_loss: bool) -> Scalars:
    """Return the losses of a table, or the other scalars."""
    chosen = {
        step: {name: value for name, value in row.items() if ("loss" in name.lower()) is is_loss}
        for step, row in table.items()
    }
    return {step: row for step, row in chosen.items() if row}


def _iterate(curve: Curve) -> Iterator[tuple[int, float]]:
    yield from zip(curve.steps, curve.values, strict=True)


def _find_first(left: Scalars, right: Scalars) -> FirstDifference | None:
    before = 0
    for step in sorted(left.keys() & right.keys()):
        for name in left[step]:
            if name in right[step] and not _is_same(left[step][name], right[step][name]):
                return FirstDifference(
                    step,
                    name,
                    _shorten(repr(left[step][name])),
                    _shorten(repr(right[step][name])),
                    before,
                )
        before = step
    return None


def _is_same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right


def _shorten(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."

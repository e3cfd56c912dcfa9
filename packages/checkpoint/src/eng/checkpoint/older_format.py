"""Turn a checkpoint into one that MMEngine loads and resumes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import CheckpointError

__all__ = ["Converted", "to_mmengine"]

#: What changes while a scheduler steps. Its settings come from the config of the run, and some of
#: them are of another type there.
_PROGRESS = (
    "base_values",
    "best",
    "cooldown_counter",
    "last_step",
    "num_bad_epochs",
    "_global_step",
    "_last_value",
)
_KEPT = ("meta", "state_dict", "optimizer", "param_schedulers", "ema_state_dict")


class Converted(NamedTuple):
    """A checkpoint in another format, and what is not in it.

    Attributes:
        checkpoint: The checkpoint, which is plain data.
        lost: What the format has no place for, a line each.
    """

    checkpoint: dict[str, Any]
    lost: list[str]


def to_mmengine(checkpoint: Mapping[str, Any]) -> Converted:
    """Return the parts of a checkpoint that MMEngine reads, in its format.

    Args:
        checkpoint: A checkpoint that a run of eng saved.

    Raises:
        CheckpointError: If it has no weights.
    """
    if not isinstance(checkpoint.get("state_dict"), Mapping):
        raise CheckpointError("it has no weights under 'state_dict'")
    found = {key: checkpoint[key] for key in _KEPT if key in checkpoint}
    if "optimizer" in found:
        found["optimizer"] = _convert_optimizer(found["optimizer"])
    if "param_schedulers" in found:
        found["param_schedulers"] = _convert_schedulers(found["param_schedulers"])
    if "message_hub" in checkpoint:
        found["message_hub"] = _convert_hub(checkpoint["message_hub"])
    return Converted(found, _list_lost(checkpoint))


def _convert_optimizer(state: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the name of the class, which eng adds; one state, or one for each name."""
    if "param_groups" in state:
        return {key: value for key, value in state.items() if key != "type"}
    return {
        key: _convert_optimizer(value) if isinstance(value, Mapping) else value
        for key, value in state.items()
    }


def _convert_schedulers(states: Any) -> Any:
    """One state for each scheduler: in a list, or in lists by the name of their optimizer."""
    if isinstance(states, Mapping):
        return {name: _convert_schedulers(inner) for name, inner in states.items()}
    return [{key: state[key] for key in _PROGRESS if key in state} for state in states]


def _convert_hub(hub: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the information of the run. Histories are objects there, which are no plain data."""
    info = OrderedDict(hub.get("runtime_info", {}))
    resumed = hub.get("resumed_keys", {})
    return {
        "log_scalars": OrderedDict(),
        "runtime_info": info,
        "resumed_keys": OrderedDict((key, resumed.get(key, True)) for key in info),
    }


def _list_lost(checkpoint: Mapping[str, Any]) -> list[str]:
    lost = []
    if "train_state" in checkpoint:
        lost.append("random numbers and the position in the data, so the run resumes not exactly")
    histories = checkpoint.get("message_hub", {}).get("log_scalars", {})
    if histories:
        lost.append(f"{len(histories)} histories of scalars, so averages in the log begin anew")
    if _counts_steps(checkpoint.get("param_schedulers", [])):
        lost.append("schedules by steps of the optimizer, which MMEngine counts as iterations")
    others = set(checkpoint) - {*_KEPT, "message_hub", "train_state"}
    return [*lost, *(f"the entry {key!r}, which MMEngine does not know" for key in sorted(others))]


def _counts_steps(states: Any) -> bool:
    if isinstance(states, Mapping):
        return any(_counts_steps(inner) for inner in states.values())
    return any(state.get("by_optimizer_step", False) for state in states)

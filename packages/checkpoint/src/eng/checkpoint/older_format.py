"""Convert a checkpoint to one that MMEngine loads and resumes from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from eng.utils import StateDict

from .errors import CheckpointError

__all__ = ["Converted", "to_mmengine"]

#: Attributes that change while a scheduler steps. Its arguments come from the config of the run;
#: some of them have another type in MMEngine.
_PROGRESS = (
    "base_values",
    "best",
    "cooldown_counter",
    "last_step",
    "num_bad_epochs",
    "_global_step",
    "_last_value",
)
#: States of schedulers: a list, or lists by the name of their optimizer.
SchedulerStates: TypeAlias = "list[StateDict] | Mapping[str, SchedulerStates]"

_KEPT = ("meta", "state_dict", "optimizer", "param_schedulers", "ema_state_dict")


class Converted(NamedTuple):
    """A checkpoint in another format, and the state that was lost.

    Attributes:
        checkpoint: The checkpoint as plain data.
        lost: State that the format does not support, one line each.
    """

    checkpoint: StateDict
    lost: list[str]


def to_mmengine(checkpoint: StateDict) -> Converted:
    """Return the parts of a checkpoint that MMEngine reads, in its format.

    Args:
        checkpoint: A checkpoint that a run of eng saved.

    Raises:
        CheckpointError: If it has no ``state_dict``.
    """
    if not isinstance(checkpoint.get("state_dict"), Mapping):
        raise CheckpointError("no state_dict found")
    found = {key: checkpoint[key] for key in _KEPT if key in checkpoint}
    if "optimizer" in found:
        found["optimizer"] = _convert_optimizer(found["optimizer"])
    if "param_schedulers" in found:
        found["param_schedulers"] = _convert_schedulers(found["param_schedulers"])
    if "message_hub" in checkpoint:
        found["message_hub"] = _convert_hub(checkpoint["message_hub"])
    return Converted(found, _list_lost(checkpoint))


def _convert_optimizer(state: Mapping[str, object]) -> StateDict:
    """Drop the class name that eng adds, from one state or from the states by name."""
    if "param_groups" in state:
        return {key: value for key, value in state.items() if key != "type"}
    return {
        key: _convert_optimizer(value) if isinstance(value, Mapping) else value
        for key, value in state.items()
    }


def _convert_schedulers(states: SchedulerStates) -> SchedulerStates:
    if isinstance(states, Mapping):
        return {name: _convert_schedulers(inner) for name, inner in states.items()}
    return [{key: state[key] for key in _PROGRESS if key in state} for state in states]


def _convert_hub(hub: StateDict) -> StateDict:
    """Keep the runtime info. Histories are dropped: MMEngine saves them as objects."""
    info = OrderedDict(hub.get("runtime_info", {}))
    resumed = hub.get("resumed_keys", {})
    return {
        "log_scalars": OrderedDict(),
        "runtime_info": info,
        "resumed_keys": OrderedDict((key, resumed.get(key, True)) for key in info),
    }


def _list_lost(checkpoint: StateDict) -> list[str]:
    lost = []
    if "train_state" in checkpoint:
        lost.append(
            "random state and the position in the training data, so the run does not resume exactly"
        )
    histories = checkpoint.get("message_hub", {}).get("log_scalars", {})
    if histories:
        lost.append(
            f"{len(histories)} histories of scalars, so averages in the log start from scratch"
        )
    if _counts_steps(checkpoint.get("param_schedulers", [])):
        lost.append("schedules by optimizer steps, which MMEngine counts as iterations")
    others = set(checkpoint) - {*_KEPT, "message_hub", "train_state"}
    return [*lost, *(f"the entry {key!r}, which is unknown to MMEngine" for key in sorted(others))]


def _counts_steps(states: SchedulerStates) -> bool:
    if isinstance(states, Mapping):
        return any(_counts_steps(inner) for inner in states.values())
    return any(state.get("by_optimizer_step", False) for state in states)

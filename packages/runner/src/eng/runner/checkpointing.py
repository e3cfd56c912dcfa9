"""What a checkpoint of a run holds, and how a run goes on from it."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    full_optimizer_state,
    get_state_dict,
    is_sharded,
    load_full_optimizer_state,
    load_state_dict,
    model_state,
    save_checkpoint,
    weights_to_cpu,
)
from eng.dist import all_gather_object, get_rank, get_world_size, is_main_process
from eng.fileio import join_path
from eng.optim import OptimWrapper, OptimWrapperDict

from .data_position import reseed
from .random_state import get_random_state, set_random_state

if TYPE_CHECKING:
    from .runner import Runner

__all__ = ["load_weights", "resume_run", "save_run"]


def save_run(
    runner: Runner,
    out_dir: str,
    filename: str,
    *,
    save_optimizer: bool,
    save_param_scheduler: bool,
    meta: Mapping[str, Any],
    backend_args: dict[str, Any] | None,
) -> None:
    """Save the state of a run. Called in all processes; the first one writes.

    Args:
        runner: The runner.
        out_dir: Where.
        filename: Under which name.
        save_optimizer: Whether with the state of the optimizer.
        save_param_scheduler: Whether with that of the schedulers.
        meta: What the checkpoint says of itself, ``epoch`` and ``iter`` among it.
        backend_args: Settings of the storage.
    """
    random_states = all_gather_object(get_random_state())
    # A sharded model and its optimizer are put together by all processes.
    weights = get_state_dict(runner.model)
    optimizer = _optimizer_state(runner) if save_optimizer else None
    if not is_main_process():
        # Hooks add what belongs to the whole run; they must run wherever they may communicate.
        runner.call_hook("before_save_checkpoint", checkpoint={"state_dict": weights})
        return
    checkpoint: dict[str, Any] = {
        "meta": {
            "experiment_name": runner.experiment_name,
            "time": time.strftime("%Y%m%d_%H%M%S"),
            "seed": runner.seed,
            "world_size": get_world_size(),
            "cfg": runner.cfg.pretty_text,
            **meta,
        },
        "state_dict": weights_to_cpu(weights),
        "message_hub": runner.message_hub.state_dict(),
        "train_state": {
            "loop": runner.train_loop.state_dict(meta["epoch"], meta["iter"])
            if hasattr(runner.train_loop, "state_dict")
            else {"epoch": meta["epoch"], "iter": meta["iter"]},
            "random": random_states,
        },
    }
    if optimizer is not None:
        checkpoint["optimizer"] = optimizer
    if save_param_scheduler and runner.param_schedulers:
        checkpoint["param_schedulers"] = _scheduler_states(runner.param_schedulers)
    runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
    save_checkpoint(
        checkpoint,
        join_path(out_dir, filename, backend_args=backend_args),
        backend_args=backend_args,
    )


def load_weights(
    runner: Runner, filename: str, map_location: Any, strict: bool, revise_keys: Any
) -> dict[str, Any]:
    """Load the weights of a checkpoint into the model of a run.

    Args:
        runner: The runner.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`.
        strict: Whether it is an error if something does not fit.
        revise_keys: Pairs of a regular expression and its replacement for the names.

    Returns:
        The checkpoint.
    """
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location, runner.logger)
    state = model_state(checkpoint, filename, revise_keys)
    checkpoint = (
        {**checkpoint, "state_dict": state} if "state_dict" in checkpoint else {"state_dict": state}
    )
    # Before the weights are taken over, since hooks exchange them, as that of averaged weights.
    runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)
    load_state_dict(runner.model, checkpoint["state_dict"], strict, runner.logger)
    return checkpoint


def resume_run(
    runner: Runner, filename: str, *, optimizer: bool, param_scheduler: bool, map_location: Any
) -> None:
    """Make a run go on from where a checkpoint was saved.

    Args:
        runner: The runner.
        filename: Path or address of the checkpoint.
        optimizer: Whether with the state of the optimizer.
        param_scheduler: Whether with that of the schedulers.
        map_location: As for :func:`torch.load`.

    Raises:
        CheckpointError: If the checkpoint does not say how far the run had come.
    """
    checkpoint = load_weights(runner, filename, map_location, False, [(r"^module\.", "")])
    meta = checkpoint.get("meta")
    if not isinstance(meta, Mapping) or "epoch" not in meta or "iter" not in meta:
        raise CheckpointError(
            f"{filename!r} has weights but no 'meta' with epoch and iter: it can be loaded with "
            "load_from=..., but not resumed"
        )
    train_state = checkpoint.get("train_state", {})
    saved_seed = meta.get("seed")
    if saved_seed is not None and saved_seed != runner.seed:
        runner.logger.warning(
            f"The run goes on with seed {saved_seed} of the checkpoint, not {runner.seed}."
        )
        runner.set_randomness(**{**runner._randomness_cfg, "seed": saved_seed})
        reseed(runner.train_dataloader, saved_seed)
    loop_state = {**train_state.get("loop", {}), "epoch": meta["epoch"], "iter": meta["iter"]}
    _load_loop(runner.train_loop, loop_state)
    runner.message_hub.load_state_dict(checkpoint.get("message_hub", {}))
    if optimizer and "optimizer" in checkpoint:
        _load_optimizer(runner, checkpoint["optimizer"])
    if param_scheduler and "param_schedulers" in checkpoint and runner.param_schedulers:
        _load_schedulers(runner.param_schedulers, checkpoint["param_schedulers"])
    world_size = meta.get("world_size", get_world_size())
    if world_size != get_world_size():
        runner.logger.warning(
            f"The checkpoint was saved by {world_size} processes, now there are {get_world_size()}."
        )
    states = train_state.get("random", [])
    if get_rank() < len(states):
        set_random_state(states[get_rank()])
    runner.logger.info(f"Resumed from {filename}: epoch {meta['epoch']}, iter {meta['iter']}.")


def _optimizer_state(runner: Runner) -> dict[str, Any]:
    wrapper = runner.optim_wrapper
    if not is_sharded(runner.model):
        return wrapper.state_dict()
    if isinstance(wrapper, OptimWrapperDict):
        return {name: _gathered(runner, each) for name, each in wrapper.items()}
    return _gathered(runner, wrapper)


def _gathered(runner: Runner, wrapper: OptimWrapper) -> dict[str, Any]:
    """What a wrapper saves, with the state of its optimizer put together from all processes."""
    return {**wrapper.state_dict(), **full_optimizer_state(runner.model, wrapper.optimizer)}


def _load_optimizer(runner: Runner, state: dict[str, Any]) -> None:
    wrapper = runner.optim_wrapper
    if not is_sharded(runner.model):
        wrapper.load_state_dict(state)
        return
    pairs = (
        [(each, state[name]) for name, each in wrapper.items() if name in state]
        if isinstance(wrapper, OptimWrapperDict)
        else [(wrapper, state)]
    )
    for each, saved in pairs:
        load_full_optimizer_state(runner.model, each.optimizer, saved)
        # What else the wrapper saves, with its part of the optimizer's state as it has it now.
        each.load_state_dict({**saved, **each.optimizer.state_dict()})


def _load_loop(loop: Any, state: dict[str, Any]) -> None:
    if hasattr(loop, "load_state_dict"):
        loop.load_state_dict(state)
    else:
        loop._epoch, loop._iter = state["epoch"], state["iter"]


def _scheduler_states(schedulers: Any) -> Any:
    if isinstance(schedulers, dict):
        return {name: [each.state_dict() for each in group] for name, group in schedulers.items()}
    return [each.state_dict() for each in schedulers]


def _load_schedulers(schedulers: Any, states: Any) -> None:
    pairs = (
        [(schedulers[name], states[name]) for name in schedulers if name in states]
        if isinstance(schedulers, dict)
        else [(schedulers, states)]
    )
    for group, saved in pairs:
        if len(group) != len(saved):
            raise CheckpointError(
                f"the checkpoint has the state of {len(saved)} parameter schedulers, "
                f"the config has {len(group)}"
            )
        for scheduler, state in zip(group, saved, strict=True):
            scheduler.load_state_dict(copy.deepcopy(state))

"""Spread a model over processes: split, recompute, compile, shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from eng.registry import MODEL_WRAPPERS, PartConfig

from ..initial_values import share_initial_values
from .compiling import compile_forward, compile_parts
from .find_parts import UnknownPartError, find_parts
from .recompute import recompute_parts
from .settings import ParallelSettings, ParallelSettingsError, parse_dtype
from .tensor_plan import apply_tensor_plan, find_tensor_plan, wait_for_outputs

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["check_parallel_parts", "parallelize", "wrap_for_processes"]


def parallelize(
    model: nn.Module,
    settings: ParallelSettings,
    mesh: DeviceMesh,
    find_unused_parameters: bool = False,
) -> nn.Module:
    """Spread a model over processes. Called in all processes together.

    In this order: layers of the tensor plan are split, activations are recomputed, blocks are
    compiled, and parameters are sharded.

    Args:
        model: The model, on its device, or on the meta device if nothing is split. It is changed.
        settings: The settings.
        mesh: A mesh of :func:`eng.dist.init_mesh` with their sizes.
        find_unused_parameters: That setting of :class:`MMDistributedDataParallel`. Defaults to
            False.

    Returns:
        The wrapped model: :class:`MMFullyShard`, or, with replicas alone,
        :class:`MMDistributedDataParallel`.

    Raises:
        ParallelSettingsError: If the settings do not fit the model.
        UnknownPartError: If the model lacks a part that is named.
    """
    styles = check_parallel_parts(model, settings, mesh["tensor"].size())
    dtype = parse_dtype(settings.mixed_precision.get("params"), "params")
    if dtype is not None:
        _cast_parameters(model, dtype)
    if mesh["tensor"].size() > 1:
        share_initial_values(model)
        apply_tensor_plan(model, styles, mesh["tensor"])
        _compile_split(model, settings, styles)
    recompute_parts(_find("checkpoint_activations", model, settings.checkpoint_activations))
    compile_parts(_find_compiled(model, settings), **settings.compile_arguments()[1])
    only_replicas = mesh["shard"].size() == mesh["tensor"].size() == 1
    if only_replicas and not settings.mixed_precision and not settings.cpu_offload:
        return wrap_for_processes(model, {}, find_unused_parameters)
    return _shard(model, settings, mesh)


def check_parallel_parts(
    model: nn.Module, settings: ParallelSettings, tensor: int | None = None
) -> dict[str, Any]:
    """Look up all names of parts before a model is changed.

    Args:
        model: The model, without wrappers. It may be on the meta device.
        settings: The settings.
        tensor: Number of processes that layers are split over. Defaults to None: that of the
            settings, or 1 where it is ``'rest'``.

    Returns:
        The tensor plan: styles by the names of layers; empty if nothing is split.

    Raises:
        ParallelSettingsError: If the settings do not fit the model.
        UnknownPartError: If the model lacks a part that is named.
    """
    if tensor is None:
        tensor = settings.tensor if isinstance(settings.tensor, int) else 1
    _find("wrap", model, settings.wrap)
    recomputed = _find("checkpoint_activations", model, settings.checkpoint_activations)
    compiled = _find_compiled(model, settings)
    if tensor > 1:
        inside = {each for part in compiled for each in part.modules() if each is not part}
        if not inside.isdisjoint(recomputed):
            raise ParallelSettingsError(
                "parallel: torch cannot compile the recomputation of parts with split layers: let "
                "compile and checkpoint_activations name the same parts, or leave out one of them"
            )
    if tensor > 1 or settings.tensor_plan:
        return find_tensor_plan(model, settings.tensor_plan, tensor)
    return {}


def wrap_for_processes(
    model: nn.Module, cfg: PartConfig, find_unused_parameters: bool
) -> nn.Module:
    """Wrap a model for several processes.

    Args:
        model: The model, on its device.
        cfg: Config of the wrapper, whose ``type`` defaults to ``MMDistributedDataParallel``.
        find_unused_parameters: Default of that setting of ``MMDistributedDataParallel``.

    Returns:
        The wrapper.
    """
    settings = {"type": "MMDistributedDataParallel", **cfg}
    if settings["type"] == "MMDistributedDataParallel":
        settings.setdefault("broadcast_buffers", False)
        settings.setdefault("find_unused_parameters", find_unused_parameters)
        if torch.cuda.is_available():
            settings.setdefault("device_ids", [torch.cuda.current_device()])
    return MODEL_WRAPPERS.build(settings, default_args={"module": model})


def _find(setting: str, model: nn.Module, names: Any) -> list[nn.Module]:
    return find_parts(model, names, f"parallel: {setting}")


def _find_compiled(model: nn.Module, settings: ParallelSettings) -> list[nn.Module]:
    names, _ = settings.compile_arguments()
    if names is None:
        return []
    if names == ["model"]:
        return [model]
    if names == ["blocks"]:
        names = list(settings.wrap) or names
    try:
        return _find("compile", model, names)
    except UnknownPartError as error:
        if names != ["blocks"]:
            raise
        raise ParallelSettingsError(
            "parallel: compile='blocks' compiles the parts of wrap, which is not set, or those in "
            f"the part 'blocks', which {type(model).__name__} does not have: set wrap, or compile "
            "to the name of a class"
        ) from error


def _compile_split(model: nn.Module, settings: ParallelSettings, styles: dict[str, Any]) -> None:
    """Compile what torch 2.13 otherwise computes wrongly with split layers, or cannot compile."""
    compiled = _find_compiled(model, settings)
    inside = {layer for part in compiled for layer in part.modules()}
    if compiled:
        split = (model.get_submodule(name) for name in styles)
        wait_for_outputs(layer for layer in split if layer not in inside)
    for part in _find("checkpoint_activations", model, settings.checkpoint_activations):
        if part in compiled:  # within its recomputation, which is not compiled then
            compile_forward(part, **settings.compile_arguments()[1])


def _cast_parameters(model: nn.Module, dtype: torch.dtype) -> None:
    """Convert the parameters alone: statistics of norms need more digits."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)


def _shard(model: nn.Module, settings: ParallelSettings, mesh: DeviceMesh) -> nn.Module:
    from ..wrappers.sharded import MMFullyShard  # slow to import

    parts = set(_find("wrap", model, settings.wrap))
    more: dict[str, Any] = {}
    if settings.reshard_after_forward is not None:
        more["reshard_after_forward"] = settings.reshard_after_forward
    axes = ("data", "shard") if mesh["data"].size() > 1 else ("shard",)
    return MMFullyShard(
        model,
        fsdp_auto_wrap_policy=_policy_of(parts) if parts else None,
        mesh=mesh[axes],
        mixed_precision=_read_policy(settings),
        cpu_offload=settings.cpu_offload,
        sync_accumulation=settings.sync_accumulation,
        **more,
    )


def _policy_of(parts: set[nn.Module]) -> Any:
    def choose(module: nn.Module, recurse: bool, nonwrapped_numel: int) -> bool:
        return recurse or module in parts

    return choose


def _read_policy(settings: ParallelSettings) -> dict[str, object] | None:
    """Read the mixed precision of sharded parts.

    Pure parameters of a dtype take inputs of it.
    """
    policy = {
        name: value if name == "cast_forward_inputs" else parse_dtype(value, name)
        for name, value in settings.mixed_precision.items()
        if name != "params"
    }
    own = parse_dtype(settings.mixed_precision.get("params"), "params")
    if own is not None and policy.get("param_dtype") is None:
        policy["param_dtype"] = own
    return policy or None

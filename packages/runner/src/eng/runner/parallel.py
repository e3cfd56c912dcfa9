"""Spread the model of a run over processes by the setting ``parallel`` of its config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from eng.dist import get_mesh, get_world_size, init_mesh, use_mesh
from eng.model import ParallelSettings, parallelize, wrap_for_processes
from eng.registry import PartConfig

from .errors import RunnerConfigError
from .types import Settings

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["check_parallel", "join_mesh", "keep_wrapper", "wrap_for_run"]


def check_parallel(cfg: Settings) -> ParallelSettings | None:
    """Read ``parallel`` of a config.

    Args:
        cfg: The config of the run.

    Returns:
        The settings, None without them.

    Raises:
        RunnerConfigError: If ``model_wrapper_cfg`` or ``compile`` is set as well, or one that is
            the same under another name.
        ParallelSettingsError: If a setting is unknown or invalid.
    """
    given = cfg.get("parallel")
    if given is None:
        return None
    settings = ParallelSettings.parse(given)
    if cfg.get("model_wrapper_cfg") is not None:
        raise RunnerConfigError(
            "parallel and model_wrapper_cfg both say how the model is wrapped: set one of them"
        )
    if settings.compile_arguments()[0] is not None and cfg.get("compile"):
        raise RunnerConfigError(
            "parallel.compile and compile both say what is compiled: set one of them"
        )
    return settings


def join_mesh(cfg: Settings) -> DeviceMesh | None:
    """Make the mesh of a run and use it in this process. Called in all processes together.

    Args:
        cfg: The config of the run.

    Returns:
        The mesh; None in a single process, or without ``parallel``.

    Raises:
        ParallelSettingsError: If the sizes do not fit the number of processes.
    """
    settings, mesh = check_parallel(cfg), None
    if settings is not None and get_world_size() > 1:
        mesh = init_mesh(settings.sizes(get_world_size()))
    use_mesh(mesh)
    return mesh


def keep_wrapper(model: nn.Module, cfg: Settings) -> nn.Module:
    """Refuse a model that is wrapped already where the config says how to wrap it.

    Args:
        model: The wrapped model.
        cfg: The config of the run.

    Returns:
        The model.

    Raises:
        RunnerConfigError: If ``parallel`` is set and there are several processes.
    """
    if get_mesh() is not None and cfg.get("parallel") is not None:
        raise RunnerConfigError(
            f"parallel cannot spread a {type(model).__name__}, which is wrapped already: give the "
            "runner the model without a wrapper, or remove parallel"
        )
    return model


def wrap_for_run(model: nn.Module, wrapper_cfg: PartConfig | None, cfg: Settings) -> nn.Module:
    """Wrap a model for several processes by the config of a run.

    Args:
        model: The model, on its device.
        wrapper_cfg: Config of the wrapper, None without one.
        cfg: The config of the run.

    Returns:
        The wrapper.
    """
    unused = cfg.get("find_unused_parameters", False)
    settings, mesh = check_parallel(cfg), get_mesh()
    if settings is None or mesh is None:
        return wrap_for_processes(model, wrapper_cfg or {}, unused)
    return parallelize(model, settings, mesh, unused)

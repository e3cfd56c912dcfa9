"""Initialize the distributed environment of a launcher."""

import warnings
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as torch_dist

from eng.device import get_device

from .attempt import with_store_of_attempt
from .failure import forget_failures, watch_this_process
from .launchers import Place, find_place

__all__ = ["init_dist"]

_DEVICE_BACKENDS = {"cuda": "nccl", "npu": "hccl", "mlu": "cncl"}


def init_dist(
    launcher: str, backend: str | None = "nccl", init_backend: str = "torch", **kwargs: Any
) -> None:
    """Initialize the distributed environment of a launcher.

    Args:
        launcher: ``pytorch`` (torchrun), ``slurm`` or ``mpi`` (Open MPI, Intel MPI).
        backend: ``nccl``, ``gloo``, ``mpi``, ``smddp``, ``hccl``, ``cncl``, or any other backend of
            PyTorch. Without a CUDA device, ``nccl`` falls back to the backend of the available
            device (gloo on a CPU), with a warning; None chooses that without a warning.
        init_backend: Library that creates the process group: ``torch``, ``deepspeed`` or
            ``colossalai``.
        **kwargs: For ``torch.distributed.init_process_group``. ``timeout`` may be a number of
            seconds; ``port`` is that of the rendezvous for slurm and mpi if ``MASTER_PORT`` is not
            set.

    Raises:
        ValueError: If the launcher, backend or library is unknown, or a variable is not a valid
            number.
        ImportError: If the library is not installed.
        MissingVariableError: If an environment variable of the launcher is missing; names it.
        RuntimeError: If the environment is already initialized, or the port is in use.
    """
    if init_backend not in _LIBRARIES:
        raise ValueError(
            f"init_backend must be one of {', '.join(_LIBRARIES)}, not {init_backend!r}"
        )
    place = find_place(launcher, kwargs.pop("port", None))
    if torch_dist.is_initialized():
        raise RuntimeError("the distributed environment is already initialized")
    if kwargs.get("timeout") is None:
        kwargs.pop("timeout", None)
    elif not isinstance(kwargs["timeout"], timedelta):
        kwargs["timeout"] = timedelta(seconds=kwargs["timeout"])
    name = _choose_backend(backend)
    place.export()
    _select_device(place)
    forget_failures()
    try:
        _LIBRARIES[init_backend](name, kwargs)
    except RuntimeError as error:  # a DistNetworkError for sockets
        if "EADDRINUSE" in str(error) or "address already in use" in str(error).lower():
            raise RuntimeError(
                f"address already in use: port {place.port} on {place.address}. Set MASTER_PORT to "
                "a free port"
            ) from error
        raise
    watch_this_process()


def _init_by_torch(name: str, kwargs: dict[str, Any]) -> None:
    torch_dist.init_process_group(backend=name, **with_store_of_attempt(name, kwargs))


def _init_by_deepspeed(name: str, kwargs: dict[str, Any]) -> None:
    import deepspeed  # type: ignore[import-not-found,unused-ignore]

    deepspeed.init_distributed(dist_backend=name, **kwargs)


def _init_by_colossalai(name: str, kwargs: dict[str, Any]) -> None:
    import colossalai  # type: ignore[import-not-found,unused-ignore]

    # It reads the exported variables of torchrun.
    colossalai.launch_from_torch(backend=name, **kwargs)


_LIBRARIES = {
    "torch": _init_by_torch,
    "deepspeed": _init_by_deepspeed,
    "colossalai": _init_by_colossalai,
}


def _choose_backend(backend: str | None) -> str:
    if backend is None:
        return _DEVICE_BACKENDS.get(get_device(), "gloo")
    name = backend.lower()
    if name == "nccl" and not torch.cuda.is_available():
        name = _DEVICE_BACKENDS.get(get_device(), "gloo")
        warnings.warn(f"no CUDA device is available: using {name} instead of nccl", stacklevel=3)
    if name == "smddp":
        import smdistributed.dataparallel.torch.torch_smddp  # type: ignore[import-not-found] # noqa: F401 - registers the backend
    known = [known.lower() for known in torch_dist.Backend.backend_list if known != "undefined"]
    parts = [part.rpartition(":")[2] for part in name.split(",")]
    for part in parts:
        if part not in known:
            raise ValueError(f"unknown backend {part!r}, expected one of: {', '.join(known)}")
    return name


def _select_device(place: Place) -> None:
    kind = get_device()
    if kind in ("cuda", "npu", "mlu"):
        module = getattr(torch, kind)
        module.set_device(place.local_rank % module.device_count())

"""Build the model of a run, and wrap it for several processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from eng.dataset import RawRandomState
from eng.device import get_device
from eng.dist import get_mesh
from eng.logging import print_log
from eng.model import DeferralError, DeferredValues, Recording
from eng.registry import PartConfig, PartOrConfig

from .builders import synchronise_norms
from .errors import RunnerConfigError
from .parallel import check_parallel, wrap_for_run
from .types import Settings

__all__ = ["ModelBuild"]


class ModelBuild:
    """Builds a model and wraps it.

    Where ``parallel`` splits or shards a model that is given as a config, it is built on the meta
    device, and gets its values afterwards.

    Args:
        cfg: The config of the run.
        model: The model or its config.
    """

    def __init__(self, cfg: Settings, model: PartOrConfig[nn.Module]) -> None:
        self._cfg = cfg
        settings, mesh = check_parallel(cfg), get_mesh()
        is_split = mesh is not None and mesh["shard"].size() * mesh["tensor"].size() > 1
        is_wanted = settings is not None and settings.meta_device and is_split
        self._recording = Recording() if is_wanted and not isinstance(model, nn.Module) else None

    def build(self, make: Callable[[], nn.Module]) -> nn.Module:
        """Build the model; as a whole, with a warning, if it needs the values of large tensors.

        Args:
            make: Builds it.

        Returns:
            The model.
        """
        random_numbers = RawRandomState()
        try:
            with self._recorded():
                return make()
        except DeferralError as error:
            print_log(
                f"The model is built whole in each process before it is sharded, since {error}.",
                logger="current",
                level=logging.WARNING,
            )
        self._recording = None
        random_numbers.restore()
        return make()

    def wrap(
        self,
        model: nn.Module,
        wrapper_cfg: PartConfig | None,
        is_distributed: bool,
        initialize: Callable[[nn.Module], None] | None,
    ) -> nn.Module:
        """Move the model to its device and, with several processes, wrap it.

        Args:
            model: The model, without a wrapper.
            wrapper_cfg: Config of the wrapper, None for that of ``parallel`` or the default.
            is_distributed: Whether there are several processes.
            initialize: Initialises the weights, before wrappers broadcast the values of the first
                process or shard them. None leaves them as they are.

        Returns:
            The model, or its wrapper.

        Raises:
            RunnerConfigError: If the model was built on the meta device and cannot be filled.
        """
        device = torch.device(get_device())
        with self._recorded():
            model = model.to(device)
            model = synchronise_norms(model, is_distributed, self._cfg.get("sync_bn"))
            if not is_distributed:
                return model
            if initialize is not None:
                initialize(model)
        recording, self._recording = self._recording, None
        values = None if recording is None else DeferredValues(recording, model)
        wrapped = wrap_for_run(model, wrapper_cfg, self._cfg)
        try:
            if values is not None:
                values.fill(wrapped, device)
        except DeferralError as error:
            raise RunnerConfigError(
                f"parallel: the model cannot be built on the meta device, since {error}: set "
                "meta_device=False in parallel, to build it whole in each process"
            ) from error
        return wrapped

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Build and change the model in a context without its values."""
        if self._recording is None:
            yield
            return
        with self._recording.active():
            yield

"""Strategy for several processes, each with the whole model."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from eng.config import Config
from eng.dl_utils import is_model_wrapper
from eng.model import wrap_for_processes
from eng.registry import STRATEGIES, PartConfig
from eng.utils import override

from .. import builders
from .single_device import SingleDeviceStrategy

__all__ = ["DDPStrategy"]


@STRATEGIES.register_module()
class DDPStrategy(SingleDeviceStrategy):
    """Trains in several processes, which average their gradients.

    Args:
        model_wrapper: Config of the wrapper, whose ``type`` defaults to
            ``MMDistributedDataParallel``. Defaults to None.
        sync_bn: Implementation of synchronised batch normalisation, ``'torch'`` or ``'mmcv'``, to
            which batch normalisation is converted. Defaults to None: it stays as it is.
        **kwargs: Arguments of :class:`BaseStrategy`.

    Raises:
        RunnerConfigError: If there is neither a launcher nor a process group.
    """

    needs_processes = True
    #: Whether ``model_wrapper_cfg`` of a run is that of the strategy as well.
    _takes_model_wrapper = True

    def __init__(
        self,
        *,
        model_wrapper: PartConfig | None = None,
        sync_bn: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_wrapper = copy.deepcopy(model_wrapper)
        self.sync_bn = sync_bn
        self.find_unused_parameters = False

    @override
    def follow(self, cfg: Config) -> None:
        """Serve a runner, and take settings of its config where nothing else is set.

        Args:
            cfg: The config of its run, perhaps with ``model_wrapper_cfg``, ``sync_bn`` and
                ``find_unused_parameters``, as for :class:`eng.runner.Runner`.
        """
        super().follow(cfg)
        if self.model_wrapper is None and self._takes_model_wrapper:
            self.model_wrapper = copy.deepcopy(cfg.get("model_wrapper_cfg"))
        if self.sync_bn is None:
            self.sync_bn = cfg.get("sync_bn")
        self.find_unused_parameters = cfg.get("find_unused_parameters", False)

    @override
    def convert_model(self, model: nn.Module) -> nn.Module:
        """Convert layers of a model to those of the strategy.

        Args:
            model: The model.

        Returns:
            The model, with synchronised batch normalisation if that was asked for.
        """
        return builders.synchronise_norms(model, True, self.sync_bn)

    @override
    def _prepare_model(self, model: nn.Module) -> nn.Module:
        if is_model_wrapper(model):
            return model
        model = self.convert_model(self._move(model))
        # Before it is wrapped, since wrappers broadcast the values of the first process.
        self._init_weights(model)
        return self._wrap_model(model)

    def _wrap_model(self, model: nn.Module) -> nn.Module:
        return wrap_for_processes(model, self.model_wrapper or {}, self.find_unused_parameters)

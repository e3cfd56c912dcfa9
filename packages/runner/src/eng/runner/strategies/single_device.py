"""Strategy for one device."""

from __future__ import annotations

from torch import nn

from eng.device import get_device
from eng.model import revert_sync_batchnorm
from eng.optim import BaseOptimWrapper
from eng.registry import STRATEGIES, PartOrConfig
from eng.utils import override

from ..types import OptimizerOrConfig, SchedulersOrConfigs, Settings
from .base import BaseStrategy, Prepared
from .sizes import TrainingSizes

__all__ = ["SingleDeviceStrategy"]


@STRATEGIES.register_module()
class SingleDeviceStrategy(BaseStrategy):
    """Trains on one device: synchronised batch normalisation is reverted.

    Args:
        work_dir: Directory for checkpoints and logs. Defaults to ``'work_dirs'``.
        experiment_name: Name of the experiment, to which the time is added. Defaults to None.
        env_kwargs: Settings of processes and seeds, see :class:`BaseStrategy`. Defaults to None.
        log_kwargs: Arguments of :meth:`build_logger`. Defaults to None.
        auto_scale_lr: ``enable`` and ``base_batch_size``. Defaults to None.

    Examples:
        >>> strategy = SingleDeviceStrategy(work_dir='runs/own_loop')
        >>> model, optim_wrapper = strategy.prepare(
        ...     nn.Linear(2, 1), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)))
        >>> optim_wrapper.get_lr()
        {'lr': [0.1]}
    """

    @override
    def prepare(
        self,
        model: PartOrConfig[nn.Module],
        *,
        optim_wrapper: OptimizerOrConfig | None = None,
        param_scheduler: SchedulersOrConfigs | None = None,
        compile: bool | Settings = False,
        dispatch_kwargs: Settings | None = None,
    ) -> Prepared:
        if dispatch_kwargs is not None:
            self._sizes = TrainingSizes(dispatch_kwargs)
        if self.model is None:
            self.model = self.compile_model(self._prepare_model(self.build_model(model)), compile)
        if optim_wrapper is not None and self.optim_wrapper is None:
            self._prepare_optimizer(optim_wrapper)
        return self._finish_preparing(param_scheduler)

    def convert_model(self, model: nn.Module) -> nn.Module:
        """Convert layers of a model to those of the strategy.

        Args:
            model: The model.

        Returns:
            The model without synchronised batch normalisation.
        """
        return revert_sync_batchnorm(model)

    def _prepare_model(self, model: nn.Module) -> nn.Module:
        """Move a model to its device, initialise and wrap it."""
        model = self.convert_model(self._move(model))
        self._init_weights(model)
        return model

    def _move(self, model: nn.Module) -> nn.Module:
        return model.to(get_device())

    def _prepare_optimizer(self, optim_wrapper: OptimizerOrConfig) -> None:
        built: BaseOptimWrapper = self.build_optim_wrapper(optim_wrapper, self.model)
        self._count_iterations(built, self.model)
        self._scale_learning_rate(built)
        self.optim_wrapper = built

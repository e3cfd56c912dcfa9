"""Data parallel training in several processes."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn
from torch.nn.parallel.distributed import DistributedDataParallel

from eng.optim import OptimWrapper
from eng.registry import MODEL_WRAPPERS
from eng.utils import override

from ..base_model.steps import take_train_step
from .anomaly import detect_anomalous_params
from .model_steps import ModelSteps

__all__ = ["MMDistributedDataParallel"]

#: Newer releases of torch warn of the older name.
_HAS_FORWARD_SYNC = (
    "forward_sync_buffers" in inspect.signature(DistributedDataParallel.__init__).parameters
)


@MODEL_WRAPPERS.register_module()
class MMDistributedDataParallel(ModelSteps, DistributedDataParallel):
    """:class:`~torch.nn.parallel.DistributedDataParallel` for a :class:`BaseModel`.

    Its steps are those of the model, with the forward pass of training going through torch's
    wrapper so that gradients are shared.

    Args:
        module: The model.
        detect_anomalous_params: Whether each step logs the parameters that have no part in the
            loss; slow, for debugging. Defaults to False.
        **kwargs: Arguments of torch's class.
    """

    def __init__(
        self, module: nn.Module, detect_anomalous_params: bool = False, **kwargs: Any
    ) -> None:
        if "broadcast_buffers" in kwargs and _HAS_FORWARD_SYNC:
            kwargs["forward_sync_buffers"] = kwargs.pop("broadcast_buffers")
        super().__init__(module=module, **kwargs)
        self.detect_anomalous_params = detect_anomalous_params

    @override
    def train_step(
        self, data: dict[str, Any] | tuple | list, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Take the step of :class:`ModelSteps`, and look for parameters without a gradient."""
        loss, log_vars = take_train_step(self, self.module, data, optim_wrapper)
        if self.detect_anomalous_params:
            detect_anomalous_params(loss, model=self)
        return log_vars

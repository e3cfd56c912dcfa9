"""Data parallel wrapper for distributed training."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn
from torch.nn.parallel.distributed import DistributedDataParallel

from eng.optim import OptimWrapper
from eng.registry import MODEL_WRAPPERS
from eng.utils import DataBatch, override

from ..base_model.steps import take_train_step
from .anomaly import detect_anomalous_params
from .model_steps import ModelSteps

__all__ = ["MMDistributedDataParallel"]

#: Newer releases of torch deprecate the older name.
_HAS_FORWARD_SYNC = (
    "forward_sync_buffers" in inspect.signature(DistributedDataParallel.__init__).parameters
)


@MODEL_WRAPPERS.register_module()
class MMDistributedDataParallel(ModelSteps, DistributedDataParallel):
    """:class:`~torch.nn.parallel.DistributedDataParallel` for a :class:`BaseModel`.

    Its steps are those of the model; the forward pass of training goes through torch's wrapper, so
    that gradients are synchronized.

    Args:
        module: The model.
        detect_anomalous_params: Whether to log in each step the parameters that do not contribute
            to the loss; slow, for debugging. Defaults to False.
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
    def train_step(self, data: DataBatch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        loss, log_vars = take_train_step(self, self.module, data, optim_wrapper)
        # In micro-batches, the graph of the loss is gone already.
        if self.detect_anomalous_params and loss.grad_fn is not None:
            detect_anomalous_params(loss, model=self)
        return log_vars

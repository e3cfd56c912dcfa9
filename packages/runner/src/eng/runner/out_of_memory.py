"""Go on with smaller micro-batches when memory runs out in training."""

from __future__ import annotations

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from eng.dl_utils import unwrap
from eng.model import BaseModel
from eng.optim import MicroBatches, OptimWrapper, OptimWrapperDict

from .errors import RunnerConfigError
from .protocol import LoopRunner
from .types import Settings

__all__ = ["check_on_oom", "shrink_when_out_of_memory"]


def check_on_oom(cfg: Settings) -> None:
    """Refuse invalid settings of what happens when memory runs out.

    Args:
        cfg: The config of the run.

    Raises:
        RunnerConfigError: If ``on_oom`` is unknown, or together with ``nan_loss``.
    """
    given = cfg.get("on_oom", "raise")
    if given not in ("raise", "shrink"):
        raise RunnerConfigError(f"on_oom must be 'raise' or 'shrink', not {given!r}")
    if given == "shrink" and cfg.get("nan_loss") not in (None, "warn"):
        raise RunnerConfigError(
            f"on_oom='shrink' does not go with nan_loss={cfg['nan_loss']!r}, which looks at the "
            "loss of a whole batch: leave out one of them"
        )


def shrink_when_out_of_memory(runner: LoopRunner) -> None:
    """Let a run go on with smaller micro-batches, if its config says so.

    Args:
        runner: The runner, prepared for training.

    Raises:
        RunnerConfigError: If its model or optimizer cannot.
    """
    if runner.cfg.get("on_oom", "raise") != "shrink":
        return
    wrapper, model = runner.optim_wrapper, unwrap(runner.model)
    if isinstance(wrapper, OptimWrapperDict) or not isinstance(wrapper, OptimWrapper):
        raise RunnerConfigError(
            f"on_oom='shrink' needs one OptimWrapper, not {type(wrapper).__name__}"
        )
    if wrapper.takes_other_steps and wrapper.micro_batches is None:
        raise RunnerConfigError(
            "on_oom='shrink' splits batches of steps of one forward pass and one backward pass, "
            + (
                f"which those of {type(wrapper.optimizer).__name__} are not"
                if wrapper.takes_closure
                else "without loss_normalizer"
            )
        )
    if not isinstance(model, BaseModel):
        raise RunnerConfigError(
            "on_oom='shrink' splits batches in BaseModel.train_step, from which "
            f"{type(model).__name__} does not derive"
        )
    if runner.environment.distributed:
        _check_processes(runner.model)
    if type(model).train_step is not BaseModel.train_step:
        runner.logger.warning(
            f"on_oom='shrink' splits batches in BaseModel.train_step; {type(model).__name__} has a "
            "train_step of its own, which it can only help where it calls that one."
        )
    wrapper.micro_batches = wrapper.micro_batches or MicroBatches()


def _check_processes(model: nn.Module) -> None:
    if not isinstance(model, DistributedDataParallel):
        raise RunnerConfigError(
            "on_oom='shrink' with several processes needs MMDistributedDataParallel, not "
            f"{type(model).__name__}, whose forward pass waits for the other processes"
        )
    if any(isinstance(module, nn.SyncBatchNorm) for module in model.modules()):
        raise RunnerConfigError(
            "on_oom='shrink' does not go with SyncBatchNorm, whose forward pass waits for the "
            "other processes"
        )

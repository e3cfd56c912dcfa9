"""Freeze parts of a model for a part of the training."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parallel import DistributedDataParallel

from eng.dl_utils import unwrap
from eng.registry import HOOKS
from eng.utils import DataBatch, override

from .errors import HookArgumentError
from .hook import Hook
from .protocol import HookRunner
from .values import check_number

__all__ = ["FreezeHook"]


@HOOKS.register_module()
class FreezeHook(Hook):
    r"""Freezes parts of the model until an epoch or iteration, or until the end.

    Frozen parameters stay in the optimizer, which leaves them as they are, and train once they are
    thawed. A resumed run freezes what is frozen at its position.

    Args:
        modules: Regular expressions of names of modules or parameters, or one. A name matches as a
            whole or up to a dot: ``'backbone'`` is all of the backbone, ``r'layers\.[0-3]'`` the
            first four layers.
        until: Epochs or iterations after which they train. Defaults to None: never.
        by_epoch: Whether ``until`` counts epochs. Defaults to True.
        norm_eval: Whether frozen batch norms keep their running statistics. Defaults to True.

    Raises:
        HookArgumentError: If ``until`` is below 1, or, before training, if nothing in the model has
            such a name. It is a :class:`ValueError`.

    Examples:
        >>> hook = FreezeHook(['backbone.stem', 'backbone.layer1'], until=5)
    """

    priority = "ABOVE_NORMAL"

    def __init__(
        self,
        modules: str | Sequence[str],
        until: int | None = None,
        by_epoch: bool = True,
        norm_eval: bool = True,
    ) -> None:
        if until is not None:
            check_number("FreezeHook: until", until, least=1)
        self.modules = [modules] if isinstance(modules, str) else list(modules)
        self.until = until
        self.by_epoch = by_epoch
        self.norm_eval = norm_eval
        self._patterns = [re.compile(rf"(?:{name})(?:\.|$)") for name in self.modules]
        self._frozen: list[nn.Parameter] = []
        self._norms: list[nn.Module] = []

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Freeze, unless that is over at the position of a resumed run."""
        if self._is_over(runner):
            return
        model = unwrap(runner.model)
        for pattern in self._patterns:
            if not any(pattern.match(name) for name, _ in model.named_parameters()):
                names = [name for name, _ in model.named_children()]
                raise HookArgumentError(
                    f"FreezeHook: no parameter of {type(model).__name__} matches "
                    f"{pattern.pattern.removeprefix('(?:').partition(')(?:')[0]!r}; its modules "
                    f"are {names}"
                )
        wrapper = runner.model
        if isinstance(wrapper, DistributedDataParallel) and not wrapper.find_unused_parameters:
            raise HookArgumentError(
                "FreezeHook: in several processes set find_unused_parameters=True in the config: "
                "otherwise each process waits for the gradients of the frozen parameters"
            )
        self._frozen = [
            parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad and self._matches(name)
        ]
        self._norms = [
            module
            for name, module in model.named_modules()
            if self.norm_eval and isinstance(module, _NormBase) and self._matches(name)
        ]
        for parameter in self._frozen:
            parameter.requires_grad_(False)
            parameter.grad = None
        count = sum(parameter.numel() for parameter in self._frozen)
        unit = "epoch" if self.by_epoch else "iteration"
        end = "to the end" if self.until is None else f"until {unit} {self.until} is done"
        runner.logger.info(f"Frozen {end}: {', '.join(self.modules)} ({count:,} parameters).")

    @override
    def before_train_epoch(self, runner: HookRunner) -> None:
        """Train what is no longer frozen, and keep statistics of what is."""
        if self._frozen and self._is_over(runner):
            self._thaw(runner)

    @override
    def before_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: DataBatch = None
    ) -> None:
        """See :meth:`before_train_epoch`."""
        if not self._frozen:
            return
        if not self.by_epoch and self._is_over(runner):
            self._thaw(runner)
        for norm in self._norms:  # a validation or the loop may have set them to training
            norm.eval()

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Leave the model as it was."""
        self._thaw(runner, is_logged=False)

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self.after_train(runner)

    def _matches(self, name: str) -> bool:
        return any(pattern.match(name) for pattern in self._patterns)

    def _is_over(self, runner: HookRunner) -> bool:
        done = runner.epoch if self.by_epoch else runner.iter
        return self.until is not None and done >= self.until

    def _thaw(self, runner: HookRunner, is_logged: bool = True) -> None:
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        for norm in self._norms:
            norm.train(runner.model.training)
        if is_logged:
            runner.logger.info(f"No longer frozen: {', '.join(self.modules)}.")
        self._frozen, self._norms = [], []

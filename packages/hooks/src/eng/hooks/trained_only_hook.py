"""Save the weights that are trained, and leave out frozen ones."""

from __future__ import annotations

from eng.checkpoint import drop_frozen, frozen_digest, frozen_names, is_sharded
from eng.dl_utils import plain_name
from eng.registry import HOOKS
from eng.utils import StateDict, override

from .errors import HookArgumentError
from .hook import Hook
from .protocol import HookRunner

__all__ = ["TrainedOnlyHook"]


@HOOKS.register_module()
class TrainedOnlyHook(Hook):
    """Leaves frozen parameters out of checkpoints, as in training of adapters.

    Buffers are saved, and parameters that were trained in an epoch of the run before they were
    frozen. To load such a checkpoint the model needs the frozen weights: its own, or those of
    ``load_from`` or of its initialization, which are restored. Others are refused.

    Raises:
        HookArgumentError: Before training, of a sharded model or one without a frozen parameter. It
            is a :class:`ValueError`.
    """

    priority = "LOWEST"  # after hooks that put averaged weights into a checkpoint

    def __init__(self) -> None:
        self._trained: set[str] = set()
        self._frozen: frozenset[str] = frozenset()
        self._digest = ""

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Find the frozen parameters."""
        if is_sharded(runner.model):
            raise HookArgumentError(
                "TrainedOnlyHook: the parameters of a sharded model are not distinguished; wrap it "
                "by MMDistributedDataParallel, or save the whole"
            )
        self._note_trained(runner)
        if not self._frozen and not runner.is_resuming:
            raise HookArgumentError(
                "TrainedOnlyHook: no parameter of the model is frozen; set requires_grad=False for "
                "those that are not to be saved, or use a FreezeHook"
            )

    @override
    def before_train_epoch(self, runner: HookRunner) -> None:
        """Note what is trained from now on."""
        self._note_trained(runner)

    @override
    def before_save_checkpoint(self, runner: HookRunner, checkpoint: StateDict) -> None:
        """Drop what was never trained."""
        self._note_trained(runner)
        drop_frozen(checkpoint, self._frozen, self._digest)

    @override
    def after_load_checkpoint(self, runner: HookRunner, checkpoint: StateDict) -> None:
        """Note what had been trained in a run that is resumed."""
        frozen = frozen_names(checkpoint)
        if runner.is_resuming and frozen is not None:
            names = (plain_name(runner.model, name) for name, _ in runner.model.named_parameters())
            self._trained |= set(names) - set(frozen)

    def _note_trained(self, runner: HookRunner) -> None:
        parameters = list(runner.model.named_parameters(remove_duplicate=False))
        names = {plain_name(runner.model, name): each for name, each in parameters}
        self._trained |= {name for name, each in names.items() if each.requires_grad}
        frozen = frozenset(names) - self._trained
        if frozen != self._frozen:
            self._frozen, self._digest = frozen, frozen_digest(runner.model, frozen)

"""State of a strategy: its parts, and their checkpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from torch import Tensor, nn

from eng.checkpoint import (
    FolderSaver,
    MapLocation,
    complete_weights,
    get_state_dict,
    keep_shards,
    load_shared_checkpoint,
    load_state_dict,
    model_state,
    save_checkpoint,
    shards_to_load,
    weights_to_cpu,
)
from eng.config import Config
from eng.dist import is_main_process
from eng.hooks import CheckpointWriter
from eng.optim import BaseOptimWrapper
from eng.utils import StateDict, get_git_hash

from ..arguments import check_resume
from ..checkpoint_meta import MMENGINE_VERSION
from ..errors import RunnerConfigError
from ..progress import Progress
from ..run_parts import OptimizerPart, SchedulersPart
from ..starting_point import choose_starting_point
from ..types import PartState, Schedulers, StorageSettings

if TYPE_CHECKING:
    from ..protocol import LoopRunner

__all__ = ["Callback", "ReviseKeys", "StrategyState", "find_checkpoint"]

#: Called with a checkpoint, which it may change.
Callback: TypeAlias = "Callable[[StateDict], object]"
#: Pairs of a regular expression and its replacement in names of weights.
ReviseKeys: TypeAlias = Sequence[tuple[str, str]]

_DEFAULT_REVISIONS: ReviseKeys = [("^module.", "")]


class StrategyState:
    """The parts that a strategy has prepared, and their checkpoints.

    All methods are called in all processes.

    Attributes:
        model: The prepared model; None before.
        optim_wrapper: The prepared optimizer wrapper; None without one.
        param_schedulers: The prepared schedulers; None without one.
        is_driven: Whether a runner uses the strategy, which restores what :meth:`resume` returns.
        backend_args: Settings of the storage of checkpoints. Defaults to None.
        writer: Writes checkpoints in the first process. Defaults to None,
            :func:`eng.checkpoint.save_checkpoint`.
        checkpoint_format: ``'file'``; ``'folder'``, to which each process writes its shards; None,
            as the saver chooses.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.optim_wrapper: Any = None
        self.param_schedulers: Schedulers | None = None
        self.is_driven = False
        self.backend_args: StorageSettings | None = None
        self.writer: CheckpointWriter | None = None
        self.checkpoint_format: str | None = None
        self.cfg = Config()  # by which the optimizer is resumed
        self._optimizer = OptimizerPart(cast("LoopRunner", self))
        self._schedulers = SchedulersPart(cast("LoopRunner", self), self._optimizer)
        self._version: str | None = None

    def follow(self, cfg: Config) -> None:
        """Serve a runner, which restores what :meth:`resume` returns.

        Args:
            cfg: The config of its run.
        """
        self.cfg, self.is_driven = cfg, True

    @contextmanager
    def writing(
        self, backend_args: StorageSettings | None, writer: CheckpointWriter | None = None
    ) -> Iterator[None]:
        """Save checkpoints in a storage within a block.

        Args:
            backend_args: Settings of the storage.
            writer: Writes checkpoints in the first process. Defaults to None,
                :func:`eng.checkpoint.save_checkpoint`.

        Yields:
            Nothing.
        """
        before = self.backend_args, self.writer, self.checkpoint_format
        self.backend_args, self.writer = backend_args, writer
        self.checkpoint_format = "folder" if isinstance(writer, FolderSaver) else "file"
        try:
            yield
        finally:
            self.backend_args, self.writer, self.checkpoint_format = before

    @property
    def logger(self) -> logging.Logger:
        """The logger of the run."""
        raise NotImplementedError

    @property
    def work_dir(self) -> str:
        """Directory of the checkpoints."""
        raise NotImplementedError

    @property
    def seed(self) -> int:
        """The seed of all random number generators."""
        raise NotImplementedError

    # ------------------------------------------------------------------ states

    def model_state_dict(self) -> StateDict:
        """Return the weights of the model by their names without wrappers.

        Those of a sharded model are gathered in the first process, and empty in the others.
        """
        return get_state_dict(self._require_model())

    def optim_state_dict(self) -> StateDict | None:
        """Return the state of the optimizer, as without sharding; None without an optimizer."""
        return self._optimizer.take(Progress())

    def scheduler_state_dict(self) -> PartState:
        """Return the states of the schedulers in a list, or by the name of their optimizer."""
        return self._schedulers.take(Progress())

    def load_model_state_dict(
        self,
        state_dict: Mapping[str, Tensor],
        *,
        strict: bool = False,
        revise_keys: ReviseKeys = _DEFAULT_REVISIONS,
    ) -> None:
        """Load weights into the model.

        Args:
            state_dict: Tensors by name.
            strict: Whether missing and unexpected keys and size mismatches are an error. Defaults
                to False.
            revise_keys: Pairs of a regular expression and its replacement for the names.
        """
        state = model_state({"state_dict": state_dict}, "state_dict", revise_keys)
        self._put_weights(state, strict)

    def load_optim_state_dict(self, state_dict: StateDict) -> None:
        """Load a state of the optimizer.

        Args:
            state_dict: Result of :meth:`optim_state_dict`.
        """
        self._optimizer.restore(state_dict)

    def load_scheduler_state_dict(self, state_dict: PartState) -> None:
        """Load the states of the schedulers.

        Args:
            state_dict: Result of :meth:`scheduler_state_dict`.
        """
        schedulers: Any = self.param_schedulers
        by_name = schedulers if isinstance(schedulers, dict) else {"": schedulers or []}
        states = state_dict if isinstance(state_dict, Mapping) else {"": state_dict}
        for name, group in by_name.items():
            for scheduler, state in zip(group, states.get(name, []), strict=False):
                scheduler.load_state_dict(state)

    # ------------------------------------------------------------------ checkpoints

    def load_or_resume(
        self, *, load_from: str | None = None, resume: bool | str = False
    ) -> StateDict | None:
        """Load the weights that training starts from, or resume.

        Args:
            load_from: Path or address of a checkpoint. Defaults to None.
            resume: Whether to resume from the newest whole checkpoint of the work directory, or
                from ``load_from``; or the path of a checkpoint to resume from. Defaults to False.

        Returns:
            The rest of the checkpoint; None if training starts from scratch.

        Raises:
            RunnerConfigError: If ``resume`` is a path and ``load_from`` is given.
        """
        if isinstance(resume, str) and resume != "auto":
            check_resume(load_from, resume)
            return self.resume(resume)
        start = choose_starting_point(self.work_dir, [], load_from, resume)
        for level, text in start.lines:
            self.logger.log(level, text)
        if start.path is None:
            return None
        return self.resume(start.path) if start.is_resumed else self.load_checkpoint(start.path)

    def load_checkpoint(
        self,
        filename: str,
        *,
        map_location: MapLocation = "cpu",
        strict: bool = False,
        revise_keys: ReviseKeys = _DEFAULT_REVISIONS,
        callback: Callback | None = None,
    ) -> StateDict:
        """Load the weights of a checkpoint into the model.

        Args:
            filename: Path or address of the checkpoint.
            map_location: As for :func:`torch.load`. Defaults to ``'cpu'``.
            strict: Whether missing and unexpected keys and size mismatches are an error. Defaults
                to False.
            revise_keys: Pairs of a regular expression and its replacement for the names.
            callback: Called with the checkpoint before its weights are loaded. Defaults to None.

        Returns:
            The checkpoint without ``state_dict``.
        """
        model, filename = self._require_model(), find_checkpoint(filename)
        like = shards_to_load(model)
        checkpoint = load_shared_checkpoint(
            filename, map_location, self.logger, self.backend_args, like
        )
        state = model_state(checkpoint, filename, revise_keys)
        rest = checkpoint if "state_dict" in checkpoint else {}
        whole = complete_weights(model, {**rest, "state_dict": state}, filename, self.logger)
        checkpoint = dict(whole)
        if callback is not None:
            callback(checkpoint)
        self._put_weights(checkpoint.pop("state_dict"), strict)
        return checkpoint

    def _put_weights(self, state: Mapping[str, Tensor], strict: bool) -> None:
        load_state_dict(self._require_model(), state, strict, self.logger)

    def resume(
        self,
        filename: str,
        *,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: MapLocation = "default",
        callback: Callback | None = None,
    ) -> StateDict:
        """Load the weights of a checkpoint and the states of optimizer and schedulers.

        Args:
            filename: Path or address of the checkpoint.
            resume_optimizer: Whether with the state of the optimizer. Defaults to True.
            resume_param_scheduler: Whether with that of the schedulers. Defaults to True.
            map_location: As for :func:`torch.load`. Defaults to ``'default'``, the CPU, from where
                every part goes to its own device.
            callback: Called with the checkpoint before its weights are loaded. Defaults to None.

        Returns:
            The rest of the checkpoint, which is not restored.
        """
        location = "cpu" if map_location == "default" else map_location
        revisions = [(r"^module\.", "")]
        checkpoint = self.load_checkpoint(
            filename, map_location=location, revise_keys=revisions, callback=callback
        )
        states = [checkpoint.pop(name, None) for name in ("optimizer", "param_schedulers")]
        if resume_optimizer:
            if states[0] is None:
                self._optimizer.restore_nothing()
            else:
                self.load_optim_state_dict(states[0])
        if resume_param_scheduler and states[1] is not None:
            self.load_scheduler_state_dict(states[1])
        return checkpoint

    def save_checkpoint(
        self,
        filename: str,
        *,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        extra_ckpt: StateDict | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Save the state of the parts as a checkpoint, which the first process writes.

        Args:
            filename: Path or address of the checkpoint. Folders have the name without ``.pth``.
            save_optimizer: Whether with the state of the optimizer. Defaults to True.
            save_param_scheduler: Whether with that of the schedulers. Defaults to True.
            extra_ckpt: Further entries, such as ``meta``. Defaults to None.
            callback: Called with the checkpoint before it is written. Defaults to None.
        """
        is_folder = self.checkpoint_format == "folder"
        with keep_shards() if is_folder else nullcontext():
            checkpoint = self._describe(extra_ckpt)
            checkpoint["state_dict"] = self.model_state_dict()
            if save_optimizer and isinstance(self.optim_wrapper, BaseOptimWrapper):
                checkpoint["optimizer"] = self.optim_state_dict()
            if save_param_scheduler and self.param_schedulers:
                checkpoint["param_schedulers"] = self.scheduler_state_dict()
            if callback is not None:
                callback(checkpoint)
            self._write(checkpoint, filename, is_folder)

    def _write(self, checkpoint: StateDict, filename: str, is_folder: bool) -> None:
        write = self.writer or (FolderSaver() if is_folder else save_checkpoint)
        if isinstance(write, FolderSaver):
            write(checkpoint, _without_suffix(filename), backend_args=self.backend_args)
        elif is_main_process():
            checkpoint["state_dict"] = weights_to_cpu(checkpoint["state_dict"])
            write(checkpoint, filename, backend_args=self.backend_args)

    def _describe(self, extra: StateDict | None) -> StateDict:
        """Copy further entries of a checkpoint, with a ``meta`` that says by what it was saved."""
        copied = dict(extra or {})
        copied["meta"] = {
            "seed": self.seed,
            "time": time.strftime("%Y%m%d_%H%M%S"),
            "mmengine": self.version,
            **copied.get("meta", {}),
        }
        return copied

    @property
    def version(self) -> str:
        """Version of the format and the commit of the working directory, for ``meta``."""
        if self._version is None:  # asked for once, by a program
            self._version = f"{MMENGINE_VERSION}+{get_git_hash(digits=7)}"
        return self._version

    def _require_model(self) -> nn.Module:
        if self.model is None:
            raise RunnerConfigError(
                f"{type(self).__name__} has no model yet: call prepare(model, ...) first"
            )
        model: nn.Module = self.model
        return model


def find_checkpoint(path: str) -> str:
    """Return the folder that a checkpoint was saved as, if a file of its name is missing.

    Args:
        path: Path or address of the checkpoint.
    """
    folder = _without_suffix(path)
    return folder if not Path(path).exists() and Path(folder).is_dir() else path


def _without_suffix(path: str) -> str:
    return path.removesuffix(".pth")

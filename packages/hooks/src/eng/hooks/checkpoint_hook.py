"""Save checkpoints, the latest and the best."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any

from typing_extensions import override

from eng.dist import barrier, is_main_process
from eng.fileio import get_file_backend, merged_backend_args
from eng.logging import MessageHub, print_log
from eng.registry import HOOKS

from .best_checkpoint import BestCheckpoint, BestCheckpoints
from .checkpoint_retention import retain
from .hook import DataBatch, Hook
from .protocol import HookRunner

__all__ = ["CheckpointHook"]

_GREATER = ("acc", "top", "AR@", "auc", "precision", "mAP", "mDice", "mIoU", "mAcc", "aAcc")
_LESS = ("loss",)
_RULES: dict[str, tuple[Callable[[float, float], bool], float]] = {
    "greater": (lambda new, best: new > best, -math.inf),
    "less": (lambda new, best: new < best, math.inf),
}


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Saves the run at an interval, keeps the newest checkpoints and the best.

    Args:
        interval: Epochs, or iterations, between two checkpoints. Defaults to -1, never.
        by_epoch: Whether the interval is in epochs. Defaults to True.
        save_optimizer: Whether the state of the optimizer is saved. Defaults to True.
        save_param_scheduler: Whether the state of the schedulers is saved. Defaults to True.
        out_dir: Where checkpoints go, into a folder named like the work directory. Defaults to
            None, the work directory itself.
        max_keep_ckpts: How many of the newest checkpoints are kept. Defaults to -1, all.
        save_last: Whether the end of training is saved off the interval too. Defaults to True.
        save_best: Name of a metric by which the best checkpoint is kept, or several, or
            ``'auto'`` for the first that the evaluator gives. Defaults to None.
        rule: ``'greater'`` or ``'less'``, which values are better; one for each metric or one for
            all. Defaults to None: known by the name of the metric.
        greater_keys: Metrics, or parts of their names, of which greater values are better.
            Defaults to None, the common ones.
        less_keys: The same of which smaller values are better. Defaults to None, ``loss``.
        file_client_args: Settings of the storage under their older name. Defaults to None.
        filename_tmpl: Name of a checkpoint with ``{}`` for the epoch or iteration. Defaults to
            None, ``'epoch_{}.pth'`` or ``'iter_{}.pth'``.
        backend_args: Settings of the storage. Defaults to None.
        **kwargs: Further arguments of the runner's ``save_checkpoint``.

    Raises:
        ValueError: If ``rule`` does not go with ``save_best``, ``filename_tmpl`` has not one
            ``{}``, ``max_keep_ckpts`` is 0, or both kinds of settings are given.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        interval: int = -1,
        by_epoch: bool = True,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        out_dir: str | Path | None = None,
        max_keep_ckpts: int = -1,
        save_last: bool = True,
        save_best: str | list[str] | None = None,
        rule: str | list[str] | None = None,
        greater_keys: Sequence[str] | None = None,
        less_keys: Sequence[str] | None = None,
        file_client_args: dict[str, Any] | None = None,
        filename_tmpl: str | None = None,
        backend_args: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if max_keep_ckpts == 0:
            raise ValueError("CheckpointHook: max_keep_ckpts must be at least 1, or -1 to keep all")
        if filename_tmpl is not None and filename_tmpl.count("{}") != 1:
            raise ValueError(f"CheckpointHook: filename_tmpl needs one {{}}, got {filename_tmpl!r}")
        self.interval = interval
        self.by_epoch = by_epoch
        self.save_optimizer = save_optimizer
        self.save_param_scheduler = save_param_scheduler
        self.out_dir = None if out_dir is None else str(out_dir)
        self.max_keep_ckpts = max_keep_ckpts
        self.save_last = save_last
        self.unit = "epoch" if by_epoch else "iter"
        self.filename_tmpl = filename_tmpl or f"{self.unit}_{{}}.pth"
        self.backend_args = merged_backend_args("CheckpointHook", file_client_args, backend_args)
        self.args = kwargs
        self.greater_keys = tuple(greater_keys or _GREATER)
        self.less_keys = tuple(less_keys or _LESS)
        self.save_best = save_best
        self._rules = self._given_rules(save_best, rule)

    # ------------------------------------------------------------------ stages

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Settle where checkpoints go."""
        if self.out_dir is None:
            self._folder = runner.work_dir
            self.file_backend = get_file_backend(self._folder, backend_args=self.backend_args)
        else:
            self.file_backend = get_file_backend(self.out_dir, backend_args=self.backend_args)
            self._folder = self.file_backend.join_path(self.out_dir, Path(runner.work_dir).name)
        runner.logger.info(f"Checkpoints will be saved to {self._folder}.")
        self._kept: list[int] = list(runner.message_hub.runtime_info.get("keep_ckpt_ids", []))
        #: The point of training of the last checkpoint that this process made, and its name.
        self._written: tuple[tuple[int, int], str] | None = None
        self._bests = BestCheckpoints()
        if self.save_best:
            self._bests = BestCheckpoints.read(runner.work_dir).up_to(runner.iter)

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Save at the interval and at the end."""
        if self.by_epoch and (
            self.every_n_epochs(runner, self.interval)
            or (self.save_last and self.is_last_train_epoch(runner))
        ):
            self._save(runner, runner.epoch + 1, {"epoch": runner.epoch + 1, "iter": runner.iter})

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Save at the interval and at the end."""
        if not self.by_epoch and (
            self.every_n_train_iters(runner, self.interval)
            or (self.save_last and self.is_last_train_iter(runner))
        ):
            self._save(runner, runner.iter + 1, {"epoch": runner.epoch, "iter": runner.iter + 1})

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Keep the model as the best one if it is."""
        if not self.save_best:
            return
        if not metrics:
            runner.logger.warning("save_best: there are no metrics to choose the best by.")
            return
        if self.save_best == "auto":
            self.save_best = next(iter(metrics))
        wanted = [self.save_best] if isinstance(self.save_best, str) else self.save_best
        for key in wanted:
            self._save_if_best(runner, key, metrics, f"_{key}" if len(wanted) > 1 else "")

    # ------------------------------------------------------------------ the latest

    def _save(self, runner: HookRunner, done: int, meta: dict[str, int]) -> None:
        """Save, point ``last_checkpoint`` to it, and only then remove what is too old."""
        name = self.filename_tmpl.format(done)
        hub = runner.message_hub
        self._kept, surplus = retain(self._kept, done, self.max_keep_ckpts)
        path = self.file_backend.join_path(self._folder, name)
        hub.update_info("last_ckpt", path)
        hub.update_info("keep_ckpt_ids", list(self._kept))
        self._write(runner, name, meta)
        if is_main_process():
            pointer = self.file_backend.join_path(runner.work_dir, "last_checkpoint")
            get_file_backend(runner.work_dir).put_text(path, pointer)
            for old in surplus:
                self._remove(self.filename_tmpl.format(old))
        barrier()

    def _write(self, runner: HookRunner, name: str, meta: dict[str, int]) -> None:
        """Write a checkpoint; one of the same point of training is copied, not made again."""
        point = (meta["epoch"], meta["iter"])
        if self._written is not None and self._written[0] == point:
            if is_main_process():
                self._copy(self._written[1], name)
            return
        runner.save_checkpoint(
            self._folder,
            filename=name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._written = (point, name)

    def _copy(self, name: str, new_name: str) -> None:
        source, target = (
            self.file_backend.join_path(self._folder, each) for each in (name, new_name)
        )
        try:
            self.file_backend.copyfile(source, target)
        except NotImplementedError:  # a store that can only be read and written
            self.file_backend.put(self.file_backend.get(source), target)

    def _remove(self, name: str) -> None:
        path = self.file_backend.join_path(self._folder, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)

    # ------------------------------------------------------------------ the best

    def _save_if_best(
        self, runner: HookRunner, key: str, metrics: dict[str, float], suffix: str
    ) -> None:
        if key not in metrics:
            raise KeyError(f"save_best: no metric {key!r}; there are {sorted(metrics)}")
        score = float(metrics[key])
        is_better, worst = _RULES[self._rule_of(key)]
        best = self._best_so_far(runner.message_hub, key, suffix, worst)
        if math.isnan(score) or not is_better(score, best):
            return
        done = runner.epoch if self.by_epoch else runner.iter
        # Metrics may have a prefix, "accuracy/top1": it must not make a folder.
        name = f"best_{key.replace('/', '_')}_{self.unit}_{done}.pth"
        surplus = self._announce(
            runner, BestCheckpoint(key, score, name, runner.epoch, runner.iter), suffix
        )
        self._write(runner, name, {"epoch": runner.epoch, "iter": runner.iter})
        if is_main_process():
            self._bests.write(runner.work_dir)
            for old in surplus:
                self._remove(old)
        print_log(
            f"The best checkpoint with {score:0.4f} {key} at {self.unit} {done} is {name}.",
            logger=runner.logger,
            level=logging.INFO,
        )

    def _best_so_far(self, hub: MessageHub, key: str, suffix: str, worst: float) -> float:
        """The best score: of the record, or, where there is none, of the message hub."""
        recorded = self._bests.best(key)
        if recorded is not None:
            path = self.file_backend.join_path(self._folder, recorded.file)
            hub.update_info(f"best_score{suffix}", recorded.score)
            hub.update_info(f"best_ckpt{suffix}", path)
        return float(hub.runtime_info.get(f"best_score{suffix}", worst))

    def _announce(self, runner: HookRunner, best: BestCheckpoint, suffix: str) -> list[str]:
        """Enter a new best checkpoint everywhere; names of the files that it takes the place of."""
        hub = runner.message_hub
        previous = hub.runtime_info.get(f"best_ckpt{suffix}")
        path = self.file_backend.join_path(self._folder, best.file)
        hub.update_info(f"best_score{suffix}", best.score)
        hub.update_info(f"best_ckpt{suffix}", path)
        surplus = self._bests.add(best)
        if previous is not None and previous != path:
            name = PurePath(previous).name
            # One in another folder is another run's, from which this one was resumed.
            if self.file_backend.join_path(self._folder, name) == previous:
                surplus.append(name)
        return surplus

    def _given_rules(
        self, save_best: str | list[str] | None, rule: str | list[str] | None
    ) -> dict[str, str]:
        """Rules that the user gave, by metric; '' stands for all of them."""
        rules = [rule] if isinstance(rule, str) else list(rule or [])
        for word in rules:
            if word not in _RULES:
                raise ValueError(f"CheckpointHook: rule must be 'greater' or 'less', not {word!r}")
        if isinstance(save_best, list):
            if "auto" in save_best:
                raise ValueError(
                    "CheckpointHook: save_best 'auto' cannot be one of several metrics"
                )
            if len(rules) > 1 and len(rules) != len(save_best):
                raise ValueError(
                    f"CheckpointHook: {len(rules)} rules for {len(save_best)} metrics in save_best"
                )
            if len(rules) > 1:
                return dict(zip(save_best, rules, strict=True))
        elif len(rules) > 1:
            raise ValueError(f"CheckpointHook: {len(rules)} rules for one metric in save_best")
        return {"": rules[0]} if rules else {}

    def _rule_of(self, key: str) -> str:
        given = self._rules.get(key) or self._rules.get("")
        if given:
            return given
        for rule, keys in (("greater", self.greater_keys), ("less", self.less_keys)):
            if key in keys:
                return rule
        for rule, keys in (("greater", self.greater_keys), ("less", self.less_keys)):
            if any(part.lower() in key.lower() for part in keys):
                return rule
        raise ValueError(
            f"save_best: cannot tell whether greater or smaller values of {key!r} are better; "
            "give rule='greater' or rule='less'"
        )

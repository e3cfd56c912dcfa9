"""Save checkpoints, the latest and the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, ClassVar

from eng.checkpoint import (
    CheckpointFolder,
    checkpoint_exists,
    copy_checkpoint,
    folder_template,
    next_save_number,
    write_last_checkpoint,
)
from eng.dist import all_gather_object, barrier, is_main_process
from eng.fileio import FileClient, get_file_backend, merged_backend_args
from eng.logging import MessageHub
from eng.registry import HOOKS
from eng.utils import override

from .best_checkpoint import BestCheckpoint, BestCheckpoints, log_best
from .best_rule import RULE_MAP, WORST_VALUES, infer_rule, pair_rules
from .checkpoint_arguments import check_counts, check_retention, check_template
from .checkpoint_files import remove_file, remove_unfinished, warn_of_a_used_folder
from .checkpoint_retention import KeptCheckpoints, Retention
from .checkpoint_writes import CheckpointWrites, WrittenCheckpoint
from .errors import HookArgumentError
from .fingerprint import fingerprint
from .hook import DataBatch, Hook
from .metric_names import check_metric_names, usable_score
from .protocol import HookRunner
from .published import check_export, publish_all, published_keys_of
from .run_id import run_id_of
from .save_clock import SaveClock
from .types import StepOutputs, StorageSettings
from .values import names_of

__all__ = ["CheckpointHook"]


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
            ``'auto'`` for the first of the evaluator. Defaults to None.
        rule: ``'greater'`` or ``'less'``, which values are better; one for each metric or one for
            all. Defaults to None: known by the name of the metric.
        greater_keys: Metrics, or parts of their names, of which greater values are better.
            Defaults to None, the common ones.
        less_keys: The same of which smaller values are better. Defaults to None, ``loss``.
        file_client_args: Settings of the storage under their older name. Defaults to None.
        filename_tmpl: Name of a checkpoint with ``{}``, or ``{:03d}`` and the like, for the epoch
            or iteration. Defaults to None, ``'epoch_{}.pth'`` or ``'iter_{}.pth'``.
        backend_args: Settings of the storage. Defaults to None.
        published_keys: Keys of checkpoints of which a smaller file is written after training, such
            as ``['meta', 'state_dict']``: of the last checkpoint (with ``save_last``) and of each
            best one, under its name with the first digits of the file's checksum. Defaults to
            None, no such files.
        save_begin: First epoch, or iteration, that is saved; the interval counts from it. Defaults
            to 0: the first one is at the interval.
        async_save: Whether checkpoints are written in the background: training waits while the
            state is copied, and for the one before if that is still being written. One that fails
            is reported at once; the second in a row is an error, and so is the last of training.
            Defaults to False.
        save_top_k: How many of the best checkpoints are kept, by each metric of ``save_best``.
            Defaults to 1.
        keep_every: Epochs, or iterations, between two checkpoints that are kept for ever, beside
            the newest ``max_keep_ckpts``; a multiple of ``interval``, counted from ``save_begin``.
            Defaults to None, none.
        save_every_minutes: Minutes after the last checkpoint at which one is saved between two
            iterations, by the clock of the first process. Defaults to None, by the interval alone.
        format: ``'file'``: checkpoints are files, for which a sharded model is gathered in the
            first process. ``'folder'``: they are folders, to which each process writes its shards,
            under the name without ``.pth``. Defaults to ``'auto'``: folders if the model is
            sharded.
        export: ``'safetensors'`` or ``'pth'``: after training, the weights of the last checkpoint
            and of each best one are written alone, beside it. Defaults to None, no such files.
        **kwargs: Further arguments of the runner's ``save_checkpoint``.

    Raises:
        HookArgumentError: If ``rule`` does not go with ``save_best``, ``filename_tmpl`` does not
            format one number, a count is not one, the format is unknown, or both kinds of settings
            are given. It is a :class:`ValueError`.

    Attributes:
        out_dir: Folder of the checkpoints, after :meth:`before_train`.
        file_backend: Storage of that folder.
        best_ckpt_path: Path of the best checkpoint, with one metric; None before the first.
        best_ckpt_path_dict: With several metrics, these paths by metric.
        key_indicators: Metrics by which the best is chosen.
        rules: A rule for each of them, as far as it is known.
    """

    priority = "VERY_LOW"
    #: Whether a value is better than another one, by the name of a rule.
    rule_map: ClassVar[dict[str, Callable[[float, float], bool]]] = RULE_MAP
    #: The worst value, by the name of a rule.
    init_value_map: ClassVar[dict[str, float]] = WORST_VALUES

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
        file_client_args: StorageSettings | None = None,
        filename_tmpl: str | None = None,
        backend_args: StorageSettings | None = None,
        published_keys: str | list[str] | None = None,
        save_begin: int = 0,
        *,
        async_save: bool = False,
        save_top_k: int = 1,
        keep_every: int | None = None,
        save_every_minutes: float | None = None,
        format: str = "auto",
        export: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_counts(interval, max_keep_ckpts, save_begin)
        check_retention(interval, keep_every, save_top_k, save_every_minutes, bool(save_best))
        self.published_keys, self.export = published_keys_of(published_keys), check_export(export)
        self.interval, self.by_epoch, self.save_begin = interval, by_epoch, save_begin
        self.save_optimizer, self.save_param_scheduler = save_optimizer, save_param_scheduler
        self._given_out_dir = self.out_dir = None if out_dir is None else str(out_dir)
        self.max_keep_ckpts, self.save_last = max_keep_ckpts, save_last
        self.save_top_k, self.keep_every = save_top_k, keep_every
        self._set_clock(save_every_minutes)
        self.unit = "epoch" if by_epoch else "iter"
        self.filename_tmpl = filename_tmpl or f"{self.unit}_{{}}.pth"
        check_template(self.filename_tmpl)
        self.file_client_args = file_client_args
        self.backend_args = merged_backend_args("CheckpointHook", file_client_args, backend_args)
        self.async_save, self.args = async_save, kwargs
        self._writes = CheckpointWrites(format, async_save)
        #: Checkpoints that are removed when the next one is complete.
        self._surplus: list[str] = []
        self.greater_keys = names_of("greater_keys", greater_keys)
        self.less_keys = names_of("less_keys", less_keys)
        self._set_best(save_best, rule)
        self._is_training = False
        self._warned: set[str] = set()

    def _set_clock(self, save_every_minutes: float | None) -> None:
        self.save_every_minutes = save_every_minutes
        if save_every_minutes is not None:
            self._clock = SaveClock(save_every_minutes)
            # Of this hook alone: an iteration of others costs nothing more.
            self.after_train_iter = self._after_timed_iter  # type: ignore[method-assign]

    def _set_best(self, save_best: str | list[str] | None, rule: str | list[str] | None) -> None:
        self.save_best = save_best
        self.key_indicators = names_of("save_best", save_best)
        self._rules = pair_rules(self.key_indicators, names_of("rule", rule))
        _ = self.rules  # refuses one that cannot be inferred now, not at the first validation
        self.best_ckpt_path: str | None = None
        self.best_ckpt_path_dict: dict[str, str] = {}

    @property
    def key_indicator(self) -> str | None:
        """The first of ``key_indicators``, None without one."""
        return self.key_indicators[0] if self.key_indicators else None

    @property
    def rules(self) -> list[str]:
        """A rule for each of ``key_indicators``, but for ``'auto'``."""
        return [self._find_rule(key) for key in self.key_indicators if key != "auto"]

    @property
    def file_client(self) -> FileClient:
        """Client of the storage of the checkpoints, under its older name."""
        return FileClient.infer_client(self.file_client_args, self.out_dir)

    # ------------------------------------------------------------------ stages

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Settle where checkpoints go."""
        self._writes.choose_format(runner.model, getattr(runner, "checkpoint_format", None))
        folder = replace(self.folder_in(runner.work_dir), template=self._template)
        self.file_backend = folder.backend
        self.out_dir = self._folder = folder.path
        runner.logger.info(f"Checkpoints will be saved to {self._folder}.")
        self._is_training, self._logger = True, runner.logger
        self._began_at, self._place = runner.iter, folder
        key, is_only = self._make_key(runner)
        retention = Retention(self.max_keep_ckpts, self.keep_every, self.save_begin)
        self._kept = KeptCheckpoints(
            runner.message_hub, key, folder, runner.work_dir, retention, is_only
        )
        self._restart_clock()
        if is_main_process():
            for name in self._kept.drop_surplus():
                self._remove(name)
            if not (runner.is_resuming or runner.iter):
                warn_of_a_used_folder(folder, runner)
        try:
            self._writes.finish(close=True)
        except Exception as error:  # reported once more, since training may start again after it
            runner.logger.warning(f"The last save of the previous training failed: {error}")
        #: The last checkpoint that this process made, and the last that is not one of the best.
        self._written: WrittenCheckpoint | None = None
        self._last: str | None = None
        if self.key_indicators:
            check_metric_names(self.key_indicators, runner)
            self._load_bests(runner)

    def _make_key(self, runner: HookRunner) -> tuple[str, bool]:
        """Identify this hook among those of a run that save, and whether it is the only one."""
        every = [*getattr(runner, "hooks", []), self]
        hooks = [each for each in every if isinstance(each, CheckpointHook)]
        place = next(number for number, each in enumerate(hooks) if each is self)
        names = [f"{each._given_out_dir or ''}:{each.filename_tmpl}" for each in hooks]
        return f"{names[-1]}:{names[:place].count(names[-1])}", len(set(map(id, hooks))) < 2

    def folder_in(self, work_dir: str) -> CheckpointFolder:
        """Return the folder for checkpoints of a work directory.

        Args:
            work_dir: The work directory.

        Returns:
            The folder.
        """
        root = self._given_out_dir or work_dir
        if self._given_out_dir:
            backend = get_file_backend(root, backend_args=self.backend_args)
            root = backend.join_path(root, Path(work_dir).name)
        return CheckpointFolder(root, self.backend_args, self.filename_tmpl)

    def save_now(self, runner: HookRunner) -> None:
        """Save between two iterations, whatever the interval. To be called in all processes.

        The checkpoint is whole when this returns. It is one of those of ``max_keep_ckpts``. Where
        the newest checkpoint is of this point already, nothing is written; before training has
        begun, nothing is saved.

        Args:
            runner: The runner.
        """
        if not self._is_training:
            return
        meta = {"epoch": runner.epoch, "iter": runner.iter}
        written = self._written
        is_saved = written is not None and written.point == (runner.epoch, runner.iter)
        if written is None or not is_saved or not self._kept.holds(written.name):
            self._save_between(runner, meta)
        self._writes.finish()

    @property
    def _template(self) -> str:
        """Names of checkpoints in the format that is used."""
        template = self.filename_tmpl
        return folder_template(template) if self._writes.is_folder else template

    def _save_between(self, runner: HookRunner, meta: dict[str, int]) -> None:
        """Save between two iterations, under a name with the number of iterations."""
        template, done = self._template, meta["iter"]
        if self.by_epoch:  # whose numbers are epochs
            template = f"iter_{{}}{PurePath(template).suffix}"
        self._save(runner, template.format(done), meta, None if self.by_epoch else done)

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Save at the interval and at the end."""
        if self.by_epoch and (
            self.every_n_epochs(runner, self.interval, self.save_begin)
            or (self.save_last and self.is_last_train_epoch(runner))
        ):
            done = runner.epoch + 1
            meta = {"epoch": done, "iter": runner.iter}
            self._save(runner, self._template.format(done), meta, done)

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Save at the interval and at the end."""
        if not self.by_epoch and (
            self.every_n_train_iters(runner, self.interval, self.save_begin)
            or (self.save_last and self.is_last_train_iter(runner))
        ):
            done = runner.iter + 1
            meta = {"epoch": runner.epoch, "iter": done}
            self._save(runner, self._template.format(done), meta, done)

    def _after_timed_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Save at the interval and at the end, and when it is time to."""
        type(self).after_train_iter(self, runner, batch_idx, data_batch, outputs)
        if self._clock.is_due():
            self._save_between(runner, {"epoch": runner.epoch, "iter": runner.iter + 1})

    def _restart_clock(self) -> None:
        if self.save_every_minutes is not None:
            self._clock.restart()

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Keep the model as the best one if it is."""
        if not self.save_best or not self._is_training:  # val() alone saves nothing
            return
        if not metrics:
            runner.logger.warning("save_best: missing metrics to choose the best checkpoint by.")
            return
        if self.key_indicators == ["auto"]:
            first = next(iter(metrics))
            if not self._has_rule(first, runner):
                return
            self.key_indicators = [first]
        for key in self.key_indicators:
            self._save_if_best(runner, key, metrics)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Save the end of training unless it is saved already, and publish checkpoints.

        Training may have ended where its counts did not say so. A validation after it is an
        evaluation alone.
        """
        saved = self._began_at if self._written is None else self._written.point[1]
        if self._is_training and self.save_last and runner.iter > saved:
            number = runner.epoch if self.by_epoch else runner.iter
            meta = {"epoch": runner.epoch, "iter": runner.iter}
            self._save(runner, self._template.format(number), meta, number)
        self.after_interrupted_train(runner)
        self._publish(runner)

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """Stop saving after an interrupted training, whose progress is saved already."""
        self._is_training = False
        self._writes.finish(close=True)

    def _publish(self, runner: HookRunner) -> None:
        if not is_main_process():
            return
        # Not that of another hook, which may still be written.
        paths = [self._last or runner.message_hub.get_info("last_ckpt")] if self.save_last else []
        paths += [self.best_ckpt_path, *self.best_ckpt_path_dict.values()]
        publish_all(paths, self.published_keys, self.export, self.backend_args, runner.logger)

    # ------------------------------------------------------------------ the latest

    def _save(
        self, runner: HookRunner, name: str, meta: dict[str, int], number: int | None
    ) -> None:
        """Save, point ``last_checkpoint`` to it, and only then remove old checkpoints."""
        self._restart_clock()
        order = next_save_number()  # another hook may complete a later save before
        self._pass_over_failure(runner)
        self._surplus += self._kept.add(name, number)
        path = self._last = self._folder_path(name)
        runner.message_hub.update_info("last_ckpt", path)
        self._write(runner, name, meta)

        # A crash between any two of these steps leaves a whole checkpoint that is pointed to.
        def publish() -> None:
            write_last_checkpoint(runner.work_dir, path, order)
            while self._surplus:
                self._remove(self._surplus.pop(0))
            if self._writes.is_folder:
                remove_unfinished(self._place, self._logger)

        self._writes.then(publish)
        if not is_main_process():
            self._surplus.clear()
        if not self._writes.in_background:
            barrier()

    def _pass_over_failure(self, runner: HookRunner) -> None:
        """Wait for the checkpoint before, and forget it if it could not be written."""
        if not self._writes.in_background:
            return
        hub = runner.message_hub
        for name in self._writes.check(runner.logger):
            self._written = self._last = None
            self._kept.forget(name)
            if hub.get_info("last_ckpt") == self._folder_path(name):
                kept = self._kept.files[-1:]
                hub.update_info("last_ckpt", self._folder_path(kept[0]) if kept else None)
            if self.key_indicators:
                self._forget_best(hub, name)

    def _forget_best(self, hub: MessageHub, name: str) -> None:
        """Forget a best checkpoint that could not be written: the one before is the best again."""
        for metric in self._bests.forget(name):
            suffix = f"_{metric}" if len(self.key_indicators) > 1 else ""
            found = self._bests.best(metric)
            if found is not None:
                self._announce(hub, found, suffix)
                continue
            for key in (f"best_score{suffix}", f"best_ckpt{suffix}"):
                hub.pop_info(key)
            self.best_ckpt_path = None
            self.best_ckpt_path_dict.pop(metric, None)

    def _write(self, runner: HookRunner, name: str, meta: dict[str, int]) -> None:
        """Write a checkpoint; one of the same state is copied, not serialised again."""
        point = (meta["epoch"], meta["iter"])
        bits = fingerprint(runner.model) if self.key_indicators else []
        written = self._written
        if written is not None and written.point == point and self._is_unchanged(written, bits):
            paths = self._folder_path(written.name), self._folder_path(name)
            self._writes.note(name)
            self._writes.then(lambda: copy_checkpoint(self.file_backend, *paths))
            return
        self._pass_over_failure(runner)
        settings, writer = dict(self.args), self._writes.begin(name)
        if writer is not None:
            settings["writer"] = writer
        runner.save_checkpoint(
            self._folder,
            filename=name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **settings,
        )
        self._written = WrittenCheckpoint(name, point, bits)

    def _is_unchanged(self, written: WrittenCheckpoint, bits: list[int]) -> bool:
        """Whether a checkpoint has the present weights and still exists. All ranks agree.

        A hook may have changed the model since, as one that re-estimates statistics does.
        """
        is_same = written.bits == bits
        if is_main_process():
            path = self._folder_path(written.name)
            exists = self._writes.is_busy or checkpoint_exists(self.file_backend, path)
            is_same = is_same and exists
        return all(all_gather_object(is_same))

    def _remove(self, name: str) -> None:
        remove_file(self.file_backend, self._folder_path(name), self._logger)

    def _folder_path(self, name: str) -> str:
        return self.file_backend.join_path(self._folder, name)

    # ------------------------------------------------------------------ the best

    def _save_if_best(self, runner: HookRunner, key: str, metrics: dict[str, float]) -> None:
        score = usable_score(key, metrics, runner.logger, self._warned)
        if score is None:
            return
        suffix = f"_{key}" if len(self.key_indicators) > 1 else ""
        rule = self._find_rule(key)
        is_better, worst = self.rule_map[rule], self.init_value_map[rule]
        best_score = self._find_best_score(runner.message_hub, key, suffix, worst)
        is_best = is_better(score, best_score)
        is_kept = self._bests.is_among(key, score, runner.iter, self.save_top_k, rule)
        if math.isnan(score) or not (is_best or is_kept):
            return
        done = runner.epoch if self.by_epoch else runner.iter
        # Metrics may have a prefix, "accuracy/top1": it must not make a folder.
        name = f"best_{key.replace('/', '_')}_{self._template.format(done)}"
        self._pass_over_failure(runner)
        best = BestCheckpoint(key, score, name, runner.epoch, runner.iter, is_best)
        self._bests.records.append(best)
        if is_best:
            self._announce(runner.message_hub, best, suffix)
        self._write(runner, name, {"epoch": runner.epoch, "iter": runner.iter})
        superseded = self._list_superseded(key, suffix)
        bests = BestCheckpoints(self._bests.run, self._bests.records)

        def publish() -> None:
            bests.write(runner.work_dir, self.key_indicators)
            for file in superseded:
                self._remove(file)

        self._writes.then(publish)
        log_best(best, f"{self.unit} {done}", self.save_top_k, runner.logger)

    def _load_bests(self, runner: HookRunner) -> None:
        """Read the best checkpoints so far: from the record of this run, else the message hub."""
        hub = runner.message_hub
        run = run_id_of(hub)
        recorded = BestCheckpoints.read(runner.work_dir, run)
        self._bests = (recorded or BestCheckpoints(run)).up_to(runner.iter)
        #: Entries of the hub for a run without a record. Later they may be those of another hook.
        self._of_hub = dict(hub.runtime_info) if recorded is None else {}
        if recorded is not None and is_main_process():
            # The metric of 'auto' is unknown before the first validation: all metrics are its own.
            metrics = {record.metric for record in recorded.records}
            if self.key_indicators != ["auto"]:
                metrics &= set(self.key_indicators)
            if len(recorded.records) > len(self._bests.records):
                self._bests.write(runner.work_dir, metrics)  # later ones are of another course now
            for key in sorted(metrics):  # left where the run was killed in between
                for file in self._find_superseded(key):
                    self._remove(file)

    def _find_best_score(self, hub: MessageHub, key: str, suffix: str, worst: float) -> float:
        """Return the best score: of the record, or without one, of the message hub."""
        recorded = self._bests.best(key)
        if recorded is None:
            return float(self._of_hub.get(f"best_score{suffix}", worst))
        self._announce(hub, recorded, suffix)
        return recorded.score

    def _announce(self, hub: MessageHub, best: BestCheckpoint, suffix: str) -> None:
        """Publish a best checkpoint to the message hub and the attributes of this hook."""
        path = self._folder_path(best.file)
        hub.update_info(f"best_score{suffix}", best.score)
        hub.update_info(f"best_ckpt{suffix}", path)
        if len(self.key_indicators) > 1:
            self.best_ckpt_path_dict[best.metric] = path
        else:
            self.best_ckpt_path = path

    def _list_superseded(self, key: str, suffix: str) -> list[str]:
        """Files of this run that the new best checkpoint takes the place of."""
        files = self._find_superseded(key)
        previous = self._of_hub.pop(f"best_ckpt{suffix}", None)
        if previous is not None:
            name = PurePath(previous).name
            # One in another folder is another run's, from which this one was resumed.
            is_here = self._folder_path(name) == previous
            best = self._bests.best(key)
            # Nor is a file that only looks like one, whatever made the checkpoint.
            if is_here and name.startswith("best_") and best is not None and name != best.file:
                files.append(name)
        return files

    def _find_superseded(self, key: str) -> list[str]:
        rule = self._find_rule(key) if self.save_top_k > 1 else None
        return self._bests.superseded(key, self.save_top_k, rule)

    def _has_rule(self, key: str, runner: HookRunner) -> bool:
        """Whether the metric of ``'auto'`` has a rule; warns the first time if not."""
        try:
            self._find_rule(key)
        except HookArgumentError as error:
            if key not in self._warned:
                self._warned.add(key)
                runner.logger.warning(f"save_best='auto': {error}. No best checkpoint is kept.")
            return False
        return True

    def _find_rule(self, key: str) -> str:
        given = self._rules.get(key) or self._rules.get("")
        return given or infer_rule(key, self.greater_keys, self.less_keys)

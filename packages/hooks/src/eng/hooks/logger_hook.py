"""Log lines and curves."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from eng.dataset import length_of
from eng.dist import is_main_process
from eng.fileio import FileClient, get_file_backend, merged_backend_args
from eng.registry import HOOKS
from eng.utils import override

from .data_wait import DataWaitNotice
from .errors import HookTypeError
from .hook import DataBatch, Hook
from .nan_loss import NanLossNotice
from .protocol import HookRunner
from .run_id import run_id_of
from .types import StepOutputs, StorageSettings
from .values import check_number, json_value

__all__ = ["LoggerHook"]


@HOOKS.register_module()
class LoggerHook(Hook):
    """Writes the scalars of a run to the log and the visualizer, by the log processor.

    Args:
        interval: Iterations between two lines. Defaults to 10.
        ignore_last: Whether an epoch that does not end on the interval ends without a line.
            Defaults to True.
        interval_exp_name: Iterations between two lines with the name of the experiment, which the
            end of an epoch has as well. Defaults to 1000.
        out_dir: Where logs are copied to at the end, into a folder named like the work directory.
            Defaults to None: they stay in the work directory.
        out_suffix: Endings of the files that are copied.
        keep_local: Whether copied files stay in the work directory as well. Defaults to True.
            Otherwise log lines after the run begin a new file there.
        file_client_args: Settings of the storage under their older name. Defaults to None.
        log_metric_by_epoch: Whether metrics of validation are recorded over epochs, not
            iterations. Defaults to True.
        backend_args: Settings of the storage of ``out_dir``. Defaults to None.

    Raises:
        HookArgumentError: If an interval is not an integer of at least 1. It is a
            :class:`ValueError`.
        HookTypeError: If ``out_dir`` is not a path. It is a :class:`TypeError`.
        ValueError: If both kinds of settings are given.
    """

    priority = "BELOW_NORMAL"

    def __init__(
        self,
        interval: int = 10,
        ignore_last: bool = True,
        interval_exp_name: int = 1000,
        out_dir: str | Path | None = None,
        out_suffix: Sequence[str] | str = (".json", ".log", ".py", "yaml"),
        keep_local: bool = True,
        file_client_args: StorageSettings | None = None,
        log_metric_by_epoch: bool = True,
        backend_args: StorageSettings | None = None,
    ) -> None:
        check_number("LoggerHook: interval", interval, least=1)
        check_number("LoggerHook: interval_exp_name", interval_exp_name, least=1)
        if out_dir is not None and not isinstance(out_dir, (str, PurePath)):
            raise HookTypeError(f"LoggerHook: out_dir must be a path or None, got {out_dir!r}")
        self.interval = interval
        self.ignore_last = ignore_last
        self.interval_exp_name = interval_exp_name
        self._given_out_dir = self.out_dir = None if out_dir is None else str(out_dir)
        self.file_client_args = file_client_args
        self.out_suffix = (out_suffix,) if isinstance(out_suffix, str) else tuple(out_suffix)
        self.keep_local = keep_local
        self.log_metric_by_epoch = log_metric_by_epoch
        self.backend_args = merged_backend_args("LoggerHook", file_client_args, backend_args)
        self.json_log_path = ""
        self._nan_losses = NanLossNotice()
        self._data_wait = DataWaitNotice()
        self._is_measured = False
        self._length: int | None = None
        # Places of logs in out_dir, and those that are nowhere else.
        self._targets: dict[Path, str] = {}
        self._moved: set[Path] = set()

    @property
    def file_client(self) -> FileClient | None:
        """Client of the storage of ``out_dir``, under its older name; None without one."""
        if self._given_out_dir is None:
            return None
        return FileClient.infer_client(self.file_client_args, self._given_out_dir)

    @override
    def before_run(self, runner: HookRunner) -> None:
        """Determine the folder for copies of logs."""
        self.json_log_path = f"{runner.timestamp}.json"
        root = self._given_out_dir
        if root is not None:
            self.file_backend = get_file_backend(root, backend_args=self.backend_args)
            self.out_dir = self.file_backend.join_path(root, Path(runner.work_dir).name)
            self._bring_back(runner)
            runner.logger.info(f"Logs will be copied to {self.out_dir} after the run.")

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Continue the curves of a resumed run, and watch the losses from here on."""
        self._nan_losses.begin(runner)
        self._data_wait.begin(runner)
        self._is_measured = False
        run_id = run_id_of(runner.message_hub)
        # A third-party visualizer may not have it.
        start_run = getattr(runner.visualizer, "start_run", None)
        if start_run is not None:
            for line in start_run(run_id, runner.iter, runner.work_dir) or []:
                runner.logger.info(line)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Check the losses since the last line."""
        self._nan_losses.look(runner, runner.iter)

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Write a line at the interval."""
        if batch_idx == 0 or not self._is_measured:
            # Once an epoch: a length goes through loader, samplers and dataset.
            self._length, self._is_measured = length_of(runner.train_dataloader), True
        number, iteration = batch_idx + 1, runner.iter + 1
        is_last = number == self._length
        if is_last or iteration % self.interval_exp_name == 0:
            name = f"Exp name: {runner.experiment_name}"
            runner.logger.info(name, extra={"terminal_text": ""})  # not for a terminal
        due = number % self.interval == 0
        if is_last and not due:
            due = not self.ignore_last or batch_idx < self.interval
        if due:
            self._nan_losses.look(runner, iteration)
            self._data_wait.look(runner, iteration)
            scalars, line = runner.log_processor.get_log_after_iter(runner, batch_idx, "train")
            runner.logger.info(line)
            runner.visualizer.add_scalars(scalars, step=iteration, file_path=self.json_log_path)

    @override
    def after_val_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Write a line at the interval."""
        if self.every_n_inner_iters(batch_idx, self.interval):
            _, line = runner.log_processor.get_log_after_iter(runner, batch_idx, "val")
            runner.logger.info(line)

    @override
    def after_test_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Write a line at the interval."""
        if self.every_n_inner_iters(batch_idx, self.interval):
            _, line = runner.log_processor.get_log_after_iter(runner, batch_idx, "test")
            runner.logger.info(line)

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Write the metrics."""
        length = _count_batches(runner, "val")
        scalars, line = runner.log_processor.get_log_after_epoch(runner, length, "val")
        runner.logger.info(line)
        step = runner.epoch if self.log_metric_by_epoch else runner.iter
        runner.visualizer.add_scalars(scalars, step=step, file_path=self.json_log_path)

    @override
    def after_test_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Write the results, and all of them to a separate file as well."""
        processor, length = runner.log_processor, _count_batches(runner, "test")
        more = (
            {"with_non_scalar": True} if _accepts_non_scalars(processor.get_log_after_epoch) else {}
        )
        results, line = processor.get_log_after_epoch(runner, length, "test", **more)
        runner.logger.info(line)
        if is_main_process():
            path = Path(runner.log_dir) / self.json_log_path
            text = json.dumps({str(k): json_value(v) for k, v in results.items()}) + "\n"
            try:
                path.write_text(text)
            except OSError as error:
                runner.logger.warning(f"Failed to write the metrics to {path}: {error}")

    @override
    def after_run(self, runner: HookRunner) -> None:
        """Copy the logs to ``out_dir`` and close the visualizer."""
        runner.visualizer.close()
        if self.out_dir is None or not is_main_process():
            return
        if not self.keep_local:
            _close_files(runner.logger, Path(runner.log_dir))
        try:
            self._copy_logs(Path(runner.log_dir), self.out_dir)
        except Exception as error:  # of any storage: the run itself is complete
            runner.logger.warning(
                f"Failed to copy the logs to {self.out_dir}; they are in {runner.log_dir}: "
                f"{type(error).__name__}: {error}"
            )

    def _copy_logs(self, log_dir: Path, out_dir: str) -> None:
        for path in sorted(log_dir.rglob("*")):
            if path.is_file() and path.name.endswith(self.out_suffix):
                target = self._targets.get(path) or self._choose_target(path, log_dir, out_dir)
                self.file_backend.copyfile_from_local(str(path), target)
                if not self.keep_local:
                    self._targets[path] = target
                    self._moved.add(path)
                    path.unlink()

    def _choose_target(self, path: Path, log_dir: Path, out_dir: str) -> str:
        """Choose the place of a log, which is not that of another start without a local copy."""
        relative = path.relative_to(log_dir).as_posix()
        target = self.file_backend.join_path(out_dir, relative)
        if self.keep_local or not self.file_backend.exists(target):
            return target
        return self.file_backend.join_path(out_dir, log_dir.name, relative)

    def _bring_back(self, runner: HookRunner) -> None:
        """Bring back the logs that were moved after an earlier run of the same runner.

        This run appends to them; moved again, its own lines would replace all others.
        """
        if self._moved:
            _close_files(runner.logger, Path(runner.log_dir))
        while self._moved:
            path = self._moved.pop()
            since = path.read_bytes() if path.exists() else b""
            try:
                self.file_backend.copyfile_to_local(self._targets[path], str(path))
            except Exception as error:  # of any storage: the log goes on beside it
                target = self._targets.pop(path)
                runner.logger.warning(f"Failed to continue {target}: {error}")
                continue
            with path.open("ab") as file:
                file.write(since)


def _count_batches(runner: HookRunner, mode: str) -> int:
    """Count the batches of an evaluation, of data without a length those that were read."""
    # A third-party loop may have several data loaders, and none under this name.
    seen: int = getattr(getattr(runner, f"{mode}_loop", None), "batches_seen", 0)
    return length_of(getattr(runner, f"{mode}_dataloader", None)) or seen


def _close_files(logger: logging.Logger, folder: Path) -> None:
    """Close the files that a logger writes below a folder, so that they can be removed.

    A handler that appends opens its file again when more is logged.
    """
    for handler in logger.handlers:
        path = getattr(handler, "baseFilename", None)
        if path is not None and folder.resolve() in Path(path).resolve().parents:
            handler.close()


def _accepts_non_scalars(method: Callable[..., object]) -> bool:
    """Whether a method of a log processor, perhaps a third-party one, returns all results."""
    return "with_non_scalar" in inspect.signature(method).parameters

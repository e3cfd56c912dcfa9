"""Format scalars of the message hub as log lines."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Sequence
from typing import Any

import torch

from eng.dataset import length_of
from eng.device import get_max_cuda_memory, is_cuda_available
from eng.hooks import HookRunner
from eng.registry import LOG_PROCESSORS
from eng.utils import StateDict

from .errors import RunnerAssertionError
from .log_line import LogLine
from .types import Settings

__all__ = ["LogProcessor"]

#: Statistics of a history that cover entries which it no longer keeps.
_OF_TOTALS = ("mean", "max", "min", "current")
_TIMES = ("time", "data_time")
#: Numbers of a line that are not losses.
_OTHERS = (*_TIMES, "epoch", "iter", "memory")


@LOG_PROCESSORS.register_module()
class LogProcessor:
    """Formats the scalars of the message hub as numbers to record and a line of the log.

    Args:
        window_size: Number of iterations over which losses and times are averaged. Defaults to
            10.
        by_epoch: Whether lines count epochs. Defaults to True.
        custom_cfg: Settings of single scalars, each with ``data_src``, the scalar, ``method_name``,
            a statistics method of its history, ``log_name``, the name it gets (without one the
            scalar itself is replaced), and arguments of the method; ``window_size`` may be a
            number, ``'epoch'`` or ``'global'``. Defaults to None.
        num_digits: Digits after the point. Defaults to 4.
        log_with_hierarchy: Whether recorded names keep ``train/``, ``val/`` and ``test/``. Lines
            stay the same. Defaults to False.
        mean_pattern: A regular expression of the names of scalars that are averaged over the
            window; the current value of all others is shown.

    Raises:
        RunnerConfigError: If a scalar is replaced twice, a name is duplicate, or a window is in
            epochs where lines count iterations.
    """

    def __init__(
        self,
        window_size: int = 10,
        by_epoch: bool = True,
        custom_cfg: Sequence[Settings] | None = None,
        num_digits: int = 4,
        log_with_hierarchy: bool = False,
        mean_pattern: str = r".*(loss|time|data_time|grad_norm).*",
    ) -> None:
        self.window_size = window_size
        self.by_epoch = by_epoch
        self.custom_cfg = [dict(cfg) for cfg in custom_cfg or []]
        self.num_digits = num_digits
        self.log_with_hierarchy = log_with_hierarchy
        self.mean_pattern = re.compile(mean_pattern)
        self._batch_idx = 0
        #: Number of batches of an epoch of training, the epoch, and its latest batch with a line.
        self._length: int | None = None
        self._measured: tuple[int | None, int] = (None, 0)
        #: By key of the message hub, the names of scalars and whether they are averaged.
        self._names: dict[str, tuple[str, bool]] = {}
        self._check_custom_cfg()

    def get_log_after_iter(
        self, runner: HookRunner, batch_idx: int, mode: str
    ) -> tuple[StateDict, str]:
        """Return numbers and line after an iteration.

        Args:
            runner: The runner.
            batch_idx: Number of the batch in its loop, from 0.
            mode: ``'train'``, ``'val'`` or ``'test'``.

        Returns:
            Numbers by name, and the line.
        """
        scalars = self._collect_statistics(runner, batch_idx, mode)
        digits = self.num_digits
        parts, losses = [self._format_position(runner, batch_idx, mode)], []
        for name, value in scalars.items():
            if name.endswith("lr"):
                parts.append(f"{name}: {value:.{digits}e}")
            elif mode == "train" and name not in _OTHERS:
                losses.append(f"{name}: {value:.{digits}f}")
        eta = runner.message_hub.get_info("eta")
        if eta is not None:
            parts.append(f"eta: {datetime.timedelta(seconds=int(eta))}")
        parts += [f"{n}: {scalars[n]:.{digits}f}" for n in _TIMES if n in scalars]
        if mode == "train":
            scalars["epoch"] = runner.epoch + 1 if self.by_epoch else runner.epoch
            scalars["iter"] = runner.iter + 1
        if self._has_gpu:
            memory = self._get_max_memory(runner)
            parts.append(f"memory: {memory}")
            scalars["memory"] = memory
        line = LogLine("  ".join(parts + losses))
        line.mode, line.scalars = mode, scalars
        return self._add_prefix(scalars, mode), line

    def get_log_after_epoch(
        self, runner: HookRunner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[StateDict, str]:
        """Return numbers and line after validation or testing.

        Args:
            runner: The runner.
            batch_idx: Number of batches of the loop.
            mode: ``'val'`` or ``'test'``.
            with_non_scalar: Whether results that are not numbers are returned as well. Defaults to
                False: they are in the line alone.

        Returns:
            Numbers by name, and the line.

        Raises:
            ValueError: If ``mode`` is invalid.
        """
        if mode not in ("val", "test"):
            raise ValueError(f"mode must be 'val' or 'test', not {mode!r}")
        scalars = self._collect_statistics(runner, batch_idx - 1, mode)
        times = ("data_time", "time")
        words = self._collect_non_scalars(runner, mode)
        shown = [(name, value) for name, value in scalars.items() if name not in times]
        shown += [*words.items(), *((name, scalars[name]) for name in times if name in scalars)]
        parts = [self._format_position(runner, batch_idx - 1, mode)]
        for name, value in sorted(shown, key=lambda pair: pair[0] in times):
            number = isinstance(value, float)
            parts.append(f"{name}: {value:.{self.num_digits}f}" if number else f"{name}: {value}")
        if with_non_scalar:
            late = {name: scalars.pop(name) for name in times if name in scalars}
            scalars.update({**words, **late})
        line = LogLine("  ".join(parts))
        line.mode, line.scalars, line.is_end = mode, scalars, True
        return self._add_prefix(scalars, mode), line

    def entries_needed(self, runner: HookRunner, key: str) -> int | None:
        """Count the latest entries of a history that a resumed run needs.

        Statistics of all entries by ``mean``, ``max``, ``min`` and ``current`` need none of them:
        the history has totals of the others.

        Args:
            runner: The runner.
            key: Key of the history in the message hub, such as ``'train/loss'``.

        Returns:
            The number, None for all entries.
        """
        mode, _, name = key.partition("/")
        needed = [1, int(self.window_size)]
        for cfg in self.custom_cfg:
            if cfg["data_src"] != name:
                continue
            window = cfg.get("window_size")
            if window == "epoch":
                needed.append(len(runner.train_dataloader) if mode == "train" else 1)
            elif isinstance(window, (int, float)):
                needed.append(int(window))
            elif cfg["method_name"] not in _OF_TOTALS:
                return None
        return max(needed)

    def _format_position(self, runner: HookRunner, batch_idx: int, mode: str) -> str:
        """Format the progress of the run: ``Epoch(train)  [2][10/45]``."""
        done = batch_idx + 1
        if mode == "train":
            if self.by_epoch:
                number = self._get_epoch(runner, mode)
                length = self._measure_epoch(runner, number, batch_idx) or "?"
                epoch = f"[{number:>{len(str(runner.max_epochs))}}]"
                return f"Epoch(train)  {epoch}[{done:>{len(str(length))}}/{length}]"
            total = runner.max_iters
            return f"Iter(train)  [{self._get_iter(runner):>{len(str(total))}}/{total}]"
        length = self._get_dataloader_size(runner, mode) or "?"
        batch = f"[{done:>{len(str(length))}}/{length}]"
        kind = "Epoch" if self.by_epoch else "Iter"
        if mode == "val" and self.by_epoch and runner.max_epochs is not None:
            return f"{kind}({mode})    [{self._get_epoch(runner, mode)}]{batch}"
        return f"{kind}({mode})  {batch}"

    def _measure_epoch(self, runner: HookRunner, epoch: int, batch_idx: int) -> int | None:
        """Return the length of an epoch of training, which goes through loader and dataset."""
        if self._measured[0] != epoch or self._measured[1] >= batch_idx:  # of the first line
            self._length = self._get_dataloader_size(runner, "train")
        self._measured = epoch, batch_idx
        return self._length

    def _collect_statistics(self, runner: HookRunner, batch_idx: int, mode: str) -> StateDict:
        """The scalars of a mode without its prefix, each by its statistics."""
        custom = self._parse_windows_size(runner, batch_idx, self.custom_cfg)
        return self._collect_scalars(custom, runner, mode)

    @functools.cached_property
    def _has_gpu(self) -> bool:
        return is_cuda_available()

    # Third-party log processors override the methods below.

    def _get_cur_loop(self, runner: HookRunner, mode: str) -> Any:
        """Return the loop of a mode."""
        return getattr(runner, f"{mode}_loop")

    def _get_dataloader_size(self, runner: HookRunner, mode: str) -> int | None:
        """Return the number of batches of a mode, None if it is unknown."""
        if type(self)._get_cur_loop is LogProcessor._get_cur_loop:
            return length_of(getattr(runner, f"{mode}_dataloader", None))
        return length_of(getattr(self._get_cur_loop(runner, mode), "dataloader", None))

    def _get_epoch(self, runner: HookRunner, mode: str) -> int:
        """Return the epoch of a line: the present one, or the last one of training."""
        return runner.epoch + 1 if mode == "train" else runner.epoch

    def _get_iter(self, runner: HookRunner, batch_idx: int | None = None) -> int:
        """Return the iteration of a line; of an evaluation that of its batch."""
        return runner.iter + 1 if batch_idx is None else batch_idx + 1

    def _get_max_memory(self, runner: HookRunner) -> int:
        """Return the peak memory of the GPU, in MB."""
        return get_max_cuda_memory(torch.device("cuda"))

    def _remove_prefix(self, string: str, prefix: str) -> str:
        """Return a name without the prefix of its mode."""
        return string.removeprefix(prefix)

    def _collect_non_scalars(self, runner: HookRunner, mode: str) -> StateDict:
        """Results of a mode that are not numbers, by name."""
        prefix = f"{mode}/"
        return {
            self._remove_prefix(key, prefix): value
            for key, value in runner.message_hub.runtime_info.items()
            if key.startswith(prefix)
        }

    def _parse_windows_size(
        self, runner: HookRunner, batch_idx: int, custom_cfg: Sequence[Settings] | None = None
    ) -> list[StateDict]:
        """Settings of single scalars, with windows as numbers of entries."""
        self._batch_idx = batch_idx
        parsed = [dict(cfg) for cfg in (self.custom_cfg if custom_cfg is None else custom_cfg)]
        for cfg in parsed:
            if "window_size" in cfg:
                cfg["window_size"] = self._resolve_window(cfg["window_size"], runner, batch_idx)
        return parsed

    def _collect_scalars(
        self,
        custom_cfg: Sequence[Settings],
        runner: HookRunner,
        mode: str,
        reserve_prefix: bool = False,
    ) -> StateDict:
        """The scalars of a mode, each by its statistics, after ``_parse_windows_size``."""
        prefix = f"{mode}/"
        kept = prefix if reserve_prefix else ""
        done = max(1, self._batch_idx + 1)
        window = min(self.window_size, done) if self.by_epoch else self.window_size
        metrics = () if mode == "train" else runner.message_hub.get_info("metric_names", ())
        histories = runner.message_hub.log_scalars
        collected = {}
        for key, history in histories.items():
            if not key.startswith(prefix):
                continue
            name, is_averaged = self._names.get(key) or self._find_name(key, prefix)
            # Times of an evaluation are averaged over all its batches.
            size = done if mode != "train" and name in _TIMES else window
            # A metric has one entry an evaluation, which is not averaged with those before.
            is_mean = is_averaged and key not in metrics
            collected[kept + name] = float(history.mean(size) if is_mean else history.current())
        for cfg in custom_cfg:
            settings = dict(cfg)
            source = settings.pop("data_src")
            if prefix + source in histories:
                name = settings.pop("log_name", source)
                history = histories[prefix + source]
                collected[kept + name] = float(history.statistics(**settings))
        return collected

    def _find_name(self, key: str, prefix: str) -> tuple[str, bool]:
        """Find the name of a scalar and whether it is averaged, once."""
        name = self._remove_prefix(key, prefix)
        self._names[key] = name, self.mean_pattern.search(name) is not None
        return self._names[key]

    def _add_prefix(self, scalars: StateDict, mode: str) -> StateDict:
        """Return the numbers under their recorded names."""
        if not self.log_with_hierarchy:
            return scalars
        counts = ("epoch", "iter", "memory")
        return {k if k in counts else f"{mode}/{k}": value for k, value in scalars.items()}

    @staticmethod
    def _resolve_window(window: int | str, runner: HookRunner, batch_idx: int) -> int:
        if window == "epoch":
            return batch_idx + 1
        if window == "global":
            return runner.iter + 1
        return int(window)

    def _check_custom_cfg(self) -> None:
        names: set[str] = set()
        for cfg in self.custom_cfg:
            for key in ("data_src", "method_name"):
                if key not in cfg:
                    raise RunnerAssertionError(
                        f"log_processor: custom_cfg {cfg}: missing key {key!r}"
                    )
            name = cfg.get("log_name", cfg["data_src"])
            if name in names:
                raise RunnerAssertionError(
                    f"log_processor: duplicate name {name!r} in custom_cfg; set another log_name"
                )
            names.add(name)
            window = cfg.get("window_size")
            if isinstance(window, str) and window not in ("epoch", "global"):
                raise RunnerAssertionError(
                    f"log_processor: window_size of {name!r} must be a number, 'epoch' or "
                    f"'global', not {window!r}"
                )
            if window == "epoch" and not self.by_epoch:
                raise RunnerAssertionError(
                    f"log_processor: window_size of {name!r} is 'epoch', but by_epoch is False"
                )

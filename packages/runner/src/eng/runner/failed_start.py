"""Remove what a run has written that failed before its loop began."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eng.dist import is_main_process
from eng.hooks import Hook
from eng.utils import override

from .runner import Runner
from .work_dir_config import CONFIG_SUFFIXES

__all__ = ["FailedStart"]


class FailedStart:
    """Removes the folders of a run that has neither trained nor tested.

    Args:
        work_dir: Its work directory, before the run is built.
    """

    def __init__(self, work_dir: str) -> None:
        self._work_dir = Path(work_dir).expanduser().absolute()
        self._is_new = not self._work_dir.exists()
        self._configs = dict(_read_configs(self._work_dir))
        self._start = _Start()

    @property
    def has_begun(self) -> bool:
        """Whether training or testing has begun."""
        return self._start.has_begun

    @contextmanager
    def removed(self, runner: Runner) -> Iterator[None]:
        """Remove the folders if the block fails before training or testing begins.

        Args:
            runner: The runner, which trains or tests within the block.

        Yields:
            Nothing.
        """
        runner.register_hook(self._start)
        try:
            yield
        except BaseException:
            if not self.has_begun and is_main_process():
                self._remove(Path(runner.log_dir))
            raise

    def _remove(self, log_dir: Path) -> None:
        with suppress(OSError):
            copies = {path.name for path in log_dir.iterdir() if path.is_file()}
            for name in copies:
                self._take_back(log_dir / name, self._work_dir / name)
            shutil.rmtree(log_dir)
            # Unless another job has written there meanwhile: files of the folder of this start
            # that are copied to the work directory are its config.
            if self._is_new and {path.name for path in self._work_dir.iterdir()} <= copies:
                shutil.rmtree(self._work_dir)

    def _take_back(self, dump: Path, copy: Path) -> None:
        """Restore the config that was in the work directory before, if this start replaced it."""
        if not copy.is_file() or copy.read_bytes() != dump.read_bytes():
            return
        before = self._configs.get(copy.name)
        if before is None:
            copy.unlink()
        elif before != copy.read_bytes():
            copy.write_bytes(before)


def _read_configs(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix in CONFIG_SUFFIXES and path.is_file():
            yield path.name, path.read_bytes()


class _Start(Hook):
    """Notes that a loop has begun."""

    priority = "HIGHEST"

    def __init__(self) -> None:
        self.has_begun = False

    @override
    def before_train(self, runner: Runner) -> None:
        self.has_begun = True

    @override
    def before_test(self, runner: Runner) -> None:
        self.has_begun = True

"""Named loggers for terminals and files, with one line per message."""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from logging import LogRecord
from pathlib import Path
from typing import Any, TextIO

from eng.utils import InvalidSettingError, ManagerMixin, override

from .duplicates import FilterDuplicateWarning
from .file_handlers import make_file_handler
from .terminal_view import TerminalView

__all__ = ["MMLogger", "print_log"]

#: The file of the standard library whose frames no line is logged by.
_LOGGING = logging.addLevelName.__code__.co_filename

_COLORS = {
    logging.DEBUG: "36",
    logging.INFO: "32",
    logging.WARNING: "33",
    logging.ERROR: "31",
    logging.CRITICAL: "1;31",
}


class MMLogger(logging.Logger, ManagerMixin):
    """A logger that is shared by name through :meth:`get_instance`, not by ``logging.getLogger``.

    Output is colored on terminals only; ranks above 0 print only errors. Repeated warnings are
    shown once, until :meth:`reset_warnings`; a call with ``extra={"once": False}`` always shows
    its warning.

    Args:
        name: Name of the instance.
        logger_name: Name in the log lines; the default is shown as ``eng``.
        log_file: Log file, written by rank 0.
        log_level: Level by name or number.
        file_mode: Mode to open the file in.
        distributed: Whether each rank writes its own file: ``run.log`` becomes
            ``run_rank1.log``.
        once: Whether repeated errors are shown once, too; a call with ``extra={"once": True}``
            does so for its message.
        file_handler_cfg: Handler that writes ``log_file``: the name of a file handler of
            :mod:`logging.handlers`, such as ``RotatingFileHandler``, under ``type``, and its
            arguments. Not used without ``log_file``.

    Raises:
        ValueError: The level or the type of handler is unknown.
        AssertionError: ``file_handler_cfg`` has no ``type``.
        OSError: The log file or its directory cannot be written.
    """

    def __init__(
        self,
        name: str,
        logger_name: str = "mmengine",
        log_file: str | Path | None = None,
        log_level: str | int = "INFO",
        file_mode: str = "w",
        distributed: bool = False,
        once: bool = False,
        file_handler_cfg: Mapping[str, object] | None = None,
    ) -> None:
        logging.Logger.__init__(self, logger_name)
        ManagerMixin.__init__(self, name)
        level = _parse_level(log_level)
        rank, world_size = _find_rank_and_size()
        self.setLevel(level)
        self._once = _OnceFilter(once)
        self.addFilter(self._once)
        self._terminal = _TerminalHandler()
        self._terminal.setLevel(level if rank == 0 else max(level, logging.ERROR))
        self.addHandler(self._terminal)
        self._log_file: Path | None = None
        self._settings = {"logger_name": logger_name, "log_level": level, "once": once}
        if log_file is not None and (rank == 0 or distributed):
            path = Path(log_file)
            if distributed and world_size > 1:
                path = path.with_name(f"{path.stem}_rank{rank}{path.suffix}")
            if file_handler_cfg is None:
                self._add_file(path, file_mode, level)
            else:
                self._add_handler(make_file_handler(file_handler_cfg, path, file_mode), level)

    @property
    def log_file(self) -> str | None:
        """Path of the log file that this process writes, or None."""
        return None if self._log_file is None else str(self._log_file)

    @classmethod
    @override
    def get_current_instance(cls) -> "MMLogger":
        """Return the most recently created logger, or create one called ``mmengine``."""
        if not cls._instance_dict:
            cls.get_instance("mmengine")
        return super().get_current_instance()

    def reset_warnings(self) -> None:
        """Forget the warnings that were shown, so that each is shown once more."""
        self._once.seen.clear()

    def keep_files_open(self) -> None:
        """Keep the log file open between records, until :meth:`close_files`."""
        for handler in self.handlers:
            if isinstance(handler, _FileHandler):
                handler.is_kept_open = True

    def close_files(self) -> None:
        """Close the log file. Each later record opens and closes it again."""
        for handler in self.handlers:
            if isinstance(handler, _FileHandler):
                handler.is_kept_open = False
                handler.close_stream()

    def set_terminal_view(self, view: TerminalView | None) -> None:
        """Let a view display the records that are printed. Files are not affected.

        Args:
            view: The view; None prints each record in one line again.
        """
        old = self._terminal
        self._terminal = _TerminalHandler() if view is None else _ViewHandler(view)
        self._terminal.setLevel(old.level)
        self.handlers[self.handlers.index(old)] = self._terminal

    @override
    def callHandlers(self, record: LogRecord) -> None:
        """Pass a record to the handlers of this logger and of its parents."""
        logger: logging.Logger | None = self
        while logger is not None:
            for handler in logger.handlers:
                if record.levelno >= handler.level:
                    handler.handle(record)
            logger = logger.parent if logger.propagate else None

    @override
    def findCaller(
        self, stack_info: bool = False, stacklevel: int = 1
    ) -> tuple[str, int, str, str | None]:
        """Find the line that logs, as other loggers do, in a third of the calls."""
        if stack_info or stacklevel != 1:
            return super().findCaller(stack_info, stacklevel + 1)
        frame = sys._getframe(1)
        while frame.f_code.co_filename == _LOGGING and frame.f_back is not None:
            frame = frame.f_back
        return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None

    @override
    def setLevel(self, level: int | str) -> None:
        """Set the level of this logger.

        Raises:
            ValueError: The level is unknown.
        """
        self.level = _parse_level(level)
        for logger in MMLogger._instance_dict.values():
            logger._cache.clear()
        self._cache.clear()  # type: ignore[attr-defined] # unknown to typeshed

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.instance_name, self._settings, self._log_file)

    def _add_file(self, path: Path, mode: str, level: int) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open(mode).close()
            # In append mode, each process writes after what other processes have written.
            handler = _FileHandler(path)
        except OSError as error:
            raise OSError(f"cannot write the log file {path}: {error}") from error
        self._add_handler(handler, level)

    def _add_handler(self, handler: logging.FileHandler, level: int) -> None:
        handler.setFormatter(_LineFormatter())
        handler.setLevel(level)
        self.addHandler(handler)
        self._log_file = Path(handler.baseFilename)


def print_log(
    msg: object, logger: logging.Logger | str | None = None, level: int = logging.INFO
) -> None:
    """Print or log a message.

    Args:
        msg: The message.
        logger: A logger; ``"silent"`` to drop the message; ``"current"`` for the most recently
            created MMLogger; another string for the MMLogger of that name; None for ``print``.
        level: Level of the message, unless it is printed.

    Raises:
        ValueError: The MMLogger does not exist.
        TypeError: ``logger`` has another type.
    """
    if logger is None:
        print(msg)
    elif isinstance(logger, logging.Logger):
        logger.log(level, msg, stacklevel=2)
    elif logger == "current":
        MMLogger.get_current_instance().log(level, msg, stacklevel=2)
    elif not isinstance(logger, str):
        raise TypeError(
            "logger must be a logging.Logger, the name of an MMLogger, 'silent', 'current' or "
            f"None, but got {type(logger).__name__}"
        )
    elif logger != "silent":
        if not MMLogger.check_instance_created(logger):
            raise ValueError(f"MMLogger: {logger} has not been created!")
        MMLogger.get_instance(logger).log(level, msg, stacklevel=2)


def _restore(name: str, settings: dict[str, Any], log_file: Path | None) -> MMLogger:
    """Recreate a logger in a spawned process, which appends to the log file of its parent."""
    if MMLogger.check_instance_created(name):
        return MMLogger.get_instance(name)
    logger = MMLogger.get_instance(name, **settings)
    if log_file is not None:
        logger._add_file(log_file, "a", logger.level)
    return logger


class _QuickHandler(logging.StreamHandler):
    """Handles a record as handlers of the standard library do, in fewer calls."""

    @override
    def handle(self, record: LogRecord) -> bool:
        if self.filters:
            return super().handle(record)
        with self.lock or nullcontext():
            self.emit(record)
        return True

    @override
    def emit(self, record: LogRecord) -> None:
        try:
            stream: Any = self.stream
            stream.write(self.format(record) + self.terminator)
            if hasattr(stream, "flush"):
                stream.flush()
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


class _TerminalHandler(_QuickHandler):
    """Writes to the current ``sys.stdout``, in color on a terminal."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(_LineFormatter())
        self._known: tuple[TextIO | None, bool] = (None, False)

    @property
    @override
    def stream(self) -> TextIO:
        return sys.stdout

    @override
    def format(self, record: LogRecord) -> str:
        text = super().format(record)
        stream = sys.stdout
        if stream is not self._known[0]:
            self._known = stream, stream.isatty() and "NO_COLOR" not in os.environ
        color = _COLORS.get(record.levelno) if self._known[1] else None
        if color is None:
            return text
        return text.replace(record.levelname, f"\033[{color}m{record.levelname}\033[0m", 1)


class _ViewHandler(_TerminalHandler):
    """Passes records to a view."""

    def __init__(self, view: TerminalView) -> None:
        super().__init__()
        self._view = view

    @override
    def emit(self, record: LogRecord) -> None:
        try:
            self._view.show(record, self.format)
        except Exception:  # as the handlers of the standard library do
            self.handleError(record)


class _FileHandler(_QuickHandler, logging.FileHandler):
    """Appends to a file that may be closed between records; reports a failed write once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a", encoding="utf-8")
        self.is_kept_open = True
        self._is_reported = False

    @override
    def emit(self, record: LogRecord) -> None:
        try:
            if self.stream is None:
                self.stream = self._open()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)
        if not self.is_kept_open:
            self.close_stream()

    def close_stream(self) -> None:
        """Close the file until the next record."""
        with self.lock or nullcontext():
            stream, self.stream = self.stream, None
            if stream is not None:
                try:
                    stream.close()
                except OSError as error:
                    self._report(error)

    @override
    def handleError(self, record: LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._report(error)
        else:
            super().handleError(record)

    def _report(self, error: OSError) -> None:
        if not self._is_reported and sys.stderr is not None:
            self._is_reported = True
            print(f"cannot write the log file {self.baseFilename}: {error}", file=sys.stderr)


class _LineFormatter(logging.Formatter):
    """Formats lines as ``11/24 00:30:12 - eng - INFO - text``; errors have their file and line."""

    def __init__(self) -> None:
        super().__init__(datefmt="%m/%d %H:%M:%S")
        self._second = -1
        self._time = ""

    @override
    def format(self, record: LogRecord) -> str:
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        record.message = record.getMessage()
        return self.formatMessage(record)

    @override
    def formatTime(self, record: LogRecord, datefmt: str | None = None) -> str:
        # Formatting the time takes as long as the rest of a line: once per second is enough.
        if int(record.created) != self._second:
            self._second, self._time = int(record.created), super().formatTime(record, datefmt)
        return self._time

    @override
    def formatMessage(self, record: LogRecord) -> str:
        # mmengine is an accepted alias of the root scope
        name = "eng" if record.name == "mmengine" else record.name
        where = f"{record.pathname}:{record.lineno} - " if record.levelno >= logging.ERROR else ""
        time = self.formatTime(record, self.datefmt)
        return f"{time} - {name} - {record.levelname} - {where}{record.message}"

    @override
    def usesTime(self) -> bool:
        return False


class _OnceFilter(FilterDuplicateWarning):
    """Passes repeated errors once, too, if requested."""

    def __init__(self, errors_too: bool) -> None:
        super().__init__()
        self._errors_too = errors_too

    @override
    def filter(self, record: LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        if not getattr(record, "once", self._errors_too or record.levelno == logging.WARNING):
            return True
        return self.is_new(record)


def _parse_level(level: int | str) -> int:
    if isinstance(level, int) and not isinstance(level, bool):
        return level
    number = logging.getLevelName(level.upper()) if isinstance(level, str) else None
    if not isinstance(number, int):
        raise InvalidSettingError(
            f"unknown log level {level!r}, known levels: "
            "NOTSET, DEBUG, INFO, WARNING, ERROR, CRITICAL"
        )
    return number


def _find_rank_and_size() -> tuple[int, int]:
    dist = sys.modules.get("torch.distributed")
    if dist is not None and dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    return (int(rank), int(size)) if rank.isdecimal() and size.isdecimal() else (0, 1)

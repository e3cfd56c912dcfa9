"""Lines on a terminal, in files, and from other processes."""

import logging
import multiprocessing
import os
import pickle
import pty
import re

import pytest

from eng.logging import FilterDuplicateWarning, MMLogger, print_log

LINE = re.compile(r"\d\d/\d\d \d\d:\d\d:\d\d - (.*)")


def without_time(text):
    return [LINE.fullmatch(line)[1] for line in text.splitlines()]


@pytest.fixture(autouse=True)
def no_instances(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    with MMLogger.isolated():
        yield


def test_a_record_has_the_line_that_logs():
    records = []
    logger, plain = MMLogger.get_instance("lines"), logging.Logger("plain")
    for each in (logger, plain):
        each.addFilter(lambda record: records.append(record) or False)

    def inner(each):
        each.info("one")
        each.warning("two", stacklevel=2)
        each.error("three", stack_info=True)
        each.log(logging.INFO, "four", stacklevel=99)

    for each in (logger, plain):
        inner(each)
    print_log("of a function", logger)
    line = inner.__code__.co_firstlineno + 8
    ours, theirs, [last] = records[:4], records[4:8], records[8:]
    places = [
        [(r.pathname, r.lineno, r.funcName, r.filename, r.module) for r in each]
        for each in (ours, theirs)
    ]
    assert places[0] == places[1]
    assert places[0][0][1:3] == (line - 7, "inner")
    assert ours[2].stack_info == theirs[2].stack_info
    assert (last.funcName, last.lineno) == ("test_a_record_has_the_line_that_logs", line)


def on_a_terminal(monkeypatch, work, lines):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        work()
        terminal.flush()
        written = b""
        while written.count(b"\n") < lines:  # a terminal hands over as much as it has so far
            written += os.read(ours, 65536)
        monkeypatch.undo()
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_levels_have_colours_on_a_terminal_only(monkeypatch, tmp_path, capsys):
    logger = MMLogger.get_instance("colours", log_file=tmp_path / "log", log_level="DEBUG")

    def work():
        logger.reset_warnings()
        for level in ("debug", "info", "warning", "error", "critical"):
            getattr(logger, level)("text")

    coloured = on_a_terminal(monkeypatch, work, 5)
    assert re.findall("\033\\[([\\d;]+)m([A-Z]+)\033\\[0m", coloured) == [
        ("36", "DEBUG"),
        ("32", "INFO"),
        ("33", "WARNING"),
        ("31", "ERROR"),
        ("1;31", "CRITICAL"),
    ]
    assert "\033" not in (tmp_path / "log").read_text()
    work()
    assert "\033" not in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in on_a_terminal(monkeypatch, work, 5)


def test_the_names_of_logger_and_instance_differ(capsys):
    logger = MMLogger.get_instance("instance", logger_name="shown")
    assert (logger.name, logger.instance_name) == ("shown", "instance")
    assert logger is not logging.getLogger("shown")
    logger.info("a %s", "b")
    assert without_time(capsys.readouterr().out) == ["shown - INFO - a b"]


def test_errors_say_where_they_come_from(capsys):
    logger = MMLogger.get_instance("where")
    logger.error("wrong")
    print_log("also wrong", logger, logging.ERROR)
    for line, text in zip(
        without_time(capsys.readouterr().out), ("wrong", "also wrong"), strict=True
    ):
        assert re.fullmatch(rf"eng - ERROR - .*test_logger\.py:\d+ - {text}", line)
    try:
        raise KeyError("inner")
    except KeyError:
        logger.exception("caught")
    assert "KeyError: 'inner'" in capsys.readouterr().out


def test_nothing_is_written_twice_when_the_root_logger_writes_too(capsys):
    root = logging.getLogger()
    handler = logging.StreamHandler()
    root.addHandler(handler)
    try:
        logger = MMLogger.get_instance("twice")
        logger.info("one line")
        assert MMLogger.get_instance("twice") is logger
        assert len(logger.handlers) == 1
    finally:
        root.removeHandler(handler)
    written = capsys.readouterr()
    assert without_time(written.out) == ["eng - INFO - one line"]
    assert written.err == ""


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize("rank", [0, 1])
def test_ranks(monkeypatch, tmp_path, capsys, rank, distributed):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", "2")
    logger = MMLogger.get_instance("ranks", log_file=tmp_path / "run.log", distributed=distributed)
    logger.info("quiet")
    logger.error("loud")
    shown = [line.split(" - ")[1] for line in without_time(capsys.readouterr().out)]
    assert shown == (["INFO", "ERROR"] if rank == 0 else ["ERROR"])
    files = [path.name for path in tmp_path.iterdir()]
    if distributed:
        assert files == [f"run_rank{rank}.log"]
    else:
        assert files == (["run.log"] if rank == 0 else [])
    for name in files:
        assert len((tmp_path / name).read_text().splitlines()) == 2


def test_distributed_in_one_process_keeps_the_name(tmp_path):
    MMLogger.get_instance("single", log_file=tmp_path / "run.log", distributed=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.log"]


def test_levels_and_modes(tmp_path, capsys):
    (tmp_path / "log").write_text("before\n")
    logger = MMLogger.get_instance("mode", log_file=tmp_path / "log", log_level=30, file_mode="a")
    logger.info("hidden")
    assert logger.isEnabledFor(logging.WARNING)
    logger.setLevel("error")
    assert not logger.isEnabledFor(logging.WARNING)
    logger.warning("hidden too")
    logger.setLevel(logging.WARNING)
    logger.warning("seen")
    assert (tmp_path / "log").read_text().startswith("before\n")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    with pytest.raises(ValueError, match="unknown log level 'loud', known levels: NOTSET, DEBUG"):
        logger.setLevel("loud")


def test_the_same_warning_is_shown_once_until_reset(tmp_path, capsys):
    logger = MMLogger.get_instance("again", log_file=tmp_path / "log")

    def log():
        for i in range(2):
            logger.warning("same")
            logger.warning("same %s", "same")
            logger.warning("number %d", i)
            logger.warning("each time", extra={"once": False})
            logger.error("wrong")
            logger.info("same")
        return [line.partition(" - ")[2] for line in without_time(capsys.readouterr().out)]

    first = [line for line in log() if "ERROR" not in line]
    assert sorted(first) == sorted(
        ["WARNING - same", "WARNING - same same", "WARNING - number 0", "WARNING - number 1"]
        + ["WARNING - each time"] * 2
        + ["INFO - same"] * 2
    )
    again = log()
    assert [line for line in again if "WARNING" in line] == ["WARNING - each time"] * 2
    assert sum("ERROR" in line for line in again) == 2
    logger.reset_warnings()
    assert [line for line in log() if "ERROR" not in line] == first
    assert (tmp_path / "log").read_text().count("WARNING - same\n") == 2


def test_two_loggers_do_not_share_what_they_have_shown(capsys):
    for name in ("one", "two"):
        MMLogger.get_instance(name).warning("same")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_errors_once_for_all(capsys):
    logger = MMLogger.get_instance("errors", once=True)
    for _ in range(3):
        logger.error("same")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_warnings_once_for_all_and_for_one(capsys):
    logger = MMLogger.get_instance("once", once=True)
    for i in range(3):
        logger.warning("same")
        logger.warning("number %d", i)
        logger.info("always")
    lines = without_time(capsys.readouterr().out)
    assert lines.count("eng - WARNING - same") == 1
    assert lines.count("eng - INFO - always") == 3
    assert len(lines) == 1 + 3 + 3


def test_where_print_log_prints(capsys):
    print_log("plain")
    assert capsys.readouterr().out == "plain\n"
    print_log("nothing", "silent")
    assert capsys.readouterr().out == ""
    print_log("latest", "current")
    assert MMLogger.get_current_instance().instance_name == "mmengine"
    MMLogger.get_instance("newer", logger_name="newer")
    print_log("latest", logger="current", level=logging.WARNING)
    lines = without_time(capsys.readouterr().out)
    assert lines == ["eng - INFO - latest", "newer - WARNING - latest"]
    with pytest.raises(TypeError, match="but got int"):
        print_log("x", 3)
    with pytest.raises(ValueError, match="MMLogger: nobody has not been created"):
        print_log("x", "nobody")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_write_into_the_same_file(tmp_path, method):
    logger = MMLogger.get_instance("workers", log_file=tmp_path / "log")
    logger.info("parent")
    context = multiprocessing.get_context(method)
    # A method of the logger, since a spawned process cannot import the functions of this file.
    processes = [context.Process(target=logger.info, args=(f"child {i}",)) for i in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    logger.info("parent again")
    lines = without_time((tmp_path / "log").read_text())
    assert lines[0] == "eng - INFO - parent"
    assert lines[-1] == "eng - INFO - parent again"
    assert sorted(lines[1:-1]) == ["eng - INFO - child 0", "eng - INFO - child 1"]


def test_a_pickled_logger_is_the_one_of_its_name():
    logger = MMLogger.get_instance("pickled", log_level="WARNING")
    assert pickle.loads(pickle.dumps(logger)) is logger


def test_a_log_call_breaks_a_compiled_graph_no_more_than_that_of_python():
    torch = pytest.importorskip("torch")
    loggers = MMLogger.get_instance("compiled"), logging.getLogger("compiled")
    breaks = []
    for logger in loggers:

        def function(x, logger=logger):
            y = x + 1
            logger.info("inside")
            return y * 2

        torch._dynamo.reset()
        breaks.append(torch._dynamo.explain(function)(torch.ones(2)).graph_break_count)
    assert breaks[0] <= breaks[1]


def test_a_filter_of_repeated_warnings_for_a_handler_of_ones_own():
    duplicates = FilterDuplicateWarning()
    records = [
        logging.LogRecord("x", level, "file", 1, "lr is %s", (value,), None)
        for level, value in [(30, 1), (30, 2), (30, 1), (20, 1), (20, 1), (40, 1), (40, 1)]
    ]
    assert [duplicates.filter(r) for r in records] == [True, True, False, True, True, True, True]
    assert len(duplicates.seen) == 2


def test_a_view_displays_what_is_printed(capsys, tmp_path):
    logger = MMLogger.get_instance("viewed", log_file=tmp_path / "log", log_level="INFO")
    shown = []

    class View:
        def show(self, record, format_line):
            shown.append((record.getMessage(), without_time(format_line(record))))
            if record.levelname == "WARNING":
                raise RuntimeError("a broken view")

    logger.set_terminal_view(View())
    logger.debug("hidden")
    logger.info("a")
    logger.warning("b")
    assert shown == [("a", ["eng - INFO - a"]), ("b", ["eng - WARNING - b"])]
    assert "a broken view" in capsys.readouterr().err
    logger.set_terminal_view(None)
    logger.info("c")
    assert without_time(capsys.readouterr().out) == ["eng - INFO - c"]
    lines = ["eng - INFO - a", "eng - WARNING - b", "eng - INFO - c"]
    assert without_time((tmp_path / "log").read_text()) == lines

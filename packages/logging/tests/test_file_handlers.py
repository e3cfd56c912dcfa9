import logging
import logging.handlers

import pytest

from eng.logging import MMLogger


@pytest.fixture(autouse=True)
def no_loggers():
    with MMLogger.isolated():
        yield


def test_the_path_of_the_log_file(tmp_path):
    assert MMLogger("none").log_file is None
    assert MMLogger("file", log_file=tmp_path / "a" / "x.log").log_file == str(tmp_path / "a/x.log")


def test_a_log_file_rotates(tmp_path):
    cfg = dict(type="RotatingFileHandler", maxBytes=200, backupCount=3, _scope_="mmengine")
    logger = MMLogger("rotates", log_file=tmp_path / "a" / "x.log", file_handler_cfg=cfg)
    for index in range(10):
        logger.info("line %d %s", index, "x" * 60)
    unchanged = dict(type="RotatingFileHandler", maxBytes=200, backupCount=3, _scope_="mmengine")
    assert cfg == unchanged
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert "INFO - line 9" in (tmp_path / "a" / "x.log").read_text()
    assert "\033" not in (tmp_path / "a" / "x.log").read_text()


@pytest.mark.parametrize(
    "kind", ["TimedRotatingFileHandler", "WatchedFileHandler", "BaseRotatingHandler", "FileHandler"]
)
def test_each_handler_of_files_is_known(tmp_path, kind):
    cfg = dict(type=kind, filename=str(tmp_path / "own" / "y.log"))
    if kind == "BaseRotatingHandler":
        cfg["mode"] = "a"
    logger = MMLogger(kind, log_file=tmp_path / "x.log", file_handler_cfg=cfg)
    handler = logger.handlers[-1]
    assert type(handler) is getattr(logging.handlers, kind, logging.FileHandler)
    assert logger.log_file == str(tmp_path / "own" / "y.log")
    handler.close()


@pytest.mark.parametrize(
    ("cfg", "kind", "message"),
    [
        (dict(maxBytes=1), AssertionError, "'type'"),
        (dict(type="SocketHandler"), ValueError, "'SocketHandler'.*WatchedFileHandler"),
        (dict(type="WatchedFileHandler", nope=1), TypeError, "nope"),
        (3, TypeError, "3"),
    ],
)
def test_faults(tmp_path, cfg, kind, message):
    with pytest.raises(kind, match=message):
        MMLogger("x", log_file=tmp_path / "x.log", file_handler_cfg=cfg)
    MMLogger("y", file_handler_cfg=cfg)  # not used without a file

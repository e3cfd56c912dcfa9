import pickle

import pytest

from eng.logging import HistoryBuffer, MessageHub, MMLogger, print_log


def test_history_keeps_the_latest_and_divides_by_counts():
    history = HistoryBuffer(max_length=5)
    for i in range(1000):
        history.update(i, count=2)
    values, counts = history.data
    assert values.tolist() == [995, 996, 997, 998, 999]
    assert counts.tolist() == [2] * 5
    assert history.mean(2) == (998 + 999) / 4
    assert history.statistics("max", window_size=3) == 999
    with pytest.raises(KeyError, match="known methods: current, max, mean, min"):
        history.statistics("median")
    with pytest.raises(ValueError, match="at least 1"):
        history.mean(0)


def test_hub_state_survives_and_keeps_only_what_is_resumed():
    hub = MessageHub("state")
    hub.update_scalars({"loss": 1.0, "acc": {"value": 3, "count": 2}})
    hub.update_scalar("time", 1, resumed=False)
    hub.update_info("iter", 7)
    other = MessageHub("other")
    other.load_state_dict(pickle.loads(pickle.dumps(hub.state_dict())))
    assert list(other.log_scalars) == ["loss", "acc"]
    assert other.get_scalar("acc").mean() == 1.5
    assert other.get_info("iter") == 7


def test_hub_names_bad_scalars_and_changed_keys():
    hub = MessageHub("bad")
    with pytest.raises(TypeError, match=r"scalar 'loss': .* got str"):
        hub.update_scalar("loss", "text")
    hub.update_scalar("lr", 1)
    with pytest.raises(AssertionError, match="lr used to be True"):
        hub.update_scalar("lr", 1, resumed=False)


def test_logger_writes_a_line_once_and_survives_pickling(tmp_path, capsys):
    logger = MMLogger.get_instance("lines", log_file=tmp_path / "new" / "run.log")
    print_log("hello", "lines")
    for _ in range(2):
        logger.warning("careful", extra={"once": True})
    lines = (tmp_path / "new" / "run.log").read_text().splitlines()
    assert [line.split(" - ", 1)[1] for line in lines] == [
        "eng - INFO - hello",
        "eng - WARNING - careful",
    ]
    assert capsys.readouterr().out.splitlines() == lines
    assert pickle.loads(pickle.dumps(logger)) is logger


def test_logger_refuses_unknown_levels_and_impossible_files(tmp_path):
    with pytest.raises(ValueError, match="unknown log level 'LOUD'"):
        MMLogger("level", log_level="LOUD")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write the log file"):
        MMLogger("file", log_file=tmp_path / "file" / "run.log")
    with pytest.raises(ValueError, match="has not been created"):
        print_log("x", "nobody")

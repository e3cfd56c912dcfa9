import pytest

from eng.dl_utils import TimeCounter


def test_time_counter_as_documented(capsys):
    @TimeCounter()
    def fun1():
        pass

    fun1()
    out = capsys.readouterr().out
    assert out.startswith("[fun1]-time per run averaged in the past 1 runs: ")
    assert out.endswith(" ms\n")
    counter = TimeCounter(log_interval=2, warmup_interval=1, tag="given")
    for seconds in (100.0, 0.2, 0.4, 0.6, 0.8):
        counter.print_time(seconds)
    assert capsys.readouterr().out.splitlines() == [
        "[given]-time per run averaged in the past 2 runs: 300.0 ms",
        "[given]-time per run averaged in the past 4 runs: 500.0 ms",
    ]


def test_time_counter_writes_to_a_logger(caplog):
    import logging

    with caplog.at_level("INFO"), TimeCounter(tag="logged", logger=logging.getLogger("timed")):
        pass
    assert caplog.messages[0].startswith("[logged]-time per run")


def test_time_counter_prints_at_its_interval(capsys):
    @TimeCounter(log_interval=2, tag="f")
    def f():
        return 5

    assert [f() for _ in range(3)] == [5, 5, 5]
    assert capsys.readouterr().out.startswith("[f]-time per run averaged in the past 2 runs: ")


def test_contexts_of_one_tag_count_together(capsys):
    for _ in range(3):
        with TimeCounter(log_interval=2, tag="context"):
            pass
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("[context]-time per run averaged in the past 2 runs: ")
    with pytest.raises(ValueError, match="requires a tag"), TimeCounter():
        pass
    with pytest.raises(ValueError, match="log_interval must be at least 1"):
        TimeCounter(log_interval=0)

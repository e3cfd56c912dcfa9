"""Timers."""

import re

import eng.utils as u


def test_timers(capsys):
    assert u.check_time("a name of this test") == 0.0
    assert u.check_time("a name of this test") > 0
    with u.Timer(print_tmpl="took {:.1f} s.") as timer:
        assert timer.is_running
    assert re.fullmatch(r"took \d+\.\d s\.\n", capsys.readouterr().out)
    assert not timer.is_running
    timer = u.Timer()
    first = timer.since_start()
    assert timer.since_last_check() >= 0
    assert timer.since_start() >= first

import os
import random
import signal
import time

import pytest

from eng import fileio

SIZE = 1 << 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked writers")
def test_killed_local_writes_leave_nothing_half_written(tmp_path):
    path = tmp_path / "file"
    fileio.put(bytes(SIZE), path)
    dice = random.Random(0)
    killed_inside = 0
    for turn in range(200):
        child = os.fork()
        if child == 0:
            while True:
                fileio.put(bytes([turn % 256]) * SIZE, path)
        time.sleep(dice.random() * 0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        data = path.read_bytes()
        assert len(data) == SIZE
        assert data == data[:1] * SIZE
        killed_inside += len(list(tmp_path.iterdir())) > 1
    assert killed_inside > 0
    fileio.put(b"last", path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

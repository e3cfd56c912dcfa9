import errno
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eng.checkpoint import (
    save_checkpoint,
)
from eng.fileio import LocalBackend


def test_what_cannot_be_saved_leaves_the_old_checkpoint(tmp_path):
    path = str(tmp_path / "a.pth")
    save_checkpoint({"meta": {"epoch": 1}}, path)
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        save_checkpoint({"meta": lambda: 1}, path)
    assert torch.load(path)["meta"]["epoch"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.pth"]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        room = 0

        def write(self, content):
            if self.tell() + len(content) > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(content)

    monkeypatch.setattr(LocalBackend, "put_with", lambda self, write, filepath: write(Full()))
    path = str(tmp_path / "a.pth")
    for room in (0, 1000, 5000, 8400):
        Full.room = room
        with pytest.raises(OSError, match=r"No space left on device: .*a\.pth"):
            save_checkpoint({"a": torch.zeros(1000), "b": torch.zeros(1000)}, path)


def test_settings_of_the_storage_have_one_name(tmp_path):
    path = str(tmp_path / "a.pth")
    with pytest.warns(DeprecationWarning, match="use backend_args"):
        save_checkpoint({}, path, file_client_args={"backend": "local"})
    with pytest.warns(DeprecationWarning, match="use"), pytest.raises(ValueError, match="not both"):
        save_checkpoint({}, path, file_client_args={}, backend_args={})
    assert Path(path).is_file()


PEAK = """
import resource, sys, torch
from eng.checkpoint import save_checkpoint
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
save_checkpoint({"a": torch.ones(1000)}, sys.argv[1])  # what is loaded for the first save
state = {str(n): torch.ones(2**21) for n in range(16)}  # 8 MiB each
before = peak()
save_checkpoint(state, sys.argv[1])
print(peak() - before)
"""


def test_a_save_needs_no_more_memory_than_one_tensor(tmp_path):
    command = [sys.executable, "-c", PEAK, str(tmp_path / "a.pth")]
    needed = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert needed < 1.5 * 2**23

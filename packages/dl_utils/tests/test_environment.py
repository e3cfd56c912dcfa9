import importlib
import importlib.metadata
import multiprocessing
import os
import sys

import pytest
import torch

from eng.dl_utils import collect_env, mmcv_full_available, set_multi_processing
from eng.logging import MMLogger


def test_env_names_torch():
    assert collect_env()["PyTorch"] == torch.__version__


def test_env_survives_what_is_missing(monkeypatch, tmp_path):
    info = collect_env()
    for name in ("sys.platform", "Python", "CUDA available", "GCC", "PyTorch compiling details"):
        assert name in info
    assert info["MMENGINE"] == importlib.metadata.version("eng-dl-utils")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert collect_env()["GCC"] == "n/a"
    broken = tmp_path / "gcc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert collect_env()["GCC"] == "n/a"


@pytest.mark.parametrize("home", [None, "/opt/cuda"])
def test_env_needs_no_setuptools(monkeypatch, home):
    monkeypatch.setitem(sys.modules, "torch.utils.cpp_extension", None)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.delenv("CUDA_HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("CUDA_HOME", home)
    assert collect_env().get("CUDA_HOME") == home


def test_env_lists_gpus_of_one_kind_together(monkeypatch):
    names = ["A", "B", "A"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: names[index])
    info = collect_env()
    assert (info["GPU 0,2"], info["GPU 1"]) == ("A", "B")


def test_mmcv_without_its_operators_does_not_count(tmp_path, monkeypatch):
    (tmp_path / "mmcv").mkdir()
    (tmp_path / "mmcv" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mmcv", raising=False)
    assert not mmcv_full_available()
    (tmp_path / "mmcv" / "_ext.py").write_text("")
    importlib.invalidate_caches()
    assert mmcv_full_available()
    sys.modules.pop("mmcv", None)


@pytest.fixture
def start_method(monkeypatch):
    before = multiprocessing.get_start_method(allow_none=True)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        # set first, so that what the test sets is undone
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    multiprocessing.set_start_method(before, force=True)


def test_the_start_method_and_threads_are_set(start_method, capsys):
    set_multi_processing("spawn")
    assert multiprocessing.get_start_method() == "spawn"
    assert "OMP_NUM_THREADS" not in os.environ
    MMLogger.get_current_instance().reset_warnings()
    set_multi_processing("forkserver", distributed=True)
    assert (
        "changing the start method of processes from spawn to forkserver" in capsys.readouterr().out
    )
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    with pytest.raises(ValueError, match="unknown start method 'thread'"):
        set_multi_processing("thread")

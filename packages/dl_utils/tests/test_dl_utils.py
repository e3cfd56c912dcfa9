import importlib
import importlib.metadata
import multiprocessing
import os
import sys
import warnings

import pytest
import torch
from torch import nn

from eng.dl_utils import (
    TORCH_VERSION,
    TimeCounter,
    collect_env,
    has_batch_norm,
    is_jit_tracing,
    is_norm,
    load_url,
    mmcv_full_available,
    set_multi_processing,
    tensor2imgs,
    torch_meshgrid,
)


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


def test_env_lists_gpus_of_one_kind_together(monkeypatch):
    names = ["A", "B", "A"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: names[index])
    info = collect_env()
    assert (info["GPU 0,2"], info["GPU 1"]) == ("A", "B")


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


def test_norms():
    for layer in (
        nn.BatchNorm1d(1),
        nn.SyncBatchNorm(1),
        nn.InstanceNorm2d(1),
        nn.LayerNorm(1),
        nn.LocalResponseNorm(1),
    ):
        assert is_norm(layer)
    assert not is_norm(nn.Linear(1, 1))
    assert not is_norm(nn.BatchNorm2d(1), exclude=(nn.BatchNorm2d, nn.LayerNorm))
    assert not has_batch_norm(nn.InstanceNorm2d(1))
    with pytest.raises(TypeError, match="exclude is a type, a tuple of types or None, not 'BN'"):
        is_norm(nn.LayerNorm(1), exclude="BN")
    assert has_batch_norm(nn.Sequential(nn.BatchNorm2d(1)))
    assert not has_batch_norm(nn.Linear(1, 1))
    assert is_norm(nn.GroupNorm(1, 1))
    assert not is_norm(nn.GroupNorm(1, 1), exclude=nn.GroupNorm)


def test_images_come_back():
    images = torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1, 1)
    assert tensor2imgs(images)[0].tolist() == [[[30, 20, 10]]]
    rgb = tensor2imgs(images / 10, mean=(1, 2, 3), std=(10, 10, 100), to_bgr=False)
    assert rgb[0].tolist() == [[[11, 22, 255]]]
    gray = tensor2imgs(torch.tensor([[[[-5.0, 300.0]]]]), to_bgr=False)
    assert gray[0].tolist() == [[0, 255]]
    assert (len(gray), gray[0].dtype.name, gray[0].flags["C_CONTIGUOUS"]) == (1, "uint8", True)
    with pytest.raises(ValueError, match=r"shape \(N, 1 or 3, H, W\), not \(3, 1, 1\)"):
        tensor2imgs(images[0])
    with pytest.raises(ValueError, match=r"need 3 value\(s\) each, not 1 and 3"):
        tensor2imgs(images, mean=(1,))
    with pytest.raises(ValueError, match="to_bgr must be False"):
        tensor2imgs(torch.zeros(1, 1, 2, 2))


def test_time_counter_prints_at_its_interval(capsys):
    @TimeCounter(log_interval=2, tag="f")
    def f():
        return 5

    assert [f() for _ in range(3)] == [5, 5, 5]
    assert capsys.readouterr().out.startswith("[f]-time per run averaged in the past 2 runs: ")


def test_load_url_checks_the_hash_and_caches(tmp_path):
    torch.save({"a": 1}, tmp_path / "m-00000000.pth")
    url = (tmp_path / "m-00000000.pth").as_uri()
    with pytest.raises(RuntimeError, match="has sha256"):
        load_url(url, str(tmp_path / "cache"), check_hash=True, progress=False)
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}
    (tmp_path / "m-00000000.pth").unlink()
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}


def test_contexts_of_one_tag_count_together(capsys):
    for _ in range(3):
        with TimeCounter(log_interval=2, tag="context"):
            pass
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("[context]-time per run averaged in the past 2 runs: ")
    with pytest.raises(ValueError, match="needs a tag"), TimeCounter():
        pass
    with pytest.raises(ValueError, match="log_interval must be at least 1"):
        TimeCounter(log_interval=0)


def test_tracing_is_seen():
    seen = []

    def f(x):
        seen.append(is_jit_tracing())
        return x + 1

    f(torch.ones(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(f, torch.ones(1), check_trace=False)
    assert seen == [False, True]


def test_meshgrid_is_of_matrix_indices():
    rows, columns = torch_meshgrid(torch.arange(2), torch.arange(3))
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert columns.tolist() == [[0, 1, 2], [0, 1, 2]]


def test_the_version_is_that_of_torch():
    assert torch.__version__ == TORCH_VERSION


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


def test_the_start_method_and_threads_are_set(start_method):
    set_multi_processing("spawn")
    assert multiprocessing.get_start_method() == "spawn"
    assert "OMP_NUM_THREADS" not in os.environ
    with pytest.warns(UserWarning, match="started by spawn so far"):
        set_multi_processing("forkserver", distributed=True)
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    with pytest.raises(ValueError, match="unknown start method 'thread'"):
        set_multi_processing("thread")

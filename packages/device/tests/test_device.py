"""Which accelerator is here, with the extensions of vendors played by modules of the test."""

import sys
import types

import pytest
import torch

from eng import device
from eng.device import (
    autocast,
    availability,
    get_device,
    get_max_cuda_memory,
    get_max_memory,
    get_max_musa_memory,
    is_out_of_memory,
)


@pytest.fixture
def no_accelerator(monkeypatch):
    availability._import_extension.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    yield monkeypatch
    availability._import_extension.cache_clear()


def extension(available, peak=0):
    """What torch_npu and torch_mlu put into torch."""
    return types.SimpleNamespace(
        is_available=lambda: available, max_memory_allocated=lambda device: peak
    )


def test_the_device_named_can_be_used():
    assert torch.ones(2, device=get_device()).sum().item() == 2


def test_a_build_without_accelerators_answers_false(no_accelerator):
    assert get_device() == "cpu"
    for name in ("cuda", "mlu", "npu", "mps", "dipu", "musa"):
        assert getattr(device, f"is_{name}_available")() is False
    with pytest.raises(RuntimeError, match="no cuda device is available, only cpu"):
        get_max_memory("cuda")
    with pytest.raises(RuntimeError, match="at start of device string: toaster"):
        get_max_memory("toaster")
    assert get_max_memory() == 0


@pytest.mark.parametrize("name", ["npu", "mlu", "dipu", "musa"])
def test_extensions_of_vendors(no_accelerator, name):
    no_accelerator.setattr(torch, name, extension(True, peak=3 << 20), raising=False)
    assert getattr(device, f"is_{name}_available")() is True
    assert get_device() == name
    no_accelerator.setattr(torch, name, extension(False))
    assert get_device() == "cpu"


def test_an_extension_that_fails_is_told_once(no_accelerator, tmp_path):
    (tmp_path / "torch_npu.py").write_text("raise OSError('libascend.so is missing')\n")
    no_accelerator.syspath_prepend(tmp_path)
    no_accelerator.delitem(sys.modules, "torch_npu", raising=False)
    with pytest.warns(RuntimeWarning, match="torch_npu is installed but .*libascend"):
        assert device.is_npu_available() is False
    assert device.is_npu_available() is False


def test_the_order_of_preference(no_accelerator):
    no_accelerator.setattr(torch.backends.mps, "is_available", lambda: True)
    assert get_device() == "mps"
    no_accelerator.setattr(torch, "mlu", extension(True), raising=False)
    assert get_device() == "mlu"
    no_accelerator.setattr(torch, "npu", extension(True), raising=False)
    assert get_device() == "npu"
    no_accelerator.setattr(torch.cuda, "is_available", lambda: True)
    assert get_device() == "cuda"


def test_peak_memory_in_megabytes(no_accelerator):
    no_accelerator.setattr(torch.cuda, "is_available", lambda: True)
    no_accelerator.setattr(torch.cuda, "max_memory_allocated", lambda device=None: (5 << 20) - 1)
    assert get_max_cuda_memory() == get_max_memory() == get_max_memory(0) == 4
    assert get_max_memory("cuda:1") == 4
    assert get_max_memory("cpu") == 0


def test_metal_tells_what_is_in_use(no_accelerator):
    no_accelerator.setattr(torch.backends.mps, "is_available", lambda: True)
    no_accelerator.setattr(torch.mps, "current_allocated_memory", lambda: 7 << 20)
    assert get_max_memory() == 7


def test_autocast_lowers_precision_and_refuses_unknown_devices():
    a = torch.ones(2, 2)
    with autocast(device_type="cpu"):
        assert a.mm(a).dtype is torch.bfloat16
    with autocast("cpu", dtype=torch.float16):
        assert a.mm(a).dtype is torch.float16
    with autocast("cpu:0", enabled=False):
        assert a.mm(a).dtype is torch.float32
    with autocast("toaster", enabled=False):
        assert a.mm(a).dtype is torch.float32
    with (
        pytest.raises(
            ValueError,
            match=r"autocast for device type 'toaster'; use one of .*cpu",
        ),
        autocast("toaster"),
    ):
        pass
    with pytest.raises(ValueError, match=r"got torch\.float64"), autocast("cpu", torch.float64):
        pass
    with pytest.raises(TypeError, match="device_type must be a str"), autocast(0):
        pass


def test_autocast_decorates_a_function():
    @autocast(device_type="cpu")
    def multiply(a):
        return a.mm(a)

    assert multiply(torch.ones(2, 2)).dtype is torch.bfloat16
    assert multiply(torch.ones(2, 2)).dtype is torch.bfloat16


@pytest.mark.parametrize(("version", "expected"), [(100, False), (220, True), (251, True)])
def test_full_precision_of_ascend_devices(no_accelerator, version, expected):
    assert device.is_npu_support_full_precision() is False
    no_accelerator.setattr(torch, "npu", extension(True), raising=False)
    utils = types.ModuleType("torch_npu.npu.utils")
    utils.get_soc_version = lambda: version
    for name in ("torch_npu", "torch_npu.npu"):
        no_accelerator.setitem(sys.modules, name, types.ModuleType(name))
    no_accelerator.setitem(sys.modules, "torch_npu.npu.utils", utils)
    assert device.is_npu_support_full_precision() is expected


def test_the_older_name_of_the_device_is_answered_when_it_is_read(monkeypatch):
    assert get_device() == availability.DEVICE
    monkeypatch.setattr(availability, "is_cuda_available", lambda: True)
    assert availability.DEVICE == "cuda"
    with pytest.raises(AttributeError, match="has no attribute 'DEVICES'"):
        availability.DEVICES


def test_memory_of_a_musa_device_that_is_not_here():
    with pytest.raises(RuntimeError, match="musa"):
        get_max_musa_memory()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_errors_of_memory_are_recognized(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes"), OSError(2, "out of memory.txt"), ValueError("out of memory")]
)
def test_other_errors_are_not_of_memory(error):
    assert not is_out_of_memory(error)


def test_a_tensor_that_no_machine_holds_is_an_error_of_memory():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)

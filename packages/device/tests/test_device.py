import pytest
import torch

from eng.device import autocast, get_device, get_max_memory


def test_the_device_named_can_be_used():
    assert torch.ones(2, device=get_device()).sum().item() == 2


def test_autocast_lowers_precision_and_refuses_unknown_devices():
    a = torch.ones(2, 2)
    with autocast(device_type="cpu"):
        assert a.mm(a).dtype is torch.bfloat16
    with (
        pytest.raises(ValueError, match="no autocast for device type 'toaster'"),
        autocast("toaster"),
    ):
        pass
    with pytest.raises(ValueError, match=r"not in torch.float64"), autocast("cpu", torch.float64):
        pass


def test_the_cpu_counts_no_memory():
    assert get_max_memory("cpu") == 0

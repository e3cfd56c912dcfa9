import pytest
from torch import nn

from eng.dl_utils import has_batch_norm, is_norm


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
    with pytest.raises(TypeError, match=r"exclude must be a type, a tuple of types or .*'BN'"):
        is_norm(nn.LayerNorm(1), exclude="BN")
    assert has_batch_norm(nn.Sequential(nn.BatchNorm2d(1)))
    assert not has_batch_norm(nn.Linear(1, 1))
    assert is_norm(nn.GroupNorm(1, 1))
    assert not is_norm(nn.GroupNorm(1, 1), exclude=nn.GroupNorm)

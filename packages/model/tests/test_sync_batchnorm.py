import sys
import types

import pytest
import torch
from torch import nn

from eng.model import convert_sync_batchnorm, revert_sync_batchnorm


def make():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4, eps=1e-3, momentum=0.3),
        nn.Sequential(nn.BatchNorm1d(4)),
    )
    model[1].weight.requires_grad_(False)
    model[2][0].eval()
    return model


def state(model):
    return {name: value.data_ptr() for name, value in model.state_dict().items()}


def test_there_and_back_keeps_every_tensor_and_setting():
    model = make()
    before = state(model)
    synced = convert_sync_batchnorm(model)
    assert [type(m) for m in (synced[1], synced[2][0])] == [nn.SyncBatchNorm] * 2
    assert state(synced) == before
    back = revert_sync_batchnorm(synced)
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in back.modules())
    assert state(back) == before
    assert (back[1].eps, back[1].momentum, back[1].training) == (1e-3, 0.3, True)
    assert not back[2][0].training
    assert not back[1].weight.requires_grad
    assert state(convert_sync_batchnorm(back)) == before  # and there again


def test_a_reverted_model_computes_what_the_original_did():
    torch.manual_seed(0)
    plain, model = make(), make()
    model.load_state_dict(plain.state_dict())
    model = revert_sync_batchnorm(convert_sync_batchnorm(model))
    x = torch.randn(3, 1, 5, 5)
    assert torch.equal(plain[:2](x), model[:2](x))
    assert torch.equal(plain[1].running_mean, model[1].running_mean)
    assert torch.equal(plain[2](x[:, 0, :4, 0]), model[2](x[:, 0, :4, 0]))
    with pytest.raises(ValueError, match=r"\(N, C, ...\), not of 1 dimensions"):
        model[1](torch.zeros(4))


def test_a_layer_itself_shared_layers_and_layers_without_parameters():
    layer = convert_sync_batchnorm(nn.BatchNorm3d(2, affine=False, track_running_stats=False))
    assert isinstance(layer, nn.SyncBatchNorm)
    assert (layer.weight, layer.running_mean) == (None, None)
    assert isinstance(revert_sync_batchnorm(layer)(torch.zeros(2, 2)), torch.Tensor)
    shared = nn.BatchNorm1d(2)
    model = convert_sync_batchnorm(nn.ModuleList([shared, nn.Sequential(shared)]))
    assert model[0] is model[1][0]
    assert convert_sync_batchnorm(model)[0] is model[0]  # already is one
    instance = nn.InstanceNorm1d(2)
    assert convert_sync_batchnorm(instance) is instance


def test_the_implementation_of_mmcv(monkeypatch):
    with pytest.raises(ValueError, match="'torch' or 'mmcv', not 'apex'"):
        convert_sync_batchnorm(make(), "apex")
    monkeypatch.setitem(sys.modules, "mmcv.ops", None)
    with pytest.raises(ImportError, match="needs mmcv"):
        convert_sync_batchnorm(make(), "mmcv")

    class SyncBatchNorm(nn.Module):
        def __init__(self, num_features, eps, momentum, affine, track_running_stats):
            super().__init__()
            self.num_features, self.eps, self.momentum = num_features, eps, momentum
            self.affine, self.track_running_stats = affine, track_running_stats
            self.weight = nn.Parameter(torch.ones(num_features))

    operators = types.ModuleType("mmcv.ops")
    operators.SyncBatchNorm = SyncBatchNorm
    monkeypatch.setitem(sys.modules, "mmcv", types.ModuleType("mmcv"))
    monkeypatch.setitem(sys.modules, "mmcv.ops", operators)
    model = make()
    before = state(model)
    model = convert_sync_batchnorm(model, "mmcv")
    assert type(model[1]) is SyncBatchNorm
    assert state(revert_sync_batchnorm(model)) == before

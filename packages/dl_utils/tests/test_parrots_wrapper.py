import torch
from torch import nn

from eng.dl_utils import parrots_wrapper as names


def test_the_names_are_those_of_torch():
    assert names._BatchNorm is nn.modules.batchnorm._BatchNorm
    assert names.SyncBatchNorm_ is nn.SyncBatchNorm
    assert issubclass(names.SyncBatchNorm, nn.SyncBatchNorm)
    assert names.DataLoader is names.PoolDataLoader is torch.utils.data.DataLoader
    samples = {
        names._BatchNorm: nn.BatchNorm2d(1),
        names._InstanceNorm: nn.InstanceNorm2d(1),
        names._ConvNd: nn.Conv2d(1, 1, 1),
        names._ConvTransposeMixin: nn.ConvTranspose2d(1, 1, 1),
        names._AdaptiveAvgPoolNd: nn.AdaptiveAvgPool2d(1),
        names._AdaptiveMaxPoolNd: nn.AdaptiveMaxPool2d(1),
        names._AvgPoolNd: nn.AvgPool2d(1),
        names._MaxPoolNd: nn.MaxPool2d(1),
    }
    for kind, module in samples.items():
        assert isinstance(module, kind)
        assert not isinstance(nn.Linear(1, 1), kind)
    assert torch.__version__ == names.TORCH_VERSION
    assert "PyTorch built with" in names.get_build_config()
    assert names.is_rocm_pytorch() is (torch.version.hip is not None)
    assert names._get_norm() == (names._BatchNorm, names._InstanceNorm, nn.SyncBatchNorm)
    assert names._get_conv()[0] is names._ConvNd
    assert len(names._get_pool()) == 4

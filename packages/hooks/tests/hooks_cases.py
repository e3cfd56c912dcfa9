"""What several processes run at once; each finds its group made."""

from types import SimpleNamespace

import torch

from eng.dist import get_rank
from eng.hooks import NaiveVisualizationHook, SyncBuffersHook


def names_drawn():
    names = []
    visualizer = SimpleNamespace(add_datasample=lambda name, *args, **kwargs: names.append(name))
    batch = {"inputs": [torch.zeros(3, 2, 2, dtype=torch.uint8)]}
    NaiveVisualizationHook().after_test_iter(SimpleNamespace(visualizer=visualizer), 0, batch)
    return names


def synchronised_buffers():
    norm = torch.nn.BatchNorm1d(2)
    norm.running_mean.fill_(float(get_rank()))
    SyncBuffersHook().after_train_epoch(SimpleNamespace(model=norm))
    return norm.running_mean.tolist(), int(norm.num_batches_tracked)


def buffers_at_validation():
    norm = torch.nn.BatchNorm1d(1)
    model = SimpleNamespace(model=norm, epoch=0)
    hook = SyncBuffersHook()
    found = []
    hook.before_train(model)
    norm.running_mean.fill_(float(get_rank()))
    hook.before_val_epoch(model)
    found.append(float(norm.running_mean))
    hook.after_train_epoch(model)
    norm.running_mean.fill_(2.5)
    norm.running_mean.add_(0 * get_rank())
    hook.before_val_epoch(model)
    found.append(float(norm.running_mean))
    norm.running_mean.fill_(float(get_rank()))
    hook.before_val_epoch(model)
    found.append(float(norm.running_mean))
    return found

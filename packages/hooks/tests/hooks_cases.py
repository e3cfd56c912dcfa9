"""What several processes run at once; each finds its group made."""

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.dist import get_rank
from eng.hooks import CheckpointHook, NaiveVisualizationHook, SyncBuffersHook, save_clock


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


class Minutes:
    """A clock that moves by some minutes an iteration."""

    def __init__(self, step):
        self.step, self.now, self.looks = step, 0.0, 0

    def __call__(self):
        self.looks += 1
        return 60 * self.now


def save_by_the_clock(hook, runner, clock, iterations):
    hook.before_train(runner)
    for index in range(iterations):
        clock.now += clock.step
        hook.after_train_iter(runner, index)
        runner.iter += 1
    return sorted(path.name for path in Path(runner.work_dir).glob("*.pth"))


def save_in_processes(folder):
    clock = Minutes(step=3 if get_rank() == 0 else 7)
    runner = FakeRunner(Path(folder) / str(get_rank()), max_iters=99)
    hook = CheckpointHook(save_every_minutes=10, save_last=False)
    with patch.object(save_clock, "monotonic", clock):
        return save_by_the_clock(hook, runner, clock, 11)

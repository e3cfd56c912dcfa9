import pytest

from eng.registry import MODELS, Registry, build_runner_from_cfg, build_scheduler_from_cfg


def test_runner_and_scheduler():
    class Runner:
        @classmethod
        def from_cfg(cls, cfg):
            return cls, dict(cfg)

    runners = Registry("r", build_func=build_runner_from_cfg)
    runners.register_module(module=Runner)
    assert runners.build(dict(a=1)) == (Runner, dict(a=1))

    class Scheduler:
        def __init__(self, optimizer):
            self.made = optimizer

        @classmethod
        def build_iter_from_epoch(cls, optimizer, epoch_length):
            return optimizer, epoch_length

    schedulers = Registry("s", build_func=build_scheduler_from_cfg)
    schedulers.register_module(module=Scheduler)
    args = dict(optimizer=1, epoch_length=5)
    assert schedulers.build(dict(type="Scheduler"), default_args=args).made == 1
    cfg = dict(type="Scheduler", convert_to_iter_based=True)
    assert schedulers.build(cfg, default_args=args) == (1, 5)
    with pytest.raises(ValueError, match="epoch_length"):
        schedulers.build(cfg, default_args=dict(optimizer=1))


def test_a_list_of_configs_becomes_a_sequential():
    nn = pytest.importorskip("torch.nn")
    cfg = [dict(type="torch.nn.Linear", in_features=2, out_features=3), dict(type=nn.ReLU)]
    built = MODELS.build(cfg)
    assert isinstance(built, nn.Sequential)
    assert built[0].out_features == 3

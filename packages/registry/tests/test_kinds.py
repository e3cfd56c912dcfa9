import functools
import sys
import types

import pytest

from eng.registry import (
    DATASETS,
    FUNCTIONS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    RUNNERS,
    TASK_UTILS,
    Kind,
    NotRegisteredError,
    Registry,
    WrongKindError,
)
from eng.registry import root as roots

ROOTS = {name: getattr(roots, name) for name in roots.__all__}
COMMANDS = (
    "os.system",
    "posix.system",
    "subprocess.Popen",
    "subprocess.run",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "io.FileIO",
    "shutil.rmtree",
    "runpy.run_path",
    "importlib.import_module",
    "pathlib.Path.unlink",
)


@pytest.fixture
def module(monkeypatch):
    """A module of somebody's own, without any base class of the engine."""
    made = types.ModuleType("eng_kinds_module")
    source = """
import functools, os
class Head:
    def __init__(self, size=1): self.size = size
    def predict(self): pass
class Other: pass
def make_head(size=1): return Head(size)
def collate(batch): return batch
SMALL = functools.partial(Head, size=2)
SHELL = functools.partial(os.system, "true")
NUMBER = 3
"""
    exec(source, vars(made))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("name", ROOTS)
def test_no_registry_builds_a_command(name, path):
    with pytest.raises(WrongKindError, match=path) as caught:
        ROOTS[name].require(path)
    assert isinstance(caught.value, (NotRegisteredError, TypeError))
    assert ROOTS[name].name in str(caught.value)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_registry_of_no_kind_builds_no_command(path):
    with pytest.raises(WrongKindError, match=path):
        Registry("things", scope="kinds").build(dict(type=path))


def test_a_command_is_found_out_under_another_path():
    pytest.importorskip("torch")
    with pytest.raises(WrongKindError, match=r"torch\.os\.system"):
        MODELS.require("torch.os.system")


def test_a_command_is_not_run(tmp_path):
    target = tmp_path / "ran"
    for registry in (MODELS, HOOKS, TASK_UTILS):
        with pytest.raises(WrongKindError):
            registry.build(dict(type="os.system", command=f"touch {target}"))
    with pytest.raises(WrongKindError):
        RUNNERS.build(dict(runner_type="os.system", command=f"touch {target}"))
    with pytest.raises(WrongKindError):
        DATASETS.build(dict(type="io.FileIO", file=str(target), mode="w"))
    assert not target.exists()


@pytest.mark.parametrize(
    ("registry", "right", "wrong"),
    [
        (MODELS, "torch.nn.Linear", "torch.optim.SGD"),
        (MODELS, "torch.nn.Linear", "torch.nn.functional.relu"),
        (MODELS, "torch.nn.Linear", "torch.load"),
        (MODELS, "torch.nn.Linear", "torch.nn"),
        (MODELS, "torch.nn.Linear", "torch.hub.load"),
        (OPTIMIZERS, "torch.optim.SGD", "torch.nn.Linear"),
        (PARAM_SCHEDULERS, "torch.optim.lr_scheduler.StepLR", "torch.optim.SGD"),
        (DATASETS, "torch.utils.data.TensorDataset", "torch.nn.Sequential"),
        (DATASETS, "builtins.range", "torch.nn.Linear"),
        (DATASETS, "builtins.list", "numpy.memmap"),
        (FUNCTIONS, "torch.utils.data.default_collate", "torch.float32"),
    ],
)
def test_kinds_of_the_roots(registry, right, wrong):
    pytest.importorskip("torch")
    assert callable(registry.require(right))
    with pytest.raises(WrongKindError, match=wrong):
        registry.require(wrong)


def test_what_is_not_a_hook_or_a_metric(module):
    for registry in (HOOKS, METRICS):
        with pytest.raises(WrongKindError, match=r"eng_kinds_module\.Head"):
            registry.require("eng_kinds_module.Head")


def test_a_kind_of_ones_own(module):
    heads = Registry("heads", scope="kinds", kind=Kind("a head", members=(("predict",),)))
    child = Registry("more heads", scope="inner", parent=heads)
    for registry in (heads, child):
        assert registry.build(dict(type="eng_kinds_module.Head", size=3)).size == 3
        assert registry.build(dict(type="eng_kinds_module.SMALL")).size == 2
        for name in ("Other", "make_head", "NUMBER", "SHELL"):
            with pytest.raises(WrongKindError, match="a head"):
                registry.build(dict(type=f"eng_kinds_module.{name}"))


def test_what_is_registered_is_of_any_kind(module):
    heads = Registry("heads", scope="kinds", kind=Kind("a head", members=(("predict",),)))
    heads.register_module(module=module.make_head)
    heads.register_module(module=functools.partial(module.Head, size=4), name="four")
    assert heads.build(dict(type="make_head", size=5)).size == 5
    assert heads.build(dict(type="four")).size == 4
    assert heads.build(dict(type="eng_kinds_module.make_head", size=6)).size == 6


def test_a_registry_of_no_kind_takes_functions_and_classes(module):
    things = Registry("things", scope="kinds")
    assert things.build(dict(type="eng_kinds_module.make_head", size=2)).size == 2
    assert things.build(dict(type="datetime.timedelta", days=1)).days == 1
    assert things.build(dict(type="collections.OrderedDict")) == {}


def test_functions_are_named_by_their_path(module):
    assert FUNCTIONS.require("eng_kinds_module.collate") is module.collate
    assert FUNCTIONS.require("builtins.list") is list


def test_get_returns_whatever_there_is():
    import os

    assert MODELS.get("os.system") is os.system

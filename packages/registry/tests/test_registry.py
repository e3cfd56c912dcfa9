import sys
import threading
import types
from collections import OrderedDict
from functools import partial

import pytest

from eng.registry import DefaultScope, NotRegisteredError, Registry, build_from_cfg


def test_scopes(tree):
    root, det, cls = tree
    assert det.get("Same").where == "det"
    assert det.get("cls.Same").where == "cls"
    assert det.get("mmengine.Same").where == "eng"
    assert det.get("ResNet") is None
    assert root.get("cls.ResNet") is cls.get("ResNet")
    with pytest.raises(NotRegisteredError, match=r"det\.ResNet is not in .*cls\.ResNet") as info:
        det.build(dict(type="det.ResNet"))
    assert not str(info.value).startswith(("'", '"'))
    DefaultScope.get_instance("task", scope_name="cls")
    assert root.build(dict(type="Same")).where == "cls"
    assert root.build(dict(type="Same", _scope_="det")).where == "det"
    with root.switch_scope_and_registry("det") as registry:
        assert registry is det
        with det.switch_scope_and_registry("cls") as inner:
            assert inner is cls
        assert DefaultScope.get_current_instance().scope_name == "det"
    assert DefaultScope.get_current_instance().scope_name == "cls"


def test_registration_and_its_errors():
    registry = Registry("r")

    @registry.register_module(name=["a", "b"])
    def function(x=1):
        return x

    assert registry.build(dict(type="a", x=3)) == 3
    assert registry.build(dict(type=function)) == 1
    with pytest.raises(KeyError, match="already registered"):
        registry.register_module(name="a", module=function)
    registry.register_module(name="a", module=dict, force=True)
    assert registry.get("a") is dict
    assert registry.get("collections.OrderedDict").__name__ == "OrderedDict"
    with pytest.raises(TypeError):
        registry.register_module(name=1)
    with pytest.raises(TypeError):
        registry.register_module(module=1)
    with pytest.raises(KeyError, match='"type"'):
        registry.build(dict(x=1))
    with pytest.raises(TypeError):
        build_from_cfg([], registry)
    assert Registry("r").scope == __name__.split(".")[0]


def test_a_registry_is_shown_as_a_table():
    registry = Registry("thing", scope="lib")
    registry.register_module(name="Ordered", module=OrderedDict)
    registry.register_module(name="p", module=partial(dict, a=1))
    assert repr(registry).splitlines() == [
        "Registry of thing in the scope lib (2 names)",
        "    Names    Objects",
        "    Ordered  collections.OrderedDict",
        "    p        functools.partial(<class 'dict'>, a=1)",
    ]


def test_threads_register_and_build():
    registry = Registry("threads")
    errors = []

    def work(index):
        try:
            for i in range(50):
                registry.register_module(name=f"n{index}_{i}", module=dict)
                assert registry.build(dict(type=f"n{index}_{i}", a=1)) == {"a": 1}
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors
    assert len(registry) == 200


def test_what_is_required_is_found_or_an_error_that_names_what_is_near():
    registry = Registry("things", scope="require_test")
    registry.register_module(name="ResNet", module=dict)
    assert registry.require("ResNet") is dict
    with pytest.raises(NotRegisteredError, match=r"resnet is not in .*Closest names: ResNet"):
        registry.require("resnet")


@pytest.mark.parametrize("asks", [0, 1, 2])
def test_a_scope_that_lacks_a_name_falls_back_to_its_parents(tree, asks):
    root, det, _ = tree
    root.register_module(name="Shared", module=dict)
    inner = Registry("inner", parent=det, scope="inner")
    det.register_module(name="Detector", module=list)
    asking = tree[asks]
    assert asking.get("det.Shared") is dict
    assert asking.get("inner.Shared") is dict
    assert asking.get("inner.Detector") is list
    assert asking.get("mmengine.Shared") is dict
    assert asking.build(dict(type="inner.Detector")) == []
    assert asking.get("inner.Same").where == "det"
    assert asking.get("cls.Detector") is None
    assert asking.get("eng.Detector") is None
    assert inner.get("inner.Detector") is list
    with pytest.raises(
        NotRegisteredError, match=r"Searched in inner::inner .*det::det.*eng::thing"
    ):
        asking.build(dict(type="inner.Nothing"))


@pytest.mark.parametrize("spec", ["missing", "none"])
def test_a_module_made_by_hand_is_no_obstacle(monkeypatch, spec):
    module = types.ModuleType("handmade")
    if spec == "missing":
        del module.__spec__
    module.Thing = dict
    monkeypatch.setitem(sys.modules, "handmade", module)
    registry = Registry("r")
    assert registry.get("handmade.Thing") is dict
    assert registry.get("handmade.Nothing") is None
    assert registry.get("handmade.inner.Thing") is None
    registry.register_module(name="own", module=list)
    assert registry.get("own") is list


def test_errors_of_trees_have_two_parents(tree):
    root, *_ = tree
    for kind in (TypeError, AssertionError):
        with pytest.raises(kind, match="parent must be a Registry"):
            Registry("child", parent="root")
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="scope det exists in thing registry"):
            Registry("again", parent=root, scope="det")


def test_what_a_config_is_built_of(tree):
    root, *_ = tree
    assert root.type_of({"type": "Same"}).where == "eng"
    assert root.type_of({"type": "Same", "_scope_": "det"}).where == "det"
    assert DefaultScope.get_current_instance() is None
    with DefaultScope.overwrite_default_scope("cls"):
        assert root.type_of({"type": "Same"}).where == "cls"
        assert root.type_of({"type": "det.Same"}).where == "det"
    assert root.type_of({"type": dict, "_scope_": "det"}) is dict
    assert root.type_of({}) is None
    with pytest.raises(NotRegisteredError, match="Sane"):
        root.type_of({"type": "Sane", "_scope_": "det"})

import functools
import importlib
import sys

import pytest

from eng.registry import (
    DefaultScope,
    Registry,
    init_default_scope,
)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of the family: the module `mmrotate` with the files of a dict."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "mmrotate" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    (tmp_path / "mmrotate").mkdir()
    (tmp_path / "mmrotate" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in [name for name in sys.modules if name.startswith("mmrotate")]:
        del sys.modules[name]


def test_the_locations_of_a_scope_are_imported_by_its_first_miss(library):
    library(
        registry="from eng.registry import Registry\nfrom mmrotate_parent import ROOT\n"
        "THINGS = Registry(\n"
        "    'thing', parent=ROOT, scope='mmrotate', locations=['mmrotate.things'])\n",
        things="from .registry import THINGS\n@THINGS.register_module()\nclass Det:\n    pass\n",
    )
    root = Registry("thing", scope="eng")
    sys.modules["mmrotate_parent"] = type(sys)("mmrotate_parent")
    sys.modules["mmrotate_parent"].ROOT = root
    assert root.get("mmrotate.Det").__name__ == "Det"
    assert root.get("Det") is None
    child = root.children["mmrotate"]
    child.import_from_location()
    assert list(child.module_dict) == ["Det"]


def test_a_library_registers_by_its_own_function(library):
    folder = library(
        utils="from mmrotate import things\n"
        "def register_all_modules(init_default_scope=True):\n"
        "    things.calls.append(init_default_scope)\n"
        "    things.REGISTRY.register_module(name='Det', module=dict)\n",
        things="calls = []\n",
    )
    assert folder.is_dir()
    things = importlib.import_module("mmrotate.things")
    things.REGISTRY = Registry("thing", scope="mmrotate")
    assert things.REGISTRY.get("Det") is dict
    assert things.REGISTRY.get("Nope") is None
    assert things.calls == [False]


def test_a_library_that_is_missing_gives_a_warning():
    registry = Registry("thing", scope="mmflow")
    with pytest.warns(UserWarning, match="mmflow"):
        registry.import_from_location()
    assert registry.get("Nope") is None


def test_the_default_scope_is_set_again():
    init_default_scope("mydet")
    first = DefaultScope.get_current_instance()
    init_default_scope("mydet")
    assert DefaultScope.get_current_instance() is first
    init_default_scope("mmengine")
    for _ in range(2):
        with pytest.warns(UserWarning, match="mydet"):
            init_default_scope("mydet")
        current = DefaultScope.get_current_instance()
        assert current.scope_name == "mydet"
        assert current.instance_name.startswith("mydet-2")
        DefaultScope.get_instance(f"other-{current.instance_name}", scope_name="other")


def test_callables_are_registered_and_built():
    registry = Registry("thing", scope="eng")

    class Adder:
        def __call__(self, **kwargs):
            return sorted(kwargs)

    registry.register_module(name="p", module=functools.partial(dict, a=1))
    registry.register_module(name="i", module=Adder())
    assert registry.build(dict(type="p", b=2)) == dict(a=1, b=2)
    assert registry.build(dict(type="i", x=1)) == ["x"]
    assert registry.build(dict(type=functools.partial(dict, a=1), b=2)) == dict(a=1, b=2)
    with pytest.raises(TypeError, match=r"no __name__ .*pass name="):
        registry.register_module(module=functools.partial(dict))
    with pytest.raises(TypeError):
        registry.build(dict(type=3))


def test_register_module_without_a_decorator():
    registry = Registry("thing", scope="eng")

    class A:
        pass

    assert registry._register_module(A) is None
    registry._register_module(A, ["x", "y"])
    registry._register_module(module=dict, module_name="x", force=True)
    assert registry.module_dict == dict(A=A, x=dict, y=A)
    with pytest.raises(KeyError, match="already registered"):
        registry._register_module(A)
    with pytest.raises(TypeError):
        registry._register_module(3)

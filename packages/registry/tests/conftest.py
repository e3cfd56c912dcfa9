import pytest

from eng.registry import DefaultScope, Registry


@pytest.fixture(autouse=True)
def no_default_scope():
    with DefaultScope.isolated():
        yield


@pytest.fixture
def tree():
    root = Registry("thing", scope="eng")
    det = Registry("det thing", parent=root, scope="det")
    cls = Registry("cls thing", parent=root, scope="cls")
    for registry in (root, det, cls):
        registry.register_module(name="Same", module=type("Same", (), {"where": registry.scope}))
    cls.register_module(name="ResNet", module=type("ResNet", (), {}))
    return root, det, cls

import pytest

from eng.registry import Registry, build_from_cfg
from eng.utils import ManagerMixin


def test_constructor_errors_keep_their_type_and_get_a_note():
    registry = Registry("r", scope="s")

    @registry.register_module()
    class Fails:
        def __init__(self, x):
            raise OSError(5, "disk")

    with pytest.raises(OSError, match="disk") as info:
        registry.build(dict(type="Fails", x=1))
    line = Fails.__init__.__code__.co_firstlineno + 1
    assert info.value.__notes__ == [
        f"raised while building Fails from the s::r registry with x=1, in {__file__}:{line}"
    ]


def test_managed_classes_are_fetched_by_name():
    registry = Registry("r")

    @registry.register_module()
    class Managed(ManagerMixin):
        def __init__(self, name="", x=1):
            super().__init__(name)

    one = registry.build(dict(type="Managed", name="a"))
    assert registry.build(dict(type="Managed", name="a")) is one


def test_builds_as_documented():
    registry = Registry("models")

    @registry.register_module()
    class ResNet:
        def __init__(self, depth, stages=4):
            self.depth, self.stages = depth, stages

    model = build_from_cfg(dict(depth=50), registry, dict(type="ResNet", depth=18, stages=3))
    assert (model.depth, model.stages) == (50, 3)
    child = Registry("detectors", parent=registry, scope="det")
    assert child.build_func is registry.build_func
    assert child.build(dict(type=ResNet, depth=1)).depth == 1
    assert "ResNet" in child
    assert "Nothing" not in child
    assert len(registry) == 1
    assert "ResNet" in repr(registry)
    with pytest.raises(TypeError, match="must be a str, got"):
        registry.get(3)
    with pytest.raises(TypeError, match=r"type must be a str or valid type.*::models registry"):
        registry.build(dict(type=3))
    with pytest.raises(TypeError, match="registry must be"):
        build_from_cfg(dict(type="ResNet"), "models")
    with pytest.raises(TypeError, match="force must be a boolean"):
        registry.register_module(force="yes")
    with pytest.raises(TypeError, match="parent must be a Registry"):
        Registry("x", parent="models")
    with pytest.raises(TypeError, match="unexpected keyword argument 'deep'") as info:
        registry.build(dict(type="ResNet", depth=1, deep=2))
    assert "deep=2" in info.value.__notes__[0]


def test_a_config_is_not_changed_and_may_be_any_mapping():
    from types import MappingProxyType

    registry = Registry("r")
    registry.register_module(name="dict", module=dict)
    cfg = dict(type="dict", a=dict(b=1), _scope_="nowhere")
    assert registry.build(MappingProxyType(cfg)) == dict(a=dict(b=1))
    assert cfg == dict(type="dict", a=dict(b=1), _scope_="nowhere")


def test_a_registry_of_another_kind_builds_by_its_few_members():
    class Table:
        name, scope = "table", "other"

        def of_default_scope(self):
            return self

        def require(self, key):
            return {"pair": lambda **args: args}[key]

    assert build_from_cfg(dict(type="pair", a=1), Table(), dict(b=2)) == dict(a=1, b=2)
    with pytest.raises(TypeError, match=r"registry must be an eng\.registry\.Registry"):
        build_from_cfg(dict(type="pair"), "MODELS")


def test_notes_have_no_addresses_generators_or_whole_configs():
    registry = Registry("r", scope="s")

    @registry.register_module()
    class Fails:
        def __init__(self, **kwargs):
            raise ValueError("no")

    inner = dict(type="Inner", text="x" * 1000, values=list(range(1000)))
    cfg = dict(type="Fails", lr=0.1, params=(i for i in range(3)), model=object(), inner=inner)
    with pytest.raises(ValueError, match="no") as info:
        registry.build({**cfg, "name": "y" * 1000})
    (note,) = info.value.__notes__
    assert note.startswith("raised while building Fails from the s::r registry with lr=0.1, params")
    assert len(note) < 200 + len(__file__)
    assert " at 0x" not in note
    for wrong in (object(), [inner] * 100):
        with pytest.raises(TypeError) as info:
            build_from_cfg(wrong, registry)
        assert len(str(info.value)) < 300
        assert " at 0x" not in str(info.value)
    with pytest.raises(KeyError) as info:
        registry.build({"text": "x" * 1000})
    assert "the s::r registry must contain the key \"type\"; its keys are 'text'" in str(info.value)
    assert "xxx" not in str(info.value)

import subprocess
import sys
import threading

import pytest

from eng.registry import (
    MODELS,
    DefaultScope,
    NotRegisteredError,
    Registry,
    build_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
    count_registered_modules,
    init_default_scope,
    traverse_registry_tree,
)
from eng.utils import ManagerMixin


@pytest.fixture(autouse=True)
def no_default_scope():
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()


def tree():
    root = Registry("thing", scope="eng")
    det = Registry("det thing", parent=root, scope="det")
    cls = Registry("cls thing", parent=root, scope="cls")
    for registry in (root, det, cls):
        registry.register_module(name="Same", module=type("Same", (), {"where": registry.scope}))
    cls.register_module(name="ResNet", module=type("ResNet", (), {}))
    return root, det, cls


def test_scopes():
    root, det, cls = tree()
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


def test_constructor_errors_keep_their_type_and_get_a_note():
    registry = Registry("r", scope="s")

    @registry.register_module()
    class Fails:
        def __init__(self, x):
            raise OSError(5, "disk")

    with pytest.raises(OSError, match="disk") as info:
        registry.build(dict(type="Fails", x=1))
    assert info.value.__notes__ == [
        "raised while building Fails from the s::r registry with {'x': 1}"
    ]


def test_managed_classes_are_fetched_by_name():
    registry = Registry("r")

    @registry.register_module()
    class Managed(ManagerMixin):
        def __init__(self, name="", x=1):
            super().__init__(name)

    one = registry.build(dict(type="Managed", name="a"))
    assert registry.build(dict(type="Managed", name="a")) is one


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


def test_discovery_by_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eng.modules]\nfound_kind = eng_stranger_good\n\n")
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[eng.modules]\nfound_kind = eng_broken [gpu]\n")
    (tmp_path / "eng_broken.py").write_text("import eng_not_there_at_all\n")
    (tmp_path / "eng_stranger_good.py").write_text(
        "import sys\nsys.eng_test_registry.register_module(name='Stranger', module=dict)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("found_kind")
    monkeypatch.setattr(sys, "eng_test_registry", registry, raising=False)
    with pytest.warns(UserWarning, match="broken.*eng_not_there_at_all"):
        assert registry.get("Stranger") is dict
    with pytest.raises(NotRegisteredError, match=r"pip install 'broken\[gpu\]'.*custom_imports"):
        registry.build(dict(type="Strange"))


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


def test_default_scope_and_reports(tmp_path):
    init_default_scope("a")
    init_default_scope("b")
    with pytest.warns(UserWarning, match='is not "a"'):
        init_default_scope("a")
    assert DefaultScope.get_current_instance().scope_name == "a"
    root, *_ = tree()
    assert [node["scope"] for node in traverse_registry_tree(root, verbose=False)] == [
        "eng",
        "det",
        "cls",
    ]
    result = count_registered_modules(str(tmp_path), verbose=False)
    assert "MODELS" in result["registries"]
    assert (tmp_path / "modules_statistic_results.json").exists()
    assert MODELS.scope == "eng"


def test_a_list_of_configs_becomes_a_sequential():
    nn = pytest.importorskip("torch.nn")
    cfg = [dict(type="torch.nn.Linear", in_features=2, out_features=3), dict(type=nn.ReLU)]
    built = MODELS.build(cfg)
    assert isinstance(built, nn.Sequential)
    assert built[0].out_features == 3


def test_importing_and_building_do_not_import_torch():
    code = (
        "import sys, eng.registry as r; x = r.Registry('x'); "
        "x.register_module(module=dict); x.build(dict(type='dict')); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_dotted_name_in_a_scope_is_no_path_of_another_package():
    root, det, _ = tree()
    nested = Registry("nested", parent=det, scope="nested")
    nested.register_module(name="Deep", module=dict)
    assert root.get("det.nested.Deep") is dict
    assert root.get("det.collections.OrderedDict") is None
    assert root.get("collections.OrderedDict").__name__ == "OrderedDict"
    assert root.get("collections.NoSuchThing") is None
    assert root.get("no_such_package.Thing") is None
    with pytest.raises(NotRegisteredError, match=r"no scope 'no_such'.*known: eng, det"):
        root.build(dict(type="no_such.Thing"))
    assert root.get("mmengine.registry.Registry") is Registry


def test_the_scope_of_a_package_is_imported_when_it_is_named(tmp_path, monkeypatch):
    package = tmp_path / "eng_scope_pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "registry.py").write_text(
        "from eng.registry import MODELS, Registry\n"
        "OURS = Registry('model', parent=MODELS, locations=['eng_scope_pkg.models'])\n"
    )
    (package / "models.py").write_text(
        "from eng_scope_pkg.registry import OURS\n@OURS.register_module()\nclass Net:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert type(MODELS.build(dict(type="eng_scope_pkg.Net"))).__module__ == "eng_scope_pkg.models"
    init_default_scope("eng_scope_pkg")
    assert type(MODELS.build(dict(type="Net"))).__name__ == "Net"
    with pytest.raises(ValueError, match="scope eng_scope_pkg exists in model"):
        Registry("again", parent=MODELS, scope="eng_scope_pkg")
    (tmp_path / "eng_broken_scope").mkdir()
    (tmp_path / "eng_broken_scope" / "registry.py").write_text("import eng_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="eng_is_not_there"):
        MODELS.get("eng_broken_scope.Net")


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
    assert "'deep': 2" in info.value.__notes__[0]


def test_a_config_is_not_changed_and_may_be_any_mapping():
    from types import MappingProxyType

    registry = Registry("r")
    registry.register_module(name="dict", module=dict)
    cfg = dict(type="dict", a=dict(b=1), _scope_="nowhere")
    assert registry.build(MappingProxyType(cfg)) == dict(a=dict(b=1))
    assert cfg == dict(type="dict", a=dict(b=1), _scope_="nowhere")


def test_names_under_threads_import_once(tmp_path, monkeypatch):
    """Threads that miss the same name at once all find what the first import registers."""
    info = tmp_path / "threaded-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: threaded\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eng.modules]\nthreaded_kind = eng_threaded\n")
    (tmp_path / "eng_threaded.py").write_text(
        "import sys, time\ntime.sleep(0.1)\n"
        "sys.eng_threaded_registry.register_module(name='Late', module=dict)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("threaded_kind")
    monkeypatch.setattr(sys, "eng_threaded_registry", registry, raising=False)
    found = []
    start = threading.Barrier(6)

    def work():
        start.wait()
        found.append(registry.get("Late"))

    threads = [threading.Thread(target=work) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found == [dict] * 6


def test_all_root_registries_are_of_the_root_scope():
    import eng.registry

    roots = [value for value in vars(eng.registry).values() if isinstance(value, Registry)]
    assert {registry.scope for registry in roots} == {"eng"}
    assert len({registry.name for registry in roots}) == len(roots) == 24


def test_what_is_required_is_found_or_an_error_that_names_what_is_near():
    registry = Registry("things", scope="require_test")
    registry.register_module(name="ResNet", module=dict)
    assert registry.require("ResNet") is dict
    with pytest.raises(NotRegisteredError, match=r"resnet is not in .*Closest names: ResNet"):
        registry.require("resnet")


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

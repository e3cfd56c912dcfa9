import sys
import threading
from types import ModuleType

import pytest

from eng.registry import MODELS, NotRegisteredError, Registry, init_default_scope


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


def test_a_dotted_name_in_a_scope_is_no_path_of_another_package(tree):
    root, det, _ = tree
    nested = Registry("nested", parent=det, scope="nested")
    nested.register_module(name="Deep", module=dict)
    assert root.get("det.nested.Deep") is dict
    assert root.get("det.collections.OrderedDict") is None
    assert root.get("collections.OrderedDict").__name__ == "OrderedDict"
    assert root.get("collections.NoSuchThing") is None
    assert root.get("no_such_package.Thing") is None
    with pytest.raises(NotRegisteredError, match=r"Unknown scope 'no_such'.*known: eng, det"):
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


def test_a_path_that_only_the_alias_has(tree, monkeypatch):
    root, _, _ = tree
    module = ModuleType("mmengine.nowhere.else_")
    module.Thing = dict
    for name in ("mmengine", "mmengine.nowhere"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert root.get("mmengine.nowhere.else_.Thing") is dict
    assert root.get("mmengine.nowhere.else_.Other") is None
    assert root.get("mmengine.registry.Registry") is Registry

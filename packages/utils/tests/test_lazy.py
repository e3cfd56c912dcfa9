import importlib
import sys

import pytest

from eng.utils import lazy_modules, lazy_names


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "lazy_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from eng.utils import lazy_names\n"
        "__all__ = ['early', 'late']\n"
        "early = 1\n"
        "__getattr__, __dir__ = lazy_names("
        "__name__, {'late': '.part', 'dumps': 'json', 'gone': '.part'})\n"
    )
    (folder / "part.py").write_text("late = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lazy_package")
    for name in [name for name in sys.modules if name.startswith("lazy_package")]:
        del sys.modules[name]


def test_a_module_is_imported_when_its_name_is_asked_for(package):
    assert "lazy_package.part" not in sys.modules
    assert {"early", "late", "dumps"} <= set(dir(package))
    assert "lazy_package.part" not in sys.modules
    late = package.late
    assert sys.modules["lazy_package.part"].late is late
    assert vars(package)["late"] is late
    assert package.dumps([1]) == "[1]"


def test_names_that_there_are_not(package):
    with pytest.raises(AttributeError, match="module 'lazy_package' has no attribute 'latte'"):
        package.latte
    with pytest.raises(AttributeError, match=r"'lazy_package\.part' has no attribute 'gone'"):
        package.gone
    with pytest.raises(ImportError):
        from lazy_package import latte  # noqa: F401


def test_modules_of_the_package_are_attributes_of_it(package, tmp_path):
    (tmp_path / "lazy_package" / "broken.py").write_text("import not_installed_anywhere\n")
    assert package.part is importlib.import_module("lazy_package.part")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        package.broken
    assert not hasattr(package, "_part")


def test_a_module_by_its_full_name_is_not_of_the_package():
    get, list_names = lazy_names(__name__, {"loads": "json"})
    assert "loads" in list_names()
    assert get("loads") is importlib.import_module("json").loads
    assert globals().pop("loads") is importlib.import_module("json").loads


def test_names_of_a_module_together():
    get, list_names = lazy_modules(__name__, {"json": ("loads", "dumps")})
    assert {"loads", "dumps", "__version__"} <= set(list_names())
    assert get("dumps") is importlib.import_module("json").dumps
    del globals()["dumps"]

import pytest

from eng.config import Config, ConfigError, resolve_package_path


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "eng_zoo_for_test"
    (root / ".mim" / "configs").mkdir(parents=True)
    (root / "configs").mkdir()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return root


def test_folders_are_searched_in_order(package):
    for place in (package / "a.py", package / "configs/a.py", package / ".mim/configs/a.py"):
        place.touch()
        assert resolve_package_path("eng_zoo_for_test::a.py") == place


@pytest.mark.parametrize("name", ["a_1.5x.py", "b.yaml", "c.yml", "d.json"])
def test_the_ending_of_python_may_be_left_out(package, name):
    (package / "configs" / name).touch()
    found = resolve_package_path(f"eng_zoo_for_test::{name.removesuffix('.py')}")
    assert found == package / "configs" / name


@pytest.mark.parametrize("reference", ["a.py", "::a.py", "eng_zoo_for_test::", ""])
def test_what_names_no_package(package, reference):
    with pytest.raises(ValueError, match="named 'package::path', not"):
        resolve_package_path(reference)


def test_a_package_that_is_not_installed():
    with pytest.raises(ModuleNotFoundError, match="eng_absent_zoo, which is not installed"):
        resolve_package_path("eng_absent_zoo::a.py")


def test_a_missing_file_names_every_place(package):
    with pytest.raises(FileNotFoundError, match=r"no config 'x\.py'") as caught:
        resolve_package_path("eng_zoo_for_test::x")
    for place in (package / ".mim/configs/x.py", package / "configs/x.py", package / "x.py"):
        assert str(place) in str(caught.value)


def test_a_base_is_found_the_same_way_or_the_error_has_its_line(package, tmp_path):
    (package / "configs" / "a.py").write_text("x = 1\n")
    config = tmp_path / "c.py"
    config.write_text("_base_ = 'eng_zoo_for_test::a'\n")
    assert Config.fromfile(config).x == 1
    for base, match in (
        ("eng_zoo_for_test::b", r"c\.py:1: the base 'eng_zoo_for_test::b' .*configs/b\.py"),
        ("::b", r"c\.py:1: the base '::b' .*package::path"),
    ):
        config.write_text(f"_base_ = '{base}'\n")
        with pytest.raises(ConfigError, match=match):
            Config.fromfile(config)

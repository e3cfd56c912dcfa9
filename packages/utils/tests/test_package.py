"""Installed packages and programs."""

import subprocess
import sys
import types
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import eng.utils as u


def double(x):
    return 2 * x


def test_packages():
    assert u.is_installed("pytest")
    assert not u.is_installed("not_a_package.at_all")
    assert u.get_installed_path("eng-utils") == str(Path(u.__file__).parent)
    with pytest.raises(PackageNotFoundError):
        u.get_installed_path("not-a-package")
    with pytest.raises(ImportError):
        u.requires_package(["pytest", "not_a_package"])(double)(1)
    with pytest.raises(RuntimeError):
        u.requires_executable("not-a-program")(double)(1)


def test_programs_and_checkouts(tmp_path, monkeypatch):
    u.call_command(["true"])
    with pytest.raises(subprocess.CalledProcessError):
        u.call_command(["false"])
    asked = []
    monkeypatch.setattr(subprocess, "check_call", asked.append)
    u.install_package("pytest")  # is installed: nothing to do
    u.install_package("not-a-package-at-all")
    assert [command[1:] for command in asked] == [["-m", "pip", "install", "not-a-package-at-all"]]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert u.get_git_hash(fallback="none") == "none"
    with pytest.raises(TypeError, match="digits"):
        u.get_git_hash(digits="7")

    @u.check_prerequisites(["a", "b"], checker=lambda name: name == "a")
    def function():
        pass

    with pytest.raises(RuntimeError, match='"b" are required in method "function"'):
        function()


@pytest.mark.parametrize("spec", ["missing", "none"])
def test_a_module_made_by_hand_counts_as_installed(monkeypatch, spec):
    module = types.ModuleType("handmade")
    if spec == "missing":
        del module.__spec__
    monkeypatch.setitem(sys.modules, "handmade", module)
    assert u.is_installed("handmade")
    assert u.requires_package("handmade")(lambda: 3)() == 3
    assert not u.is_installed("handmade.inner")
    with pytest.raises(PackageNotFoundError):
        u.get_installed_path("handmade")
    monkeypatch.setitem(sys.modules, "blocked", None)
    assert not u.is_installed("blocked")


def test_the_module_of_a_distribution():
    from importlib import metadata

    assert u.package2module("pluggy") == "pluggy"
    if any(
        each.name == "eng-utils" for each in metadata.distributions()
    ):  # as a wheel, or editable
        assert u.package2module("eng-utils") == "eng.utils"
    with pytest.raises(metadata.PackageNotFoundError):
        u.package2module("eng-no-such")
    assert u.MODULE2PACKAGE["mmseg"] == "mmsegmentation"
    assert len(u.MODULE2PACKAGE) == 19


def test_a_package_comes_before_its_extension_in_c(tmp_path, monkeypatch):
    info = tmp_path / "PyKaml-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: PyKaml\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("_kaml\nkaml\n")
    for name in ("_kaml", "kaml"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert u.package2module("PyKaml") == "kaml"

"""Backends of installed packages, which advertise them by entry point."""

import importlib
import sys
import uuid

import pytest

from eng import fileio

SOURCE = """
from eng.fileio import BaseStorageBackend

class Store(BaseStorageBackend):
    def __init__(self, word="default"):
        self.word = word
    def get(self, filepath):
        return f"{self.word} {filepath}".encode()
    def get_text(self, filepath, encoding="utf-8"):
        return self.get(filepath).decode(encoding)

class Stranger:
    pass
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution with one backend, as pip leaves it in site-packages."""
    installed = []

    def install(value, name=None, source=SOURCE):
        module = f"store_{uuid.uuid4().hex}"
        name = name or module.replace("_", "")
        folder = tmp_path / module
        metadata = folder / f"{module}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            f"[eng.fileio.backends]\n{name} = {module}:{value}\n"
        )
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        installed.append(module)
        return name, module

    yield install
    for module in installed:
        sys.modules.pop(module, None)


def test_a_missed_name_is_that_of_an_installed_backend(install):
    name, module = install("Store")
    assert module not in sys.modules
    backend = fileio.get_file_backend("/x", backend_args={"backend": name, "word": "a"})
    assert type(backend) is sys.modules[module].Store
    assert fileio.get_text("x", backend_args={"backend": name}) == "default x"


def test_the_name_is_the_prefix_as_well(install):
    name, _ = install("Store")
    assert fileio.get(f"{name}://x") == f"default {name}://x".encode()
    with fileio.get_local_path(f"{name}://x.bin") as path, open(path, "rb") as file:  # noqa: PTH123
        assert file.read() == f"default {name}://x.bin".encode()


def test_what_is_registered_takes_precedence(install):
    install("Store", name="local")
    install("Store", name="s3")
    assert fileio.get_file_backend("/x").name == "LocalBackend"
    assert fileio.get_file_backend("/x", backend_args={"backend": "local"}).name == "LocalBackend"
    assert fileio.get_file_backend("s3://x").name == "S3Backend"


def test_a_backend_that_cannot_be_imported_names_its_package(install):
    name, module = install("Store", source="import no_such_module\n")
    words = rf"{name}' \({module}:Store of {module}\).*ModuleNotFoundError.*no_such_module"
    for _ in range(2):
        with pytest.raises(ImportError, match=words):
            fileio.get(f"{name}://x")


def test_a_class_that_is_not_a_backend_is_refused(install):
    name, module = install("Stranger")
    with pytest.raises(TypeError, match=rf"{module}:Stranger of {module}\) is not a subclass"):
        fileio.get("x", backend_args={"backend": name})


def test_an_error_lists_advertised_names_and_the_closest(install):
    name, _ = install("Store")
    near = name[:-1]
    with pytest.raises(ValueError, match=rf"'{near}'; known backends: .*{name}.*; closest: {name}"):
        fileio.get("x", backend_args={"backend": near})
    with pytest.raises(ValueError, match=rf"'{near}://'.*{name}://.*; closest: {name}"):
        fileio.get(f"{near}://x")
    with pytest.raises(ValueError, match=r"'locl'; known backends: .*; closest: local$"):
        fileio.get("x", backend_args={"backend": "locl"})

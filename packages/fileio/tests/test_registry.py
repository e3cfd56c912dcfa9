"""Which backend serves a path, with which settings; FileClient."""

import json
import subprocess
import sys

import pytest

from eng import fileio
from eng.fileio.backends import registry


@pytest.fixture
def clean(monkeypatch):
    """Undo registrations after the test."""
    for table in ("_backends", "_prefixes", "_instances"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    yield
    registry.get_backend_class.cache_clear()


def defaults(monkeypatch, **table):
    monkeypatch.setenv("ENG_FILEIO_DEFAULTS", json.dumps(table))


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/a/b", "LocalBackend"),
        ("/a/b://c", "LocalBackend"),
        ("file:///a", "LocalBackend"),
        ("http://a/b", "HTTPBackend"),
        ("https://a/b", "HTTPBackend"),
        ("s3://a/b", "S3Backend"),
        ("petrel://a/b", "PetrelBackend"),
        ("cluster:s3://a/b", "S3Backend"),
        ("memory://a/b", "FsspecBackend"),
        ("zip://a::/b.zip", "FsspecBackend"),
    ],
)
def test_the_prefix_chooses(uri, name):
    assert fileio.get_file_backend(uri).name == name


def test_a_name_goes_before_the_prefix():
    args = {"backend": "petrel"}
    assert isinstance(fileio.get_file_backend(backend_args=args), fileio.PetrelBackend)
    assert fileio.get_file_backend("/a", backend_args=args).name == "PetrelBackend"
    assert fileio.get_file_backend("s3://a", backend_args={"backend": "disk"}).name == (
        "HardDiskBackend"
    )
    assert args == {"backend": "petrel"}


def test_singletons_are_of_the_same_arguments():
    def get(uri="memory://a", **args):
        return fileio.get_file_backend(uri, backend_args=args, enable_singleton=True)

    assert get() is get("memory://b")
    assert get(a=1, b={"c": 2}) is get(b={"c": 2}, a=1)
    assert get(a=1) is not get(a=2)
    assert fileio.get_file_backend("memory://a") is not fileio.get_file_backend("memory://a")


def test_unknown_ones_are_told_with_the_known():
    with pytest.raises(ValueError, match=r"'nowhere://'.*file://.*s3://.*fsspec.*zip"):
        fileio.get_file_backend("nowhere://a")
    with pytest.raises(ValueError, match=r"'nothing'; known backends: .*hard_disk.*s3"):
        fileio.get_file_backend("/a", backend_args={"backend": "nothing"})
    with pytest.raises(ValueError, match="uri is required"):
        fileio.get_file_backend()


def test_wrong_settings_are_named_and_secrets_are_not():
    with pytest.raises(TypeError, match=r"\['secret'\] of backend 'http' for 'http://a'") as e:
        fileio.get("http://a", backend_args={"secret": "hidden"})
    assert "hidden" not in str(e.value)


def test_registration(clean):
    class New(fileio.BaseStorageBackend):
        def __init__(self, word="default"):
            self.word = word

        def get(self, filepath):
            return f"{self.word} {filepath}".encode()

        def get_text(self, filepath, encoding="utf-8"):
            return self.get(filepath).decode(encoding)

    fileio.register_backend("new", New, prefixes=["new", "newer"])
    assert fileio.get("newer://x") == b"default newer://x"
    assert fileio.get_text("x", backend_args={"backend": "new", "word": "a"}) == "a x"
    with fileio.get_local_path("new://x.bin") as path, open(path, "rb") as file:  # noqa: PTH123
        assert file.read() == b"default new://x.bin"
    with pytest.raises(NotImplementedError, match="New does not support 'put'"):
        fileio.put(b"", "new://x")
    with pytest.raises(ValueError, match="'new' is already registered"):
        fileio.register_backend("new", New)
    with pytest.raises(ValueError, match="prefix 's3' is already registered for backend 's3'"):
        fileio.register_backend("other", New, prefixes="s3")
    fileio.register_backend("new", New, force=True)

    @fileio.register_backend("decorated", prefixes=("deco",))
    class Decorated(New):
        pass

    assert isinstance(fileio.get_file_backend("deco://x"), Decorated)
    for wrong in (dict(name=5), dict(backend=int), dict(prefixes=5)):
        with pytest.raises(TypeError):
            fileio.register_backend(**{"name": "wrong", "backend": New, **wrong})


def test_defaults_of_the_environment_lie_below_a_call(monkeypatch):
    defaults(
        monkeypatch,
        http={"timeout": 7, "retries": 2},
        s3={"endpoint_url": "http://one"},
        petrel={"endpoint_url": "http://two"},
    )

    def get(uri, **args):
        return fileio.get_file_backend(uri, backend_args=args, enable_singleton=True)

    assert (get("http://a").timeout, get("http://a").retries) == (7, 2)
    assert (get("http://a", retries=9).timeout, get("http://a", retries=9).retries) == (7, 9)
    assert get("https://a").timeout == 30
    assert get("s3://a").client_settings == {"endpoint_url": "http://one"}
    # by prefix where that leads to the backend that was named, and by that name otherwise
    assert get("s3://a", backend="petrel").client_settings == {"endpoint_url": "http://one"}
    assert get("/a", backend="petrel").client_settings == {"endpoint_url": "http://two"}
    assert get(None, backend="petrel").client_settings == {"endpoint_url": "http://two"}
    assert get("/a").name == "LocalBackend"
    assert get("s3://a", backend="disk").name == "HardDiskBackend"
    defaults(monkeypatch)
    assert get("http://a").timeout == 30


def test_defaults_may_send_a_prefix_elsewhere(monkeypatch):
    mapping = {"/data/": "s3://bucket/"}
    defaults(monkeypatch, file={"backend": "petrel", "path_mapping": mapping})
    backend = fileio.get_file_backend("/data/x")
    assert (backend.name, backend.path_mapping) == ("PetrelBackend", mapping)
    assert fileio.get_file_backend("/x", backend_args={"backend": "disk"}).name == (
        "HardDiskBackend"
    )


@pytest.mark.parametrize("text", ["{", '["hidden"]', '{"s3": "hidden"}'])
def test_defaults_that_cannot_be_read_are_told(monkeypatch, text):
    monkeypatch.setenv("ENG_FILEIO_DEFAULTS", text)
    with pytest.raises(ValueError, match="ENG_FILEIO_DEFAULTS") as error:
        fileio.get_file_backend("s3://a")
    assert "hidden" not in str(error.value)


@pytest.mark.filterwarnings("ignore:FileClient:DeprecationWarning")
class TestFileClient:
    def test_arguments(self):
        assert fileio.FileClient("disk") is fileio.FileClient("disk")
        assert isinstance(fileio.FileClient().client, fileio.HardDiskBackend)
        one = fileio.FileClient(backend="petrel", prefix="s3")
        assert one is fileio.FileClient(backend="petrel", prefix="s3")
        assert isinstance(fileio.FileClient(prefix="s3").client, fileio.PetrelBackend)
        assert fileio.FileClient(prefix="https").name == "HTTPBackend"
        assert fileio.FileClient("http", timeout=3).client.timeout == 3
        with pytest.raises(ValueError, match="hard_disk"):
            fileio.FileClient("nothing")
        with pytest.raises(ValueError, match="nowhere"):
            fileio.FileClient(prefix="nowhere")

    def test_infer_client(self):
        infer = fileio.FileClient.infer_client
        assert infer(uri="s3://path/of/your/file").name == "S3Backend"
        assert infer(uri="/path").name == "HardDiskBackend"
        assert infer({"backend": "petrel"}).name == "PetrelBackend"
        for kind in (ValueError, AssertionError):
            with pytest.raises(kind, match="file_client_args or uri"):
                infer()
        assert fileio.FileClient.parse_uri_prefix("s3://path/of/your/file") == "s3"
        assert fileio.FileClient.parse_uri_prefix("cluster:s3://bucket") == "s3"
        assert fileio.FileClient.parse_uri_prefix("/path") is None

    def test_calls(self, tmp_path):
        client = fileio.FileClient("disk")
        path = client.join_path(tmp_path, "folder", "file")
        client.put(b"a", path)
        assert client.get(path) == b"a"
        client.put_text("b", path)
        assert client.get_text(path) == "b"
        assert (client.exists(path), client.isfile(path), client.isdir(path)) == (True, True, False)
        assert list(client.list_dir_or_file(tmp_path, recursive=True)) == ["folder", "folder/file"]
        with client.get_local_path(path) as local:
            assert local == path
        client.remove(path)
        assert not client.exists(path)
        assert client.allow_symlink

    def test_registration(self, clean):
        @fileio.FileClient.register_backend("mine", prefixes="mine")
        class Mine(fileio.LocalBackend):
            pass

        assert fileio.FileClient(prefix="mine").name == "Mine"
        assert fileio.get_file_backend("mine://x").name == "Mine"


def test_the_file_client_warns_once():
    code = (
        "import warnings; from eng.fileio import FileClient\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    FileClient('disk'); FileClient('local'); FileClient('disk')\n"
        "print([w.category.__name__ for w in caught])"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed == "['DeprecationWarning']\n"


@pytest.mark.filterwarnings("ignore:.*file_client_args:DeprecationWarning")
class TestFileClientArguments:
    """The settings under their older name are arguments of the FileClient."""

    @pytest.mark.parametrize(
        ("settings", "name"),
        [
            ({"prefix": "petrel"}, "PetrelBackend"),
            ({"prefix": "s3"}, "S3Backend"),
            ({"backend": "disk", "prefix": "s3"}, "HardDiskBackend"),
            ({"backend": None, "prefix": "https", "timeout": 3}, "HTTPBackend"),
            ({"backend": "petrel", "prefix": None}, "PetrelBackend"),
            ({"prefix": "file"}, "LocalBackend"),
            ({}, "LocalBackend"),
        ],
    )
    def test_a_backend_or_a_prefix_chooses(self, settings, name):
        given = dict(settings)
        merged = fileio.merged_backend_args("x", settings, None)
        assert settings == given
        assert fileio.get_file_backend("/a", backend_args=merged).name == name

    def test_everywhere(self, tmp_path):
        path = str(tmp_path / "a.json")
        for settings in ({"backend": "disk", "prefix": "file"}, {"prefix": "file"}):
            fileio.dump({"1": "2"}, path, file_client_args=settings)
            assert fileio.load(path, file_client_args=settings) == {"1": "2"}
            assert fileio.list_from_file(path, file_client_args=settings) == ['{"1": "2"}']
            found = fileio.dict_from_file(path, file_client_args=settings)
            assert found == {'{"1":': '"2"}'}

    def test_an_unknown_prefix_is_an_error(self):
        with pytest.raises(ValueError, match="nowhere"):
            fileio.load("a.json", file_client_args={"prefix": "nowhere"})

    def test_both_names_are_an_error(self):
        for kind in (ValueError, AssertionError):
            with pytest.raises(kind, match="cannot be set together"):
                fileio.load("a.json", file_client_args={}, backend_args={})


def test_settings_of_s3_are_those_of_the_older_name(monkeypatch):
    monkeypatch.setenv("ENG_FILEIO_DEFAULTS", '{"s3": {"retries": 9}}')
    for args in ({"backend": "petrel"}, {"backend": "s3"}, None):
        assert fileio.get_file_backend("s3://a/b", backend_args=args).retries == 9
    disk = fileio.get_file_backend("s3://a/b", backend_args={"backend": "disk"})
    assert disk.name == "HardDiskBackend"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((1, fileio.LocalBackend), TypeError),
        (("mine", 5), TypeError),
        (("mine", dict), TypeError),
        (("mine", fileio.LocalBackend, False, 5), TypeError),
        (("local", fileio.LocalBackend), ValueError),
        (("local", fileio.LocalBackend), KeyError),
        (("mine", fileio.LocalBackend, False, "s3"), ValueError),
    ],
)
def test_errors_of_registration_have_two_parents(clean, arguments, error):
    for register in (fileio.register_backend, fileio.FileClient.register_backend):
        for kind in (error, AssertionError):
            with pytest.raises(kind):
                register(*arguments)


def test_a_path_of_another_type_is_an_assertion_error_too():
    for call in (fileio.get, fileio.FileClient.parse_uri_prefix, fileio.exists):
        for kind in (TypeError, AssertionError):
            with pytest.raises(kind, match="a path must be str or Path, got int"):
                call(5)

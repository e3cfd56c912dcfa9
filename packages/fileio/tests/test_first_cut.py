# Paths are text here: pathlib would change URIs, and costs in hot calls.
# ruff: noqa: PTH208
import io
import os
import pickle

import pytest

from eng import fileio


@pytest.fixture(params=["local", "memory"])
def root(request, tmp_path):
    return str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}"


def test_bytes_and_text_come_back(root):
    path = fileio.join_path(root, "new", "a b#?%é.bin")
    for data in (b"x", bytearray(b"y"), memoryview(b"z"), io.BytesIO(b"stream")):
        expected = data.getvalue() if isinstance(data, io.BytesIO) else bytes(data)
        fileio.put(data, path)
        assert fileio.get(path) == expected
    fileio.put_text("é\r\n", path)
    assert fileio.get_text(path) == "é\r\n"
    assert fileio.get_many([path, path]) == ["é\r\n".encode()] * 2


def test_listing_and_trees(root, tmp_path):
    base = fileio.join_path(root, "tree")
    for name in ("a.txt", "b.bin", "sub/c.txt"):
        fileio.put(name.encode(), fileio.join_path(base, name))
    assert set(fileio.list_dir_or_file(base)) == {"a.txt", "b.bin", "sub"}
    assert set(fileio.list_dir_or_file(base, suffix=".txt", recursive=True)) == {
        "a.txt",
        "sub/c.txt",
    }
    down = str(tmp_path / "down")
    assert fileio.copytree_to_local(base, down) == down
    assert fileio.get(down + "/sub/c.txt") == b"sub/c.txt"
    copy = fileio.join_path(root, "copy")
    assert fileio.copytree(base, copy) == copy
    with pytest.raises(FileExistsError):
        fileio.copytree(base, copy)
    with pytest.raises(IsADirectoryError):
        fileio.remove(copy)
    fileio.rmtree(copy)
    assert not fileio.exists(copy)
    with pytest.raises(FileNotFoundError):
        fileio.remove(fileio.join_path(base, "none"))


def test_a_failed_write_leaves_the_old_file_and_no_partial(tmp_path):
    class Breaks(io.RawIOBase):
        calls = 0

        def read(self, size=-1):
            self.calls += 1
            if self.calls > 1:
                raise OSError("source broke")
            return b"half"

    path = tmp_path / "file"
    fileio.put(b"old", path)
    with pytest.raises(OSError, match="source broke"):
        fileio.put(Breaks(), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    (tmp_path / ".file.eng-partial.3").write_bytes(b"left by a killed writer")
    fileio.put(b"new", path)
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(FileExistsError):
        fileio.put(b"x", path, if_absent=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("extension", ["json", "yaml", "yml", "pkl", "pickle"])
def test_load_is_the_inverse_of_dump(root, extension):
    path = fileio.join_path(root, f"f.{extension}")
    value = {"a": [1, 2.5, None], "b": "é"}
    assert fileio.dump(value, path) is True
    assert fileio.load(path) == value
    text = fileio.dump(value, file_format=extension)
    stream = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
    assert fileio.load(stream, file_format=extension) == value


def test_yaml_runs_no_code_and_pickle_needs_its_name(tmp_path):
    (tmp_path / "x.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(Exception, match="could not determine a constructor"):
        fileio.load(tmp_path / "x.yaml")
    (tmp_path / "x.json").write_bytes(pickle.dumps(1))
    with pytest.raises(ValueError, match=r"\S"):
        fileio.load(tmp_path / "x.json")
    with pytest.raises(TypeError, match="json, pickle"):
        fileio.load(tmp_path / "x.txt")


def test_lists_and_dicts_of_a_text_file(root):
    path = fileio.join_path(root, "l.txt")
    fileio.put_text("1 a\n2 b c\n", path)
    assert fileio.list_from_file(path, prefix="-", offset=1, max_num=1) == ["-2 b c"]
    assert fileio.dict_from_file(path, key_type=int) == {1: "a", 2: ["b", "c"]}
    fileio.put_text("lonely\n", path)
    with pytest.raises(ValueError, match="line 1"):
        fileio.dict_from_file(path)


def test_backends_by_name_and_prefix():
    one = fileio.get_file_backend("memory://a", enable_singleton=True)
    assert one is fileio.get_file_backend("memory://b", enable_singleton=True)
    with pytest.raises(ValueError, match="file://"):
        fileio.get_file_backend("nowhere://a")
    with pytest.raises(ValueError, match="hard_disk"):
        fileio.FileClient("nothing")
    assert fileio.FileClient("disk") is fileio.FileClient("disk")
    assert isinstance(fileio.FileClient().client, fileio.HardDiskBackend)

"""The file functions, on local disks and in memory."""

import io
import os
import shutil
from pathlib import Path

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
    fileio.put_text("é", path, encoding="latin-1")
    assert fileio.get_text(path, "latin-1") == "é"


@pytest.mark.parametrize("source", [5, "text", io.StringIO("text")])
def test_what_is_no_bytes_is_refused_by_its_path(root, source):
    path = fileio.join_path(root, "file")
    fileio.put(b"old", path)
    with pytest.raises(TypeError, match="file: expected bytes, bytearray, memoryview or a binary"):
        fileio.put(source, path)
    assert fileio.get(path) == b"old"


def test_a_source_that_turns_to_text_is_refused(root):
    class Turns:
        answers = iter([b"bytes", "text"])

        def read(self, size):
            return next(self.answers)

    path = fileio.join_path(root, "file")
    fileio.put(b"old", path)
    with pytest.raises(TypeError, match="file: expected a binary file, but it yields str"):
        fileio.put(Turns(), path)
    assert fileio.get(path) == b"old"


def test_many_files_come_in_order_and_failures_are_listed(root):
    paths = [fileio.join_path(root, f"{number}") for number in range(100)]
    for path in paths:
        fileio.put(path.encode(), path)
    assert fileio.get_many(iter(paths), max_workers=7) == [path.encode() for path in paths]
    assert fileio.get_many([]) == []
    fileio.remove(paths[3])
    fileio.remove(paths[50])
    with pytest.raises(fileio.PartialFailureError, match="2 of 100 failed") as error:
        fileio.get_many(paths)
    assert [path for path, _ in error.value.failures] == [paths[3], paths[50]]
    assert all(isinstance(cause, FileNotFoundError) for _, cause in error.value.failures)


def test_pathlib_works_where_text_does(tmp_path):
    path = Path("memory://pathlib") / tmp_path.name / "file"
    fileio.put(b"x", path)
    assert fileio.get(path) == fileio.get(f"memory://pathlib/{tmp_path.name}/file") == b"x"
    local = tmp_path / "file"
    fileio.put(b"y", local)
    assert fileio.get(Path(f"file://{local}")) == fileio.get(f"file://{local}") == b"y"
    with fileio.get_local_path(f"file://{local}") as found:
        assert found == str(local)
    with fileio.get_local_path(local) as found:
        assert type(found) is str
        assert found == str(local)
    with pytest.raises(TypeError, match="a path must be str or Path, got int"):
        fileio.get(5)


def test_trees_and_listings(root, tmp_path):
    base = fileio.join_path(root, "tree")
    for name in ("a.txt", "b.bin", "sub/c.txt"):
        fileio.put(name.encode(), fileio.join_path(base, name))
    assert set(fileio.list_dir_or_file(base)) == {"a.txt", "b.bin", "sub"}
    found = set(fileio.list_dir_or_file(base, suffix=".txt", recursive=True))
    assert found == {"a.txt", "sub/c.txt"}
    down = str(tmp_path / "down")
    assert fileio.copytree_to_local(base, down) == down
    assert fileio.get(down + "/sub/c.txt") == b"sub/c.txt"
    assert fileio.copytree_from_local(down, f"{base}2") == f"{base}2"
    copy = fileio.join_path(root, "copy")
    assert fileio.copytree(base, copy) == copy
    with pytest.raises(FileExistsError):
        fileio.copytree(base, copy)
    fileio.rmtree(copy)
    assert not fileio.exists(copy)
    file = fileio.join_path(base, "a.txt")
    assert fileio.isfile(file)
    assert fileio.isdir(base)
    assert fileio.copyfile(file, f"{file}2") == f"{file}2"
    assert fileio.copyfile_to_local(file, str(tmp_path / "one")) == str(tmp_path / "one")
    assert fileio.copyfile_from_local(str(tmp_path / "one"), f"{file}3") == f"{file}3"
    assert fileio.copy_if_symlink_fails(file, f"{file}4") is ("memory" not in root)
    assert {fileio.get(f"{file}{end}") for end in ("2", "3", "4")} == {b"a.txt"}
    with pytest.raises(shutil.SameFileError):
        fileio.copyfile(file, file)


def test_copies_return_the_destination_as_it_was_given(tmp_path):
    source, tree = tmp_path / "source.txt", tmp_path / "tree"
    source.write_text("x")
    tree.mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    for copy in (fileio.copyfile, fileio.copyfile_from_local, fileio.copyfile_to_local):
        for given in (tmp_path / "a.txt", str(tmp_path / "b.txt"), f"file://{tmp_path}/c.txt"):
            assert copy(source, given) == given
            assert type(copy(source, given)) is type(given)
        assert copy(source, folder) == str(folder / "source.txt")
        assert copy(source, f"file://{folder}") == f"file://{folder}/source.txt"
    for copy in (fileio.copytree, fileio.copytree_from_local, fileio.copytree_to_local):
        for given in (tmp_path / copy.__name__, f"{tmp_path}/{copy.__name__}2"):
            assert copy(tree, given) == given
    memory = Path("memory://given") / tmp_path.name
    assert fileio.copyfile_from_local(source, memory / "a") == memory / "a"
    assert fileio.copyfile(memory / "a", memory / "b") == memory / "b"
    assert fileio.copyfile_to_local(memory / "a", tmp_path / "d") == tmp_path / "d"
    assert fileio.copyfile_to_local(memory / "a", folder) == str(folder / "a")
    assert fileio.copytree(memory, Path(f"{memory}-copy")) == Path(f"{memory}-copy")
    assert fileio.copytree_to_local(memory, tmp_path / "down") == tmp_path / "down"


@pytest.mark.parametrize("error", [NotImplementedError, OSError, PermissionError, ValueError])
def test_a_link_that_fails_for_any_reason_is_a_copy(tmp_path, monkeypatch, error):
    def refuse(*args, **kwargs):
        raise error("no links here")

    monkeypatch.setattr("os.symlink", refuse)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_text("x")
    assert fileio.copy_if_symlink_fails(tmp_path / "tree", tmp_path / "copy") is False
    assert fileio.copy_if_symlink_fails(tmp_path / "tree" / "a", tmp_path / "b") is False
    assert (tmp_path / "copy" / "a").read_text() == (tmp_path / "b").read_text() == "x"


def test_hidden_files_are_not_listed_but_copied_and_removed(root, tmp_path):
    base = fileio.join_path(root, "tree")
    for name in ("a.jpg", "._a.jpg", ".hidden/b.jpg", "sub/._c.jpg", "sub/c.jpg", ".only"):
        fileio.put(name.encode(), fileio.join_path(base, name))

    def listed(**settings):
        return sorted(fileio.list_dir_or_file(base, **settings))

    assert listed() == [".hidden", "a.jpg", "sub"]
    assert listed(list_dir=False, suffix=".jpg") == ["a.jpg"]
    assert listed(list_dir=False, recursive=True) == [".hidden/b.jpg", "a.jpg", "sub/c.jpg"]
    everything = {"a.jpg", "._a.jpg", ".hidden/b.jpg", "sub/._c.jpg", "sub/c.jpg", ".only"}
    down = tmp_path / "down"
    fileio.copytree_to_local(base, down)
    assert {str(p.relative_to(down)) for p in down.rglob("*") if p.is_file()} == everything
    up = fileio.join_path(root, "up")
    fileio.copytree_from_local(down, up)
    copy = fileio.join_path(root, "copied")
    fileio.copytree(up, copy)
    for name in everything:
        assert fileio.get(fileio.join_path(copy, name)) == name.encode()
    fileio.rmtree(base)
    assert not fileio.exists(base)
    assert not fileio.exists(fileio.join_path(base, "._a.jpg"))


def test_no_copy_between_stores(tmp_path):
    for copy in (fileio.copyfile, fileio.copytree):
        with pytest.raises(ValueError, match="copyfile_from_local"):
            copy(str(tmp_path), "memory://x")


def test_a_backend_that_cannot_says_so(tmp_path):
    with pytest.raises(NotImplementedError, match="LocalBackend does not support 'generate_pre"):
        fileio.generate_presigned_url(str(tmp_path))
    with pytest.raises(NotImplementedError, match=r"memory://x: FsspecBackend .* if_absent"):
        fileio.put(b"", "memory://x", if_absent=True)


def test_an_import_takes_no_backend_that_is_not_used():
    import subprocess
    import sys

    code = (
        "import sys; from eng import fileio; fileio.exists('/'); "
        "print([n for n in ('boto3', 'lmdb', 'pymemcache', 'fsspec', 'yaml', 'urllib.request')"
        " if n in sys.modules]); fileio.S3Backend"
    )
    command = [sys.executable, "-c", code]
    environment = {k: v for k, v in os.environ.items() if k != "ENG_FILEIO_DEFAULTS"}
    assert subprocess.check_output(command, text=True, env=environment) == "[]\n"
    assert "S3Backend" in dir(fileio)
    with pytest.raises(AttributeError, match="no attribute 'NoBackend'"):
        _ = fileio.NoBackend

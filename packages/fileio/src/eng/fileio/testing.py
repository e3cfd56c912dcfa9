# Tests are documented by their names.
# ruff: noqa: D102
"""Conformance tests of storage backends; requires ``pip install eng-fileio[test]``.

Subclass one of the two classes in a test file and define its fixtures::

    class TestMyBackend(BackendConformance):
        @pytest.fixture
        def backend(self):
            return MyBackend()

        @pytest.fixture
        def root(self):
            return "my://bucket/some-empty-folder"
"""

import io
import os
import pickle
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from .backends.base import BaseStorageBackend
from .types import BytesSource

__all__ = ["BackendConformance", "ReaderConformance"]

_TEXT = "one\r\ntwo é\n"
_NAMES = ("plain.txt", "a b", "a#b", "a?b=1", "100%41", "é-日本.bin", "-dash", ".hidden")


class ReaderConformance:
    """Tests of a backend that only reads.

    Fixtures to define:
        backend: The backend.
        stored: Path of a file in the store with the content ``reader_content``.
        missing: Path of a file that does not exist in the store.
    """

    reader_content = _TEXT.encode()

    def test_get_returns_the_bytes(self, backend: BaseStorageBackend, stored: str) -> None:
        assert bytes(backend.get(stored)) == self.reader_content

    def test_get_text_decodes_and_keeps_line_ends(
        self, backend: BaseStorageBackend, stored: str
    ) -> None:
        assert backend.get_text(stored) == _TEXT
        assert backend.get_text(stored, encoding="latin-1") == _TEXT.encode().decode("latin-1")

    def test_a_missing_file_is_told_by_its_path(
        self, backend: BaseStorageBackend, missing: str
    ) -> None:
        with pytest.raises(FileNotFoundError) as error:
            backend.get(missing)
        assert missing.rsplit("/", 1)[-1] in str(error.value)
        with pytest.raises(FileNotFoundError):
            backend.get_text(missing)
        with pytest.raises(FileNotFoundError), backend.get_local_path(missing) as path:
            Path(path).read_bytes()

    def test_a_local_copy_holds_the_content_and_keeps_the_name(
        self, backend: BaseStorageBackend, stored: str
    ) -> None:
        with backend.get_local_path(stored) as path:
            assert Path(path).read_bytes() == self.reader_content
            assert Path(path).name == stored.rsplit("/", 1)[-1]

    def test_a_pickled_backend_reads(self, backend: BaseStorageBackend, stored: str) -> None:
        copy = pickle.loads(pickle.dumps(backend))
        assert bytes(copy.get(stored)) == self.reader_content
        assert copy.name == backend.name


class BackendConformance(ReaderConformance):
    """Tests of a backend that reads, writes and lists.

    Fixtures to define:
        backend: The backend.
        root: Path of a directory in the store that is empty or missing before each test.
    """

    @pytest.fixture
    def stored(self, backend: BaseStorageBackend, root: str) -> str:
        """A file with ``reader_content``."""
        path = backend.join_path(root, "stored.txt")
        backend.put(self.reader_content, path)
        return path

    @pytest.fixture
    def missing(self, backend: BaseStorageBackend, root: str) -> str:
        """A path that does not exist."""
        return backend.join_path(root, "missing.txt")

    @pytest.fixture
    def tree(self, backend: BaseStorageBackend, root: str) -> str:
        """A directory with files and directories."""
        folder = backend.join_path(root, "tree")
        for name in ("x.txt", "y.bin", "d/z.txt", "d/e/w.bin"):
            backend.put(name.encode(), backend.join_path(folder, name))
        return folder

    @pytest.mark.parametrize("size", [0, 1, 300_000])
    def test_what_is_put_comes_back(
        self, backend: BaseStorageBackend, root: str, size: int
    ) -> None:
        data = os.urandom(size)
        sources: list[BytesSource] = [data, bytearray(data), memoryview(data), io.BytesIO(data)]
        for index, source in enumerate(sources):
            path = backend.join_path(root, f"new/folder/{index}")
            backend.put(source, path)
            assert bytes(backend.get(path)) == data

    def test_what_a_function_writes_comes_back(
        self, backend: BaseStorageBackend, missing: str
    ) -> None:
        def write(file: BinaryIO) -> None:
            file.write(b"-end")
            file.seek(0)
            file.write(b"1" * 3 + b"-end")

        backend.put_with(write, missing)
        assert backend.get(missing) == b"111-end"

    def test_a_write_that_fails_changes_nothing(
        self, backend: BaseStorageBackend, stored: str
    ) -> None:
        before = backend.get(stored)

        def write(file: BinaryIO) -> None:
            file.write(b"half")
            raise RuntimeError("broke off")

        with pytest.raises(RuntimeError, match="broke off"):
            backend.put_with(write, stored)
        assert backend.get(stored) == before

    def test_put_replaces(self, backend: BaseStorageBackend, stored: str) -> None:
        backend.put(b"new", stored)
        assert bytes(backend.get(stored)) == b"new"

    def test_text_is_encoded(self, backend: BaseStorageBackend, stored: str) -> None:
        backend.put_text(_TEXT, stored, encoding="utf-16")
        assert bytes(backend.get(stored)) == _TEXT.encode("utf-16")
        assert backend.get_text(stored, encoding="utf-16") == _TEXT

    @pytest.mark.parametrize("name", _NAMES)
    def test_names_are_taken_as_they_are(
        self, backend: BaseStorageBackend, root: str, name: str
    ) -> None:
        path = backend.join_path(root, name)
        backend.put(name.encode(), path)
        assert bytes(backend.get(path)) == name.encode()
        assert backend.isfile(path)
        hidden = name.startswith(".")
        assert list(backend.list_dir_or_file(root)) == ([] if hidden else [name])

    def test_a_source_that_breaks_leaves_the_old(
        self, backend: BaseStorageBackend, root: str, stored: str
    ) -> None:
        with pytest.raises(OSError, match="broken source"):
            backend.put(_Breaking(), stored)
        assert bytes(backend.get(stored)) == self.reader_content
        assert list(backend.list_dir_or_file(root)) == ["stored.txt"]

    def test_put_if_absent_is_kept_or_refused(
        self, backend: BaseStorageBackend, stored: str, missing: str
    ) -> None:
        try:
            backend.put(b"first", missing, if_absent=True)
        except NotImplementedError:
            assert not backend.exists(missing)
            return
        for path, content in ((missing, b"first"), (stored, self.reader_content)):
            with pytest.raises(FileExistsError):
                backend.put(b"second", path, if_absent=True)
            assert bytes(backend.get(path)) == content

    def test_files_and_folders_are_told_apart(
        self, backend: BaseStorageBackend, tree: str, missing: str
    ) -> None:
        file, folder = backend.join_path(tree, "x.txt"), backend.join_path(tree, "d")
        answers = [
            (backend.exists(p), backend.isfile(p), backend.isdir(p))
            for p in (file, folder, missing)
        ]
        assert answers == [(True, True, False), (True, False, True), (False, False, False)]
        # the beginning of a name is not a directory
        assert not backend.exists(backend.join_path(tree, "x"))
        with pytest.raises(IsADirectoryError):
            backend.get(folder)
        with pytest.raises(IsADirectoryError):
            backend.remove(folder)

    def test_listing(self, backend: BaseStorageBackend, tree: str, missing: str) -> None:
        def listed(**settings: Any) -> list[str]:
            return sorted(backend.list_dir_or_file(tree, **settings))

        assert listed() == ["d", "x.txt", "y.bin"]
        assert listed(list_dir=False) == ["x.txt", "y.bin"]
        assert listed(list_file=False, recursive=True) == ["d", "d/e"]
        assert listed(recursive=True) == ["d", "d/e", "d/e/w.bin", "d/z.txt", "x.txt", "y.bin"]
        assert listed(list_dir=False, suffix=".txt", recursive=True) == ["d/z.txt", "x.txt"]
        assert listed(list_dir=False, suffix=(".txt", ".bin")) == ["x.txt", "y.bin"]
        assert sorted(backend.list_dir_or_file(tree + "/")) == listed()
        with pytest.raises(FileNotFoundError):
            list(backend.list_dir_or_file(missing))

    def test_removing(
        self, backend: BaseStorageBackend, root: str, tree: str, missing: str
    ) -> None:
        backend.remove(backend.join_path(tree, "x.txt"))
        assert sorted(backend.list_dir_or_file(tree)) == ["d", "y.bin"]
        backend.rmtree(backend.join_path(tree, "d"))
        assert list(backend.list_dir_or_file(tree)) == ["y.bin"]
        for remove in (backend.remove, backend.rmtree):
            with pytest.raises(FileNotFoundError):
                remove(missing)

    def test_copies_within_the_store(
        self, backend: BaseStorageBackend, root: str, tree: str, missing: str
    ) -> None:
        source, target = backend.join_path(tree, "x.txt"), backend.join_path(root, "new/copy.txt")
        assert backend.copyfile(source, target) == target
        assert bytes(backend.get(target)) == b"x.txt"
        with pytest.raises(FileNotFoundError):
            backend.copyfile(missing, target)
        assert bytes(backend.get(target)) == b"x.txt"
        copy = backend.join_path(root, "copied")
        backend.copytree(tree, copy)
        assert _read_tree(backend, copy) == _read_tree(backend, tree)
        with pytest.raises(FileExistsError):
            backend.copytree(tree, copy)

    def test_a_file_is_no_folder(self, backend: BaseStorageBackend, stored: str) -> None:
        with pytest.raises(NotADirectoryError):
            list(backend.list_dir_or_file(stored))
        with pytest.raises(NotADirectoryError):
            backend.rmtree(stored)
        assert bytes(backend.get(stored)) == self.reader_content

    def test_a_copy_to_a_folder_goes_into_it(
        self, backend: BaseStorageBackend, tree: str, tmp_path: Path
    ) -> None:
        source, folder = backend.join_path(tree, "x.txt"), backend.join_path(tree, "d")
        target = backend.join_path(folder, "x.txt")
        assert backend.copyfile(source, folder) == target
        assert bytes(backend.get(target)) == b"x.txt"
        assert backend.copyfile_to_local(source, str(tmp_path)) == str(tmp_path / "x.txt")
        (tmp_path / "x.txt").write_bytes(b"from disk")
        assert backend.copyfile_from_local(str(tmp_path / "x.txt"), folder) == target
        assert bytes(backend.get(target)) == b"from disk"
        with pytest.raises(shutil.SameFileError):
            backend.copyfile(source, source)
        assert bytes(backend.get(source)) == b"x.txt"

    def test_a_link_or_a_copy(self, backend: BaseStorageBackend, root: str, tree: str) -> None:
        link, folder = backend.join_path(root, "link.txt"), backend.join_path(root, "link")
        is_link = backend.copy_if_symlink_fails(backend.join_path(tree, "x.txt"), link)
        assert is_link == backend.copy_if_symlink_fails(tree, folder)
        assert backend.allow_symlink or not is_link
        assert bytes(backend.get(link)) == b"x.txt"
        assert _read_tree(backend, folder) == _read_tree(backend, tree)

    def test_a_tree_keeps_its_names(
        self, backend: BaseStorageBackend, root: str, tmp_path: Path
    ) -> None:
        folder, copy = backend.join_path(root, "a #?%é"), backend.join_path(root, "b #?%é")
        for name in _NAMES:
            backend.put(name.encode(), backend.join_path(folder, name))
        backend.copytree(folder, copy)
        backend.rmtree(folder)
        assert not backend.exists(folder)
        backend.copytree_to_local(copy, str(tmp_path / "down"))
        assert {p.name: p.read_text() for p in (tmp_path / "down").iterdir()} == {
            name: name for name in _NAMES
        }

    def test_a_tree_copied_into_itself_ends(self, backend: BaseStorageBackend, tree: str) -> None:
        before = _read_tree(backend, tree)
        copy = backend.join_path(tree, "copy")
        backend.copytree(tree, copy)
        assert _read_tree(backend, copy) == before

    def test_a_suffix_is_checked(self, backend: BaseStorageBackend, tree: str) -> None:
        with pytest.raises(TypeError, match="suffix"):
            backend.list_dir_or_file(tree, suffix=["txt"])  # type: ignore[arg-type]

    def test_copies_to_and_from_local_disks(
        self, backend: BaseStorageBackend, root: str, tree: str, tmp_path: Path
    ) -> None:
        down, up = tmp_path / "down", backend.join_path(root, "up")
        backend.copytree_to_local(tree, str(down))
        assert (down / "d" / "e" / "w.bin").read_bytes() == b"d/e/w.bin"
        backend.copytree_from_local(str(down), up)
        assert _read_tree(backend, up) == _read_tree(backend, tree)
        with pytest.raises(FileExistsError):
            backend.copytree_to_local(tree, str(down))
        with pytest.raises(FileExistsError):
            backend.copytree_from_local(str(down), up)
        local = tmp_path / "one.bin"
        backend.copyfile_to_local(backend.join_path(tree, "y.bin"), str(local))
        assert local.read_bytes() == b"y.bin"
        target = backend.join_path(root, "one.bin")
        backend.copyfile_from_local(str(local), target)
        assert bytes(backend.get(target)) == b"y.bin"


class _Breaking:
    """A binary file that fails after its first block."""

    def __init__(self) -> None:
        self._is_first = True

    def read(self, size: int = -1) -> bytes:
        if not self._is_first:
            raise OSError("broken source")
        self._is_first = False
        return bytes(1000)


def _read_tree(backend: BaseStorageBackend, folder: str) -> dict[str, bytes]:
    names = backend.list_dir_or_file(folder, list_dir=False, recursive=True)
    return {name: bytes(backend.get(backend.join_path(folder, name))) for name in names}

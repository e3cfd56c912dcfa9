"""Stores behind fsspec."""

import importlib.util
import zipfile

import pytest

from eng import fileio


def test_a_zip_is_read_and_listed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a b.zip", "w") as archive:
        archive.writestr("folder/x.txt", "x")
        archive.writestr("y é.txt", "y")
    end = f"::{tmp_path}/a b.zip"
    assert fileio.get(f"zip://folder/x.txt{end}") == b"x"
    assert fileio.get_text(f"zip://y é.txt{end}") == "y"
    found = sorted(fileio.list_dir_or_file(f"zip://{end}", recursive=True))
    assert found == ["folder", "folder/x.txt", "y é.txt"]
    with fileio.get_local_path(f"zip://folder/x.txt{end}") as path, open(path) as file:  # noqa: PTH123
        assert file.read() == "x"
    with pytest.raises(FileNotFoundError):
        fileio.get(f"zip://none{end}")


@pytest.mark.parametrize(
    ("prefix", "module", "package"),
    [
        ("gs", "gcsfs", "gcsfs"),
        ("az", "adlfs", "adlfs"),
        ("hf", "huggingface_hub", "huggingface_hub"),
    ],
)
def test_a_missing_package_is_named(prefix, module, package):
    if importlib.util.find_spec(module):
        pytest.skip(f"{module} is installed")
    with pytest.raises(
        ImportError, match=rf"{prefix}:// paths require another package: .*{package}"
    ):
        fileio.get(f"{prefix}://bucket/key")


@pytest.mark.parametrize("path", ["memory://../x", "memory://a/../../x", "memory:///../x"])
def test_a_key_stays_below_its_root(path):
    for call in (fileio.get, fileio.exists, fileio.remove, lambda p: fileio.put(b"", p)):
        with pytest.raises(ValueError, match="must stay below its root"):
            call(path)


def test_storage_options_are_those_of_fsspec(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    args = {"backend": "fsspec", "auto_mkdir": True}
    assert fileio.get(f"local://{tmp_path}/file", args) == b"x"
    fileio.put(b"y", f"local://{tmp_path}/new/file", args)
    assert (tmp_path / "new" / "file").read_bytes() == b"y"


def test_remote_trees_do_not_climb_out_of_a_local_folder(tmp_path):
    class Evil(fileio.FsspecBackend):
        def _list_names(self, root):
            yield from ["good", "../evil"]

        def _download(self, filepath, local):
            with open(local, "w") as file:  # noqa: PTH123
                file.write("x")

    with pytest.raises(fileio.PartialFailureError, match=r"'\.\./evil' is outside of"):
        Evil().copytree_to_local("memory://x", str(tmp_path / "down"))
    assert (tmp_path / "down" / "good").exists()
    assert not (tmp_path / "evil").exists()

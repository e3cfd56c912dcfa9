"""Files and directories of the local file system."""

from pathlib import Path

import pytest

import eng.utils as u


def test_paths(tmp_path):
    for name in ("b.TXT", "a.txt", ".hidden.txt", "d/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(u.scandir(tmp_path, ".txt")) == ["a.txt"]
    found = list(u.scandir(tmp_path, ".txt", recursive=True, case_sensitive=False))
    assert found == ["a.txt", "b.TXT", str(Path("d", "c.txt"))]
    u.symlink("a.txt", tmp_path / "link")
    u.symlink("b.TXT", tmp_path / "link")
    assert (tmp_path / "link").readlink() == Path("b.TXT")
    with pytest.raises(FileExistsError):
        u.symlink("a.txt", tmp_path / "link", overwrite=False)
    assert u.is_abs("s3://a/b")
    assert not u.is_abs("a/b")
    with pytest.raises(FileNotFoundError, match="nope"):
        u.check_file_exist("nope")


def test_files(tmp_path):
    u.mkdir_or_exist(tmp_path / "a" / "b")
    u.mkdir_or_exist(tmp_path / "a" / "b")
    u.mkdir_or_exist("")
    with u.fopen(tmp_path / "a" / "f", "w", encoding="utf-8") as file:
        file.write("ü")
    assert u.fopen(str(tmp_path / "a" / "f"), encoding="utf-8").read() == "ü"
    with pytest.raises(FileExistsError):
        u.mkdir_or_exist(tmp_path / "a" / "f")
    with pytest.raises(ValueError, match="string or a Path, but got int"):
        u.fopen(1)
    assert u.is_filepath(tmp_path)
    assert not u.is_filepath(1)
    with pytest.raises(FileNotFoundError, match=r"lost: .*nope"):
        u.check_file_exist(tmp_path / "nope", "lost: {}")
    for arguments in ((1,), (tmp_path, 3)):
        with pytest.raises(TypeError):
            u.scandir(*arguments)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert list(u.scandir(tmp_path, recursive=True)) == [str(Path("a", "f"))]
    with pytest.raises(IsADirectoryError):
        u.symlink("f", tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "f", "loop"]


def test_the_root_of_a_repository(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / ".hg").mkdir()
    (inner / "file.py").write_text("")
    assert u.find_vcs_root(inner / "file.py", (".hg",)) == str(tmp_path / "a")
    assert u.find_vcs_root(inner, markers=["file.py"]) == str(inner)
    assert u.find_vcs_root(inner, (".eng-no-such",)) is None

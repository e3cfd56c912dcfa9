"""Text files as lists and dicts."""

import pytest

from eng import fileio


@pytest.fixture(params=["local", "memory"])
def path(request, tmp_path):
    folder = str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}"
    return f"{folder}/lines.txt"


def test_list(path):
    fileio.put_text("a\r\nb c\n\nd", path)
    assert fileio.list_from_file(path) == ["a", "b c", "", "d"]
    assert fileio.list_from_file(path, prefix="-", offset=1, max_num=2) == ["-b c", "-"]
    assert fileio.list_from_file(path, offset=3, max_num=-1) == ["d"]
    assert fileio.list_from_file(path, offset=9) == []
    fileio.put_text("é\n", path, encoding="latin-1")
    assert fileio.list_from_file(path, encoding="latin-1") == ["é"]


def test_dict(path):
    fileio.put_text("1 a\n2\tb  c\n\n", path)
    assert fileio.dict_from_file(path, key_type=int) == {1: "a", 2: ["b", "c"]}
    assert fileio.dict_from_file(path) == {"1": "a", "2": ["b", "c"]}


@pytest.mark.parametrize(
    ("text", "encoding", "lines"),
    [
        ("a\nb", "utf-8", ["a", "b"]),
        ("a\r\n", "utf-16", ["a"]),
        ("", "utf-8", []),
        ("\n1 2", "utf-8", ["", "1 2"]),
        ("a\ufeffb\n\ufeffc", "utf-8", ["a\ufeffb", "\ufeffc"]),
    ],
)
def test_a_byte_order_mark_is_dropped(path, text, encoding, lines):
    mark = "" if encoding == "utf-16" else "\ufeff"  # this encoding writes one itself
    fileio.put((mark + text).encode(encoding), path)
    assert fileio.list_from_file(path, encoding=encoding) == lines
    assert fileio.list_from_file(path, encoding=encoding, offset=1) == lines[1:]


def test_the_first_key_has_no_byte_order_mark(path):
    fileio.put(b"\xef\xbb\xbf1 cat\n2 dog\n", path)
    assert fileio.dict_from_file(path, key_type=int) == {1: "cat", 2: "dog"}
    assert fileio.dict_from_file(path) == {"1": "cat", "2": "dog"}


def test_a_line_that_cannot_be_read_is_named(path):
    fileio.put_text("1 a\nlonely\n", path)
    with pytest.raises(ValueError, match=r"lines\.txt, line 2: expected key and value"):
        fileio.dict_from_file(path)
    fileio.put_text("one a\n", path)
    with pytest.raises(ValueError, match=r"lines\.txt, line 1: invalid literal"):
        fileio.dict_from_file(path, key_type=int)


def test_arguments_of_the_backend(path):
    fileio.put_text("k v\n", path)
    name = "fsspec" if path.startswith("memory") else "disk"
    assert fileio.list_from_file(path, backend_args={"backend": name}) == ["k v"]
    for read in (fileio.list_from_file, fileio.dict_from_file):
        with pytest.warns(DeprecationWarning, match="file_client_args"):
            assert list(read(path, file_client_args={"backend": name}))
        both = pytest.raises(ValueError, match="cannot be set together")
        with both, pytest.warns(DeprecationWarning, match="file_client_args"):
            read(path, file_client_args={}, backend_args={})

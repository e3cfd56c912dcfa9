"""What paths and URIs say."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.fileio.uris import check_relative, join_uri, parse_uri_prefix, to_text


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        ("s3://bucket/key", "s3"),
        ("cluster:s3://bucket/key", "s3"),
        ("zip://a::http://b", "zip"),
        ("/a/b", ""),
        ("a", ""),
        ("/a/b://c", ""),
        ("C:/a", ""),
        (Path("s3://bucket/key"), "s3"),
        (Path("/a/b"), ""),
    ],
)
def test_prefix(uri, prefix):
    assert parse_uri_prefix(uri) == prefix


@pytest.mark.parametrize("uri", ["s3://b/k", "cluster:s3://b/k", "file:///a", "http://h/a b"])
def test_pathlib_keeps_a_uri(uri):
    assert to_text(Path(uri)) == uri


def test_wrong_types():
    for wrong in (5, None, b"/a"):
        with pytest.raises(TypeError, match="a path must be str or Path"):
            to_text(wrong)


def test_joining():
    assert join_uri("petrel://path/of/file", "another/path") == "petrel://path/of/file/another/path"
    assert join_uri("petrel://path/of/file", "/another/path") == (
        "petrel://path/of/file/another/path"
    )
    assert join_uri("s3://b/", "a", Path("c")) == "s3://b/a/c"


@pytest.mark.parametrize("name", ["a", "a/b", "a/../b", "..a", "a/..b/c.", "./a", "a b#?%é"])
def test_names_below_a_root(name):
    assert check_relative(name, "root") == name


@pytest.mark.parametrize("name", ["..", "../a", "a/../../b", "/a", "./../a", "a/./../.."])
def test_names_that_climb(name):
    with pytest.raises(ValueError, match=r"is outside of 'root'; a key must stay below"):
        check_relative(name, "root")


@given(st.lists(st.sampled_from(["..", ".", "a", "b", ""])))
@settings(deadline=None)
def test_a_name_is_refused_just_if_it_leaves_the_root_on_its_way(parts):
    name, depth, lowest = "x/" + "/".join(parts), 1, 1
    for part in parts:
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        lowest = min(lowest, depth)
    if lowest < 0:
        with pytest.raises(ValueError, match="is outside of"):
            check_relative(name, "root")
    else:
        assert check_relative(name, "root") == name

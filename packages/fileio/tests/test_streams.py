"""Streams of bytes."""

import io

import pytest

from eng.fileio.streams import make_binary_reader, write_stream


@pytest.mark.parametrize(
    "source",
    [b"hello", bytearray(b"hello"), memoryview(b"hello"), io.BytesIO(b"hello")],
)
def test_bytes_and_the_rest_of_files_are_copied(source):
    file = io.BytesIO()
    write_stream(source, file, "target")
    assert file.getvalue() == b"hello"


def test_a_long_source_is_copied_whole_and_from_where_it_stands():
    source, file = io.BytesIO(b"ab" * (3 << 20)), io.BytesIO()
    source.seek(1)
    write_stream(source, file, "target")
    assert file.getvalue() == source.getvalue()[1:]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("text", "target: expected bytes.*got str; use put_text for text"),
        (io.StringIO("text"), "target: expected bytes.*got a text file"),
        (5, "target: expected bytes.*got int"),
    ],
)
def test_what_is_no_stream_of_bytes(source, match):
    with pytest.raises(TypeError, match=match):
        write_stream(source, io.BytesIO(), "target")


def test_a_file_that_yields_text_is_told_when_it_does():
    class Text:
        def read(self, size):
            return "text"

    read = make_binary_reader(Text(), "target")
    with pytest.raises(
        TypeError, match="target: expected a binary file, but it yields str; open it in"
    ):
        read(4)

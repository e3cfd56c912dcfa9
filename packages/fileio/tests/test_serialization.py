"""load and dump."""

import collections
import enum
import io
import json
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eng import fileio
from eng.fileio.handlers import set_default

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
@settings(deadline=None)
def test_load_is_the_inverse_of_dump_to_text(value):
    for name in ("json", "pkl", "pickle", "yaml", "yml"):
        text = fileio.dump(value, file_format=name)
        stream = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
        assert fileio.load(stream, file_format=name) == value


@pytest.mark.parametrize("extension", ["json", "yaml", "yml", "pkl", "pickle", "JSON"])
@pytest.mark.parametrize("store", ["disk", "memory"])
def test_files_and_file_objects(tmp_path, extension, store):
    folder = str(tmp_path) if store == "disk" else f"memory://{tmp_path.name}"
    path = f"{folder}/f.x.{extension}"
    value = {"a": [1, 2.5, None], "b": "é"}
    assert fileio.dump(value, path) is True
    assert fileio.load(path) == value
    mode = "b" if extension.startswith("p") else ""
    local = tmp_path / f"g.{extension}"
    with local.open("w" + mode) as file:
        assert fileio.dump(value, file) is True
    with local.open("r" + mode) as file:
        assert fileio.load(file) == value
    assert fileio.load(local, file_format=extension.lower()) == value


# Floats of YAML 1.2; the others keep what YAML 1.1 makes of them.
FLOATS = {
    "1e-3": 1e-3,
    "1E5": 1e5,
    "-1e-4": -1e-4,
    "1e5": 1e5,
    "1.5e3": 1.5e3,
    "+2.5E+3": 2.5e3,
    ".5e3": 500.0,
    "-.5": -0.5,
    "+.5": 0.5,
    "1.e2": 100.0,
    "0e0": 0.0,
    "-12.25e-2": -0.1225,
}
OTHERS = {
    "1": 1,
    "1.5": 1.5,
    ".5": 0.5,
    "1.0e-3": 1e-3,
    "012": 10,
    "09": "09",
    "1_000": 1000,
    "1_0e3": "1_0e3",
    "e5": "e5",
    "1e": "1e",
    "1e-": "1e-",
    "1e5x": "1e5x",
    "1e5.5": "1e5.5",
    "- 1e-3": [1e-3],
    "'1e-3'": "1e-3",
    '"1e-3"': "1e-3",
    "!!str 1e-3": "1e-3",
    "yes": True,
    "on": True,
    "no": False,
    ".inf": float("inf"),
    "-.": "-.",
    ".": ".",
    "0x1F": 31,
    "1.2.3": "1.2.3",
}


@pytest.mark.parametrize("text", [*FLOATS, *OTHERS])
def test_floats_of_yaml(tmp_path, text):
    value = {**FLOATS, **OTHERS}[text]
    (tmp_path / "x.yaml").write_text(text)
    for found in (
        fileio.load(tmp_path / "x.yaml"),
        fileio.load(io.StringIO(f"a: [{text}]" if text[:2] != "- " else text), "yml"),
    ):
        at = found["a"][0] if isinstance(found, dict) else found
        assert (at, type(at)) == (value, type(value))


@pytest.mark.parametrize("text", [*FLOATS, *OTHERS])
def test_text_that_looks_like_a_float_comes_back_as_text(text):
    dumped = fileio.dump({"a": text, text: 1}, file_format="yaml")
    assert fileio.load(io.StringIO(dumped), "yaml") == {"a": text, text: 1}


@pytest.mark.parametrize("value", [1e-3, 1e-5, 1e5, 1e22, -2.5e-7, 5e-324])
def test_floats_come_back_from_yaml_as_the_same(value):
    assert fileio.load(io.StringIO(fileio.dump([value], file_format="yaml")), "yaml") == [value]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", '{"a": 1}'),
        ("x.json", ' {"a":\n1}'),
        ("x.yaml", "a: 1\n"),
        ("x.yml", "{a: 1}"),
        ("x.yaml", "# comment\na: 1"),
        ("x.yaml", "---\na: 1"),
    ],
)
@pytest.mark.parametrize("store", ["disk", "memory"])
def test_a_byte_order_mark_is_dropped(tmp_path, name, text, store):
    folder = str(tmp_path) if store == "disk" else f"memory://{tmp_path.name}"
    fileio.put(b"\xef\xbb\xbf" + text.encode(), f"{folder}/{name}")
    assert fileio.load(f"{folder}/{name}") == {"a": 1}
    marked = "\ufeff" + text
    assert fileio.load(io.StringIO(marked), name[2:]) == {"a": 1}
    assert fileio.load(io.BytesIO(marked.encode()), name[2:]) == {"a": 1}
    (tmp_path / "local").write_bytes(marked.encode())
    handler = fileio.JsonHandler() if name.endswith("json") else fileio.YamlHandler()
    assert handler.load_from_path(tmp_path / "local") == {"a": 1}
    assert fileio.get_text(f"{folder}/{name}") == marked


def test_plain_data_of_other_dumpers_of_yaml(tmp_path):
    import yaml

    data = {"betas": (0.9, [0.99, (1,)]), (1, 2): {"text": b"x"}, "c": 1j, "nothing": None}
    path = tmp_path / "x.yaml"
    path.write_text(yaml.dump(data, Dumper=yaml.Dumper))
    assert "!!python/tuple" in path.read_text()
    assert fileio.load(path) == data
    path.write_text("[!!python/str a, !!python/int 1, !!python/list [!!python/none , 1e-3]]")
    assert fileio.load(path) == ["a", 1, [None, 1e-3]]
    for invalid in ("!!python/tuple 3", "!!python/complex x", "!!python/name:builtins.int ''"):
        path.write_text(invalid)
        with pytest.raises(ValueError, match=r"x\.yaml: "):
            fileio.load(path)


def test_errors_of_the_parsers_are_caught_by_their_class(tmp_path):
    import yaml

    for name, text, error in (
        ("x.json", "{", json.JSONDecodeError),
        ("x.yaml", "a: [1", yaml.YAMLError),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(error, match=rf"{name}: ") as caught:
            fileio.load(tmp_path / name)
        assert isinstance(caught.value, ValueError)


def test_yaml_runs_no_code_and_pickle_needs_its_name(tmp_path):
    import yaml

    mark = tmp_path / "mark"
    (tmp_path / "x.yaml").write_text(f"!!python/object/apply:os.mkdir ['{mark}']")
    with pytest.raises(ValueError, match=r"x\.yaml: .*could not determine a constructor"):
        fileio.load(tmp_path / "x.yaml")
    with pytest.raises(ValueError, match="UnsafeLoader can run code"):
        fileio.load(tmp_path / "x.yaml", Loader=yaml.UnsafeLoader)
    (tmp_path / "x.json").write_bytes(pickle.dumps(_Runs(str(mark)), protocol=0))
    with pytest.raises(ValueError, match=r"x\.json: "):
        fileio.load(tmp_path / "x.json")
    fileio.load(tmp_path / "x.json", file_format="yaml")  # which takes it for a string
    assert not mark.exists()
    fileio.load(tmp_path / "x.json", file_format="pickle")
    assert mark.exists()


class _Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_wrong_format_is_told(tmp_path):
    with pytest.raises(
        TypeError, match="unsupported file format 'txt'; known formats: json, pickle"
    ):
        fileio.load(tmp_path / "x.txt")
    with pytest.raises(ValueError, match="cannot infer the format"):
        fileio.load(tmp_path / "x")
    with pytest.raises(ValueError, match="file_format is required"):
        fileio.dump({})
    with pytest.raises(ValueError, match="file_format is required"):
        fileio.load(io.StringIO("{}"))
    with pytest.raises(TypeError, match="file must be a path or a file object, but got int"):
        fileio.load(5, file_format="json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.json: Expecting"):
        fileio.load(tmp_path / "x.json")


def test_an_object_that_cannot_be_dumped_harms_no_old_file(tmp_path):
    for name in ("x.json", "x.yaml", "x.pkl"):
        fileio.dump({"old": 1}, tmp_path / name)
        with pytest.raises(Exception, match=r"object|lambda|pickle"):
            fileio.dump({"new": lambda: 0}, tmp_path / name)
        assert fileio.load(tmp_path / name) == {"old": 1}


def test_json_takes_sets_ranges_and_arrays():
    class Array:
        def tolist(self):
            return [1.5]

    text = fileio.dump({"a": {3}, "b": range(2), "c": Array()}, file_format="json")
    assert text == '{"a": [3], "b": [0, 1], "c": [1.5]}'
    assert fileio.dump([1], file_format="json", indent=1) == "[\n 1\n]"
    loaded = fileio.load(io.StringIO('{"b": 1}'), "json", object_pairs_hook=OrderedDict)
    assert isinstance(loaded, OrderedDict)


def test_a_registered_handler_is_used(tmp_path, monkeypatch):
    from eng.fileio import handlers

    monkeypatch.setattr(handlers, "file_handlers", dict(handlers.file_handlers))

    @fileio.register_handler(["lines", "log"], separator="|")
    class Lines(fileio.BaseFileHandler):
        def __init__(self, separator):
            self.separator = separator

        def load_from_fileobj(self, file, **kwargs):
            return file.read().split(self.separator)

        def dump_to_fileobj(self, obj, file, **kwargs):
            file.write(self.dump_to_str(obj))

        def dump_to_str(self, obj, **kwargs):
            return self.separator.join(obj)

    for name in ("x.lines", "x.log"):
        fileio.dump(["a", "b"], tmp_path / name)
        assert (tmp_path / name).read_text() == "a|b"
        assert fileio.load(tmp_path / name) == ["a", "b"]
    with pytest.raises(TypeError, match="not a subclass of BaseFileHandler"):
        fileio.register_handler("x")(int)
    with pytest.raises(TypeError, match="file_formats"):
        fileio.register_handler([5])


def test_both_forms_of_arguments(tmp_path):
    path = str(tmp_path / "x.json")
    with pytest.warns(DeprecationWarning, match="file_client_args"):
        fileio.dump([1], path, file_client_args={"backend": "disk"})
    with pytest.warns(DeprecationWarning, match="file_client_args"):
        assert fileio.load(path, file_client_args={"backend": "disk"}) == [1]
    assert fileio.load(path, backend_args={"backend": "local"}) == [1]
    both = pytest.raises(
        ValueError, match="load: file_client_args and backend_args cannot be set together"
    )
    with both, pytest.warns(DeprecationWarning, match="file_client_args"):
        fileio.load(path, file_client_args={}, backend_args={})


class Text(str):
    pass


class Kind(str, enum.Enum):
    A = "a"


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(7), 7),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([0.5, 1.5], dtype=np.float16), [0.5, 1.5]),
        (np.array(["a", "b"]), ["a", "b"]),
        (collections.OrderedDict(b=np.int8(1), a=[np.float64(2)]), {"b": 1, "a": [2.0]}),
        (Point(np.int64(1), (2,)), [1, [2]]),
        (range(3), [0, 1, 2]),
        (Text("x"), "x"),
        (Kind.A, "a"),
        ({"mean": (np.float32(1), 2)}, {"mean": [1.0, 2]}),
    ],
)
def test_yaml_has_plain_numbers_and_lists(value, plain, tmp_path):
    text = fileio.dump({"value": value}, file_format="yaml")
    assert "!" not in text
    assert fileio.load(io.StringIO(text), file_format="yaml") == {"value": plain}
    path = tmp_path / "a.yml"
    fileio.dump(value, path)
    assert fileio.load(path) == plain


def test_what_is_not_plain_is_refused_by_yaml():
    for value in (object(), lambda: 1, dict):
        with pytest.raises(Exception, match="cannot represent an object"):
            fileio.dump({"a": value}, file_format="yaml")


@pytest.mark.parametrize(
    ("value", "plain"),
    [({1}, [1]), (range(2), [0, 1]), (np.ones(1), [1.0]), (np.int64(3), 3), (np.bool_(True), True)],
)
def test_what_json_does_not_have_is_turned_into_what_it_has(value, plain):
    assert set_default(value) == plain
    assert json.loads(json.dumps([value], default=set_default)) == [plain]
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        set_default(object())

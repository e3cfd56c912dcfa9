import collections
import sys

import pytest

from eng.utils import apply_to, get_object_from_string


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "eng_objects_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("both = 'attribute'\n")
    (folder / "both.py").write_text("")
    (folder / "inner.py").write_text("class A:\n    class B:\n        def run(self): ...\n")
    (folder / "broken.py").write_text("import eng_no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "eng_objects_of_a_test"
    for name in [name for name in sys.modules if name.startswith("eng_objects_of_a_test")]:
        del sys.modules[name]


def test_an_object_by_its_dotted_path(package):
    import os

    assert get_object_from_string("os.path.join") is os.path.join
    assert get_object_from_string("os") is os
    assert get_object_from_string(f"{package}.inner").__name__ == f"{package}.inner"
    inner = get_object_from_string(f"{package}.inner.A.B.run")
    assert inner.__qualname__ == "A.B.run"
    assert get_object_from_string(f"{package}.both") == "attribute"
    for missing in (
        "a.b",
        "eng_no_such",
        f"{package}.nope",
        f"{package}.inner.A.x",
        "os..path",
        "-",
    ):
        assert get_object_from_string(missing) is None
    with pytest.raises(ValueError, match="empty"):
        get_object_from_string("")
    with pytest.raises(TypeError, match="3"):
        get_object_from_string(3)
    with pytest.raises(ModuleNotFoundError, match="eng_no_such_module"):
        get_object_from_string(f"{package}.broken.x")


class Special(dict):
    pass


def test_values_in_nested_data_are_replaced():
    pair = collections.namedtuple("pair", "a b")
    factory = collections.defaultdict(list, x=1)
    data = dict(
        a=[1, (2, "s")],
        b=pair(3, "q"),
        c=Special(x=4),
        d=collections.OrderedDict(y=5),
        e=factory,
        f={6},
    )
    before = repr(data)
    made = apply_to(data, lambda x: isinstance(x, int), lambda x: x * 10)
    assert made == dict(
        a=[10, (20, "s")], b=pair(30, "q"), c={"x": 40}, d={"y": 50}, e={"x": 10}, f={6}
    )
    assert [type(made[key]) for key in "bcd"] == [pair, Special, collections.OrderedDict]
    assert made["e"]["new"] == []
    assert repr(data) == before
    assert apply_to(3, lambda x: True, str) == "3"
    assert apply_to([1, [2]], lambda x: isinstance(x, list) and len(x) == 1, len) == [1, 1]

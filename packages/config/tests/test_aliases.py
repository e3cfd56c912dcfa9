import copy
import sys

import pytest

from eng.config import Config, ConfigError

WIDTH = 9


def nest(levels, kind):
    """A YAML text whose aliases stand for 9 ** levels values."""
    first = {"list": "[1, 2]", "dict": "{k0: 1, k1: 2}", "merge": "{k0: 1, k1: 2}"}[kind]
    lines = [f"a0: &a0 {first}"]
    for level in range(1, levels):
        inner = [f"*a{level - 1}"] * WIDTH
        text = {
            "list": f"[{', '.join(inner)}]",
            "dict": f"{{{', '.join(f'k{i}: {each}' for i, each in enumerate(inner))}}}",
            "merge": f"{{<<: [{', '.join(inner)}], k{level + 1}: 0}}",
        }[kind]
        lines.append(f"a{level}: &a{level} {text}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", ["list", "dict", "merge"])
def test_nested_aliases_are_read(tmp_path, kind):
    # 9 ** 19 values: no time would be enough to visit each.
    (tmp_path / "c.yaml").write_text(nest(20, kind))
    (tmp_path / "child.yaml").write_text(
        "_base_: c.yaml\nb: {{ _base_.a15 }}\na1: {_delete_: true}"
    )
    text = "_base_ = 'c.yaml'\nb = _base_.a15\nc = {{ _base_.a14 }}\nd = [*_base_.a3]\n"
    (tmp_path / "child.py").write_text(text)
    for name in ("c.yaml", "child.yaml", "child.py"):
        cfg = copy.deepcopy(Config.fromfile(tmp_path / name))
        cfg.merge_from_dict({"z.y": 1})
        value = cfg.a19
        for _ in range(19 if kind != "merge" else 0):
            value = value[-1] if kind == "list" else value.k0
        assert value == ([1, 2] if kind == "list" else value)
        assert cfg.origin("a19").file.endswith("c.yaml")
    if kind != "merge":
        with pytest.raises(ConfigError, match="too large to be written"):
            cfg.dump()


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_a_few_aliases_are_copies(tmp_path, kind):
    (tmp_path / "c.yaml").write_text(nest(4, kind))
    cfg = Config.fromfile(tmp_path / "c.yaml")
    first, second = (0, 1) if kind == "list" else ("k0", "k1")
    cfg.a3[first][first][first] = "changed"
    assert cfg.a3[first][second][first] != "changed"
    assert cfg.a3[second][first][first] != "changed"
    assert cfg.a2[first][first] != "changed"
    assert Config.fromstring(cfg.dump(), "yaml") == cfg


def test_merged_keys_keep_their_places_and_values(tmp_path):
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3, z: 4}\nc: {<<: [*b, *a], y: 5}\n"
    cfg = Config.fromstring(text, "yaml")
    assert cfg.b == dict(x=3, y=2, z=4)
    assert cfg.c == dict(x=3, y=5, z=4)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "b: 1\na: &a\n  c: *a",
        "&r {x: *r}",
        "a: &a {<<: *a}",
        "a: [1, &b {c: [*b]}]",
        "a: &a [&b [*a, *b]]",
    ],
)
def test_a_value_that_contains_itself_is_refused(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml:\d: a value contains itself"):
        Config.fromfile(tmp_path / "c.yaml")


@pytest.fixture
def recursion_limit():
    """Python's own, which libraries of other tests may have raised."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("levels", [900, 5000, 100_000])
def test_what_is_nested_too_deeply_is_refused(tmp_path, levels, recursion_limit):
    for name, start, end in (("c.yaml", "a: ", ""), ("c.json", '{"a": ', "}")):
        (tmp_path / name).write_text(f"{start}{'[' * levels}{']' * levels}{end}")
        with pytest.raises(ConfigError, match="nest"):
            Config.fromfile(tmp_path / name)

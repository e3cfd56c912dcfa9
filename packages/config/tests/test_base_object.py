"""`_base_` as an object in Python configs, with right values and origins."""

import os
import traceback

import pytest

from eng.config import Config, ConfigError

BASE = """\
lr = 0.1
name = 'adam'
n = 4
mean = [1.0, 2.0, 3.0]
model = dict(
    type='A',
    backbone=dict(
        type='R',
        depth=18,
        stages=(0, 1)),
    necks=[
        dict(type='N', c=1),
        dict(type='M', c=2)])
train_pipeline = [
    dict(type='Load'),
    dict(
        type='Flip',
        prob=0.5),
    dict(type='Pack')]
hooks = dict(a=dict(x=1), b=dict(x=2))
"""

# An expression in which B stands for the object; its value; origins of keys inside, as lines of
# the base, or of the expression where negative (-1 is its first line). The key itself has the line
# of the assignment.
FORMS = {
    "attribute": ("B.lr", 0.1, {}),
    "deep attribute": (
        "B.model.backbone",
        dict(type="R", depth=18, stages=(0, 1)),
        {"type": 8, "depth": 9, "stages": 10, "stages.1": 10},
    ),
    "item": ("B['lr'] * 2", 0.2, {}),
    "items of a list": ("B.train_pipeline[1]", dict(type="Flip", prob=0.5), {"prob": 18}),
    "mixed access": ("B['model'].necks[0]['c'] + B.n", 5, {}),
    "slice": (
        "B.train_pipeline[1:]",
        [dict(type="Flip", prob=0.5), dict(type="Pack")],
        {"0": 16, "0.type": 17, "0.prob": 18, "1.type": 19},
    ),
    "slice of numbers": ("B.mean[::-1]", [3.0, 2.0, 1.0], {"0": -1}),
    "arithmetic": ("(B.lr + B.n) / 2 - 1", (0.1 + 4) / 2 - 1, {}),
    "splat of a list": (
        "[\n    dict(type='First'),\n    *B.train_pipeline[:2],\n    dict(\n        type='Last')]",
        [dict(type="First"), dict(type="Load"), dict(type="Flip", prob=0.5), dict(type="Last")],
        {"0.type": -2, "1.type": 15, "2": 16, "2.prob": 18, "3": -4, "3.type": -5},
    ),
    "splat of numbers": ("(0, *B.mean)", (0, 1.0, 2.0, 3.0), {"0": -1, "1": 4, "3": 4}),
    "two splats": (
        "[*B.mean, *B.model.necks,\n 7]",
        [1.0, 2.0, 3.0, dict(type="N", c=1), dict(type="M", c=2), 7],
        {"2": 4, "3": 12, "4.c": 13, "5": -2},
    ),
    "splat of a dict": (
        "dict(\n    **B.model.backbone,\n    frozen=True)",
        dict(type="R", depth=18, stages=(0, 1), frozen=True),
        {"type": 8, "depth": 9, "stages.0": 10, "frozen": -3},
    ),
    "splat in braces, changed": (
        "{**B.hooks, 'b': 3,\n 'c': B.hooks.a}",
        dict(a=dict(x=1), b=3, c=dict(x=1)),
        {"a": 20, "a.x": 20, "b": -1, "c": -2, "c.x": 20},
    ),
    "dict of a dict": (
        "dict(B.model.backbone, depth=50)",
        dict(type="R", depth=50, stages=(0, 1)),
        {"type": 8, "depth": -1},
    ),
    "sum of lists": (
        "B.train_pipeline[:1] + [\n    dict(type='New')] + B.model.necks",
        [dict(type="Load"), dict(type="New"), dict(type="N", c=1), dict(type="M", c=2)],
        {"0": 15, "0.type": 15, "1.type": -2, "2": 12, "3.c": 13},
    ),
    "f-string": ("f'{B.name}_{B.lr:.2f}_{B.model.backbone.depth}'", "adam_0.10_18", {}),
    "list comprehension": ("[m * B.n for m in B.mean]", [4.0, 8.0, 12.0], {"1": -1}),
    "filter": (
        "[step for step in B.train_pipeline if step.type != 'Flip']",
        [dict(type="Load"), dict(type="Pack")],
        {"0.type": 15, "1": 19, "1.type": 19},
    ),
    "dict comprehension": (
        "{key: value for key, value in B.hooks.items()}",
        dict(a=dict(x=1), b=dict(x=2)),
        {"a": 20, "b.x": 20},
    ),
    "lambda": ("(lambda k: B.lr * k)(3)", 0.1 * 3, {}),
    "inside": (
        "dict(\n    type='W',\n    inner=B.model.necks[0], rate=B.lr)",
        dict(type="W", inner=dict(type="N", c=1), rate=0.1),
        {"type": -2, "inner": -3, "inner.c": 12, "rate": -3},
    ),
    "condition": ("B.lr if B.n > 3 else B.name", 0.1, {}),
    "get": ("B.get('absent', 7) + len(B.mean)", 10, {}),
    "unpacked into names": ("list(zip(B.mean, B.model.backbone.stages))", [(1.0, 0), (2.0, 1)], {}),
    "curly": ("{{ _base_.model.backbone }}", dict(type="R", depth=18, stages=(0, 1)), {"depth": 9}),
    "curly inside": (
        "dict(a={{ _base_.hooks }}, b=B.n)",
        dict(a=dict(a=dict(x=1), b=dict(x=2)), b=4),
        {"a": -1, "a.b.x": 20, "b": -1},
    ),
    "curly in text": ("'{{ _base_.name }}/{{ _base_.n }}' + B.name", "adam/4adam", {}),
}
IN_PLACES = {
    "top": "x = {}\n",
    "function": "def make():\n    return {}\nx = make()\n",
    "method": "class Maker:\n    def make(self):\n        return {}\nx = Maker().make()\n",
}


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def assert_origins(cfg, origins, base, file, line):
    """Lines of the base are positive, those of the expression, which begins at `line`, negative."""
    for key, at in origins.items():
        origin = cfg.origin(f"x.{key}")
        expected = (str(base), at) if at > 0 else (str(file), line - 1 - at)
        assert (os.path.normpath(origin.file), origin.line) == expected, key


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", IN_PLACES)
def test_a_form_in_a_place(tmp_path, form, place):
    expression, value, origins = FORMS[form]
    text = "_base_ = './base.py'\n" + IN_PLACES[place].format(expression.replace("B", "_base_"))
    write(tmp_path, base=BASE, c=text)
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.x == value
    assert type(cfg.x) is type(Config(dict(x=value)).x)
    first = text[: text.index("x = ")].count("\n") + 1
    assert (cfg.origin("x").file, cfg.origin("x").line) == (str(tmp_path / "c.py"), first)
    # In a function the lines of what it writes itself are not known: those have the call's.
    kept = origins if place == "top" else {k: at for k, at in origins.items() if at > 0}
    if place != "top" and form.startswith(("two splats", "splat", "sum", "dict of")):
        kept = {}
    assert_origins(cfg, kept, tmp_path / "base.py", tmp_path / "c.py", 2)
    assert {k: v for k, v in cfg.items() if k != "x"} == Config.fromfile(tmp_path / "base.py")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_through_two_levels_of_several_bases_of_a_package(tmp_path, monkeypatch, form):
    expression, value, origins = FORMS[form]
    text = f"_base_ = ['../base.py', 'more.py']\nx = {expression.replace('B', '_base_')}\n"
    configs = tmp_path / "eng_base_forms" / "configs"
    (configs / "deep").mkdir(parents=True)
    (configs.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    write(configs, base=BASE.replace("type=", "kind="))  # which takes no scope
    write(configs / "deep", middle=text.replace(".type", ".kind"), more="other = 1\n")
    write(tmp_path, c="_base_ = 'eng_base_forms::deep/middle'\ny = _base_.x\nz = [_base_.x]\n")
    cfg = Config.fromfile(tmp_path / "c.py")

    def without_scope(each):
        if isinstance(each, dict):
            names = {"kind": "type"}
            return {names.get(k, k): without_scope(v) for k, v in each.items() if k != "_scope_"}
        return type(each)(map(without_scope, each)) if isinstance(each, (list, tuple)) else each

    for found in (cfg.x, cfg.y, cfg.z[0]):
        assert without_scope(found) == value
    assert cfg.other == 1
    for key in origins:
        at = key.replace("type", "kind")
        if at.endswith("kind") and origins[key] < 0:
            continue
        assert cfg.origin(f"y.{at}") == cfg.origin(f"x.{at}") == cfg.origin(f"z.0.{at}")
    origins = {k.replace("type", "kind"): at for k, at in origins.items() if at > 0}
    assert_origins(cfg, origins, configs / "base.py", configs / "deep" / "middle.py", 2)
    assert cfg.origin("y").line == 2
    assert cfg.origin("z.0").line == 3


@pytest.mark.parametrize("shift", [1, 2, 5])
@pytest.mark.parametrize("one", FORMS)
def test_two_forms_in_one_file(tmp_path, one, shift):
    names = list(FORMS)
    other = names[(names.index(one) + shift) % len(names)]
    texts = [FORMS[each][0].replace("B", "_base_") for each in (one, other)]
    text = f"_base_ = ['base.py']\ny = {texts[0]}\nx = {texts[1]}\n"
    write(tmp_path, base=BASE, c=text)
    cfg = Config.fromfile(tmp_path / "c.py")
    assert (cfg.y, cfg.x) == (FORMS[one][1], FORMS[other][1])
    line = 3 + texts[0].count("\n")
    assert_origins(cfg, FORMS[other][2], tmp_path / "base.py", tmp_path / "c.py", line)


# What changes a base; the changed key, its value and its line.
CHANGES = {
    "attribute": ("_base_.lr = 5\n", {"lr": (5, 2)}),
    "item": ("_base_['model']['type'] = 'Z'\n", {"model.type": ("Z", 2)}),
    "new value": (
        "_base_.model.head = dict(\n    type='H',\n    k=[\n        3])\n",
        {
            "model.head": (dict(type="H", k=[3]), 2),
            "model.head.type": ("H", 3),
            "model.head.k.0": (3, 5),
        },
    ),
    "new key": ("_base_.fresh = 1\n", {"fresh": (1, 2)}),
    "in place": ("_base_.lr *= 3\n", {"lr": (0.1 * 3, 2)}),
    "another name": ("q = _base_.hooks\nq.a.x = 7\n", {"hooks.a.x": (7, 3), "q.a.x": (7, 3)}),
    "append": (
        "_base_.train_pipeline.append(dict(type='E'))\n",
        {"train_pipeline.3.type": ("E", 2)},
    ),
    "insert": (
        "_base_.train_pipeline.insert(0, dict(type='E'))\n",
        {"train_pipeline.0.type": ("E", 2)},
    ),
    "update": ("_base_.hooks.update(c=4)\n", {"hooks.c": (4, 2)}),
    "loop": (
        "for step in _base_.train_pipeline:\n    step.setdefault('p', 1)\n    step.q = 2\n",
        {"train_pipeline.2.p": (1, 3), "train_pipeline.0.q": (2, 4)},
    ),
    "condition": ("if _base_.n:\n    pass\nelse:\n    _base_.n = 3\n_base_.n = 6\n", {"n": (6, 6)}),
    "function": ("def set_it(b):\n    b.n = 9\nset_it(_base_)\n", {"n": (9, 4)}),
    "try": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    _base_.n = 2\n", {"n": (2, 5)}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_through_the_object_changes_what_is_inherited(tmp_path, change):
    text, changed = CHANGES[change]
    write(tmp_path, base=BASE, c=f"_base_ = 'base.py'\n{text}")
    cfg = Config.fromfile(tmp_path / "c.py")
    base = Config.fromfile(tmp_path / "base.py")
    for key, (value, line) in changed.items():
        assert cfg.origin(key) == (str(tmp_path / "c.py"), line, "code"), key
        at = cfg
        for part in key.split("."):
            at = at[int(part)] if isinstance(at, list) else at[part]
        assert at == value
    for key in ("model.backbone.depth", "model.necks.1.c", "mean.2", "hooks.b.x", "name"):
        assert cfg.origin(key) == base.origin(key)
    flip = "train_pipeline.2.prob" if change == "insert" else "train_pipeline.1.prob"
    assert cfg.origin(flip) == base.origin("train_pipeline.1.prob")


def test_changes_are_by_reference_and_end_with_the_file(tmp_path):
    write(tmp_path, base="a = 1\nb = dict(c=2, d=[1, 2])\n")
    write(tmp_path, c="_base_ = 'base.py'\nq = _base_.b\nq.c = 7\nw = _base_.a + 1\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    inner = {"c": 7, "d": [1, 2]}
    assert cfg == {"a": 1, "b": inner, "q": inner, "w": 2}
    cfg.q.c = 8
    cfg.q.d.append(3)
    assert cfg.b == inner
    write(tmp_path, c="_base_ = 'base.py'\nq = {{ _base_.b }}\nq.c = 7\n")
    assert Config.fromfile(tmp_path / "c.py").b.c == 2


@pytest.mark.parametrize(
    "removal", ["del _base_.model", "_base_.pop('model')", "del _base_['model']"]
)
def test_what_is_removed_is_not_inherited(tmp_path, removal):
    write(tmp_path, base=BASE, c=f"_base_ = 'base.py'\n{removal}\nmodel = dict(type='New')\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.model == dict(type="New")
    assert cfg.origin("model.type").line == 3


def test_the_object_is_no_key_and_a_child_of_a_child_sees_all(tmp_path):
    write(
        tmp_path,
        base="a = dict(b=1)\n",
        more="c = 2\n",
        middle="_base_ = ['base.py', 'more.py']\na = dict(d=_base_.c)\ne = _base_.a.b\n",
        c="_base_ = 'middle.py'\nsum = _base_.a.b + _base_.a.d + _base_.e\nall = _base_\n",
    )
    cfg = Config.fromfile(tmp_path / "c.py")
    inherited = dict(a=dict(b=1, d=2), c=2, e=1)
    assert cfg == dict(**inherited, sum=4, all=inherited)
    assert cfg.origin("all.a.d") == (str(tmp_path / "middle.py"), 2, "code")
    assert cfg.origin("all.a.b") == (str(tmp_path / "base.py"), 1, "code")


def test_bases_in_yaml_and_json_are_seen_as_well(tmp_path):
    (tmp_path / "a.yaml").write_text("a:\n  b: [1, 2]\n")
    (tmp_path / "b.json").write_text('{"c":\n {"d": 3}}')
    write(tmp_path, c="_base_ = ['a.yaml', 'b.json']\nx = [*_base_.a.b, _base_.c.d]\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.x == [1, 2, 3]
    origins = [str(cfg.origin(f"x.{index}")) for index in range(3)]
    assert origins == [
        f"{tmp_path / 'a.yaml'}:2",
        f"{tmp_path / 'a.yaml'}:2",
        f"{tmp_path / 'c.py'}:2",
    ]


@pytest.mark.parametrize(
    ("expression", "missing"),
    [
        ("_base_.lrr", "'lrr'; did you mean 'lr'"),
        ("_base_.model.bakbone", "'bakbone'"),
        ("_base_.hooks.a.y.z", "'y'"),
        ("[s.nope for s in _base_.train_pipeline]", "'nope'"),
        ("(lambda: _base_.absent)()", "'absent'"),
        ("f'{_base_.model.no}'", "'no'"),
    ],
)
def test_what_no_base_has_is_an_error_with_its_line(tmp_path, expression, missing):
    write(tmp_path, base=BASE, c=f"_base_ = 'base.py'\n\nx = {expression}\n")
    with pytest.raises(AttributeError, match=rf"c\.py:3: no base has the key {missing}") as caught:
        Config.fromfile(tmp_path / "c.py")
    assert isinstance(caught.value, ConfigError)


def test_other_errors_keep_their_class_and_get_their_line(tmp_path):
    write(tmp_path, base=BASE, c="_base_ = 'base.py'\nx = _base_.lr\ny = 'a'.nope\n")
    with pytest.raises(
        AttributeError, match=r"c\.py:3: 'str' object has no att.* 'nope'"
    ) as caught:
        Config.fromfile(tmp_path / "c.py")
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 3
    write(tmp_path, c="x = _base_.lr\n")
    with pytest.raises(NameError, match="_base_"):
        Config.fromfile(tmp_path / "c.py")


BASE_EXPRESSIONS = [
    "_base_ = './' + 'base.py'",
    "_base_ = ['./base' + '.py']",
    "_base_ = ('base.py',)",
    "_base_: str = 'base.py'",
    "_base_ = [f'{name}.py' for name in ('base',)]",
    "_base_ = '/'.join(['.', 'base.py'])",
    "folder = '.'\n_base_ = folder + '/base.py'",
    "folder = '.'\n_base_ = [f'{folder}/{n}.py' for n in ['base']]",
    "import os\n_base_ = os.path.join(os.path.dirname(__file__), 'base.py')",
    "def base():\n    return 'base.py'\n_base_ = base()",
    "_base_ = []\n_base_ += ['base.py']",
    "if True:\n    _base_ = 'base.py'\nelse:\n    _base_ = 'no.py'",
    "_base_ = '{{ fileDirname }}/base.py'",
    "_base_ = same = 'base.py'",
    "_base_ = ['base.py'] if len('a') else []",
    "_base_ = 'no.py'\n_base_ = 'base.py'",
]


@pytest.mark.parametrize("text", BASE_EXPRESSIONS)
def test_the_bases_may_be_an_expression(tmp_path, text):
    write(tmp_path, base=BASE, c=f"{text}\nx = _base_.n + {{{{ _base_.n }}}}\nn = 5\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert (cfg.x, cfg.n, cfg.lr) == (8, 5, 0.1)
    assert cfg.origin("model.backbone.depth") == (str(tmp_path / "base.py"), 9, "code")
    assert cfg.origin("x").line == text.count("\n") + 2
    assert "_base_" not in cfg
    assert ("folder" in cfg) is text.startswith("folder")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n_base_ = name", r"c\.py:2: _base_ cannot be evaluated: name 'name' is not defined"),
        ("_base_ = './' + 1", r"c\.py:1: _base_ cannot be evaluated: can only concat"),
        ("_base_ = 3 * 4", r"c\.py:1: _base_ must be a string or a list of strings.* 12"),
        ("a = 'x'\n_base_ = a + '.py'", r"c\.py:2: the base 'x\.py' does not exist"),
        ("_base_ = [None]", r"c\.py:1: _base_ must be a string or a list of strings"),
    ],
)
def test_a_bad_expression_for_the_bases_is_named(tmp_path, text, message):
    write(tmp_path, c=text)
    with pytest.raises(ConfigError, match=message):
        Config.fromfile(tmp_path / "c.py")


def test_variables_of_the_bases_may_stand_before_them(tmp_path):
    write(tmp_path, base=BASE, c="x = {{ _base_.n }}\n_base_ = 'base.py'\n")
    assert Config.fromfile(tmp_path / "c.py").x == 4


@pytest.mark.parametrize(
    "text", ["x = {{ _base_.n }}", "x = '{{ _base_.n }}'", "x = ['{{_base_.n}}/a']"]
)
def test_a_variable_of_the_bases_without_bases_is_named(tmp_path, text):
    write(tmp_path, c=f"a = 1\n{text}\n")
    with pytest.raises(ConfigError, match=r"c\.py:2: undefined variable _base_\.n: no base"):
        Config.fromfile(tmp_path / "c.py")

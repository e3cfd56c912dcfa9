"""Lazy configs: bases by `read_base`, imports that import nothing, dumps, origins."""

import copy
import pickle
import random
import sys
import textwrap

import pytest

from eng.config import Config, ConfigDict, ConfigError, ConfigParsingError, LazyAttr, LazyObject

LIBRARY = {
    "eng_lazy_lib/__init__.py": "NAME = 'lib'\nSETTINGS = {'depth': [1, 2]}\nfrom . import parts\n",
    "eng_lazy_lib/parts.py": "class Net:\n    class Inner:\n        pass\n"
    "def act(x=1):\n    return x\n",
    "eng_lazy_lib/other.py": "class Head:\n    pass\n",
    "eng_lazy_lib/broken.py": "raise ValueError('no such driver')\n",
}
READ = "from mmengine.config import read_base\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return tmp_path

    for name, text in LIBRARY.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    yield write
    for name in [name for name in sys.modules if name.startswith("eng_lazy_lib")]:
        del sys.modules[name]


def lib():
    import eng_lazy_lib

    return eng_lazy_lib


def test_what_is_imported_is_imported_when_it_is_read(write):
    folder = write(
        base="""\
            from eng_lazy_lib.parts import Net
            import eng_lazy_lib as library
            model = dict(
                net=dict(type=Net, act=library.parts.act),
                parts=[Net, (library.parts.Net.Inner, 2)],
                pair=(Net, dict(type=library.parts.act)))
            """,
        c=f"""\
            {READ}
            import eng_lazy_lib.other, os.path
            with read_base():
                from .base import *
            head = eng_lazy_lib.other.Head
            place = os.path.join('a', 'b')
            """,
    )
    cfg = Config.fromfile(folder / "c.py")
    assert cfg.to_dict() == dict(
        model=dict(
            net=dict(type="eng_lazy_lib.parts.Net", act="eng_lazy_lib.parts.act"),
            parts=["eng_lazy_lib.parts.Net", ("eng_lazy_lib.parts.Net.Inner", 2)],
            pair=("eng_lazy_lib.parts.Net", dict(type="eng_lazy_lib.parts.act")),
        ),
        head="eng_lazy_lib.other.Head",
        place="a/b",
    )
    assert type(cfg._to_lazy_dict()["head"]) is LazyAttr
    assert cfg._imported_names == {"Net", "library", "eng_lazy_lib", "read_base"}
    assert cfg._imported_names < set(cfg)
    texts = [cfg.pretty_text, repr(cfg), cfg.dump(), cfg.to_dict(keep_imported=True)["library"]]
    assert "eng_lazy_lib" not in sys.modules, texts

    parts = lib().parts
    net, model = parts.Net, cfg.model
    assert model.net.type is model["net"]["type"] is model.net.get("type") is net
    assert dict(model.net) == {**model.net} == dict(type=net, act=parts.act)
    assert [value for _, value in model.net.items()] == model.net.values() == [net, parts.act]
    assert list(model.parts) == [net, (net.Inner, 2)] == [model.parts[0], model.parts[-1]]
    assert model.parts == [net, (net.Inner, 2)]
    assert model.pair[0] is net
    assert model.pair[1].type is parts.act
    assert cfg.head is lib().other.Head
    assert cfg.library is cfg.eng_lazy_lib is lib()
    model.parts.append(3)
    assert cfg.to_dict()["model"]["parts"][::2] == ["eng_lazy_lib.parts.Net", 3]
    assert model.net.pop("type") is net
    assert model.net.pop("type") is None
    ConfigDict.lazy = True
    try:
        assert type(cfg.head) is LazyAttr
        assert type(model.parts[0]) is LazyObject
    finally:
        ConfigDict.lazy = False
    assert cfg.head is lib().other.Head
    assert ConfigDict(lazy=3).lazy == 3


def test_lazy_values_inside_others(write):
    folder = write(
        base="",
        c=f"""\
            {READ}
            with read_base():
                from .base import *
            from functools import partial
            import eng_lazy_lib.parts
            import eng_lazy_lib.other
            from eng_lazy_lib import parts as p
            call = partial(p.act, x=p.Net)
            members = {{p.Net}}
            deep = [[(p.act, [p.Net])]]
            modules = (eng_lazy_lib.parts, eng_lazy_lib.other)
            Net = dict(type=p.Net)
            del p
            """,
    )
    cfg = Config.fromfile(folder / "c.py")
    assert "eng_lazy_lib" not in sys.modules
    assert set(cfg) == {"eng_lazy_lib", "call", "members", "deep", "modules", "Net", "read_base"}
    net, act = cfg.Net.type, lib().parts.act
    assert (cfg.call(), cfg.members, cfg.deep) == (net, {net}, [[(act, [net])]])
    assert cfg.deep[0][0][1][0] is net
    assert cfg.modules == (lib().parts, sys.modules["eng_lazy_lib.other"])


def test_data_of_a_module_becomes_a_part_of_the_config(write):
    folder = write(c="from eng_lazy_lib import SETTINGS, NAME\na = SETTINGS\nb = [NAME]\n")
    cfg = Config.fromfile(folder / "c.py")
    cfg.a.depth.append(3)
    assert (cfg.a, cfg.b) == (dict(depth=[1, 2, 3]), ["lib"])
    assert dict(depth=[1, 2]) == lib().SETTINGS


@pytest.mark.parametrize("suffix", ["py", "yaml", "json"])
def test_a_dump_loads_again(write, suffix):
    folder = write(
        base="from eng_lazy_lib.parts import Net, act\nfrom pathlib import Path\n"
        "def twice(x):\n    return 2 * x\n"
        "model = dict(type=Net, heads=[dict(type=act)], n=twice(4), args=dict(act=act))\n",
        c=f"{READ}with read_base():\n    from .base import *\nmodel.n += twice(1)\n",
    )
    cfg = Config.fromfile(folder / "c.py")
    cfg.dump(folder / f"dump.{suffix}")
    back = Config.fromfile(folder / f"dump.{suffix}")
    assert back.to_dict() == cfg.to_dict()
    assert back == cfg
    assert Config.fromstring(cfg.pretty_text, ".py") == cfg
    assert "eng_lazy_lib" not in sys.modules
    assert back.model.n == 10
    assert (back.model.type, back.model.heads[0].type) == (
        "eng_lazy_lib.parts.Net",
        "eng_lazy_lib.parts.act",
    )
    if suffix == "py":  # what no registry looks up is there itself
        assert back.model.args.act is lib().parts.act


def test_copies_and_pickles_stay_lazy(write):
    folder = write(
        c="import eng_lazy_lib.parts as p\nm = dict(type=p.Net, l=[p.act], t=(p.act,))\n"
    )
    cfg = Config.fromfile(folder / "c.py")
    for other in (
        copy.copy(cfg),
        copy.deepcopy(cfg),
        pickle.loads(pickle.dumps(cfg)),
        cfg.copy(),
    ):
        assert other == cfg
        assert other.to_dict() == cfg.to_dict()
        assert other._imported_names == {"p"}
        assert other.origin("m.type").line == 2
        assert "eng_lazy_lib" not in sys.modules
    other = copy.deepcopy(cfg)
    other.merge_from_dict({"m.n": 1, "m.l.0": 2})
    assert "eng_lazy_lib" not in sys.modules
    assert other.to_dict()["m"]["n"] == 1
    assert cfg.to_dict()["m"]["l"] == ["eng_lazy_lib.parts.act"]


def test_origins(write):
    folder = write(
        base="""\
            from eng_lazy_lib.parts import Net
            model = dict(
                net=dict(
                    type=Net,
                    depth=3),
                heads=[
                    dict(x=1)])
            lr = 0.1
            n = 1
            """,
        other="extra = [\n    1]\nm = 5\n",
        c=f"""\
            {READ}
            with read_base():
                from .base import *
            if n:
                with read_base():
                    from .other import extra as more, m
            model.net.depth = 4
            model['heads'][0].y = 2
            model.update(
                z=dict(
                    deep=1),
                heads=model.heads + [
                    dict(a=1)])
            for i in range(2):
                model[f'k{{i}}'] = i
            new = dict(
                model.net,
                own=7)
            n = 1
            more.append(
                8)
            """,
    )
    cfg = Config.fromfile(folder / "c.py")
    assert cfg.model.heads == [dict(x=1, y=2), dict(a=1)]
    lines = {
        "base": {"model": 2, "model.net": 3, "model.net.type": 4, "lr": 8, "new.type": 4},
        "other": {"more": 1, "more.0": 2, "m": 3},
        "c": {
            "model.net.depth": 8,
            "model.heads.0.y": 9,
            "model.z": 11,
            "model.heads": 13,
            "model.k1": 16,
            "new": 17,
            "new.own": 19,
            "n": 20,
            "more.1": 21,
        },
    }
    for name, keys in lines.items():
        found = {key: cfg.origin(key) for key in keys}
        assert {key: at.line for key, at in found.items()} == keys
        assert {at.file for at in found.values()} == {str(folder / f"{name}.py")}
    cfg.model.net.depth = 9
    assert str(cfg.origin("model.net.depth")) == "set by code"


def test_a_text_config_inherits_from_a_lazy_one(write):
    folder = write(
        base="from eng_lazy_lib.parts import Net\nmodel = dict(\n    type=Net, a=1)\n",
        lazy=f"{READ}with read_base():\n    from .base import *\nmodel.b = 2\n",
        c="_base_ = 'lazy.py'\nmodel = dict(a=3)\nx = _base_.model.type\n",
        d=f"{READ}with read_base():\n    from .c import *\nx = dict(type=x)\n",
    )
    (folder / "c.yaml").write_text("_base_: lazy.py\nmodel: {a: 3}\nx: '{{ _base_.model.type }}'\n")
    name = "eng_lazy_lib.parts.Net"
    for child in ("c.py", "c.yaml"):
        cfg = Config.fromfile(folder / child)
        assert cfg.to_dict() == dict(model=dict(type=name, a=3, b=2), x=name)
        assert list(cfg) == ["model", "x"]
        assert cfg.origin("model.type") == (str(folder / "base.py"), 3, "code")
    assert Config.fromfile(folder / "d.py").to_dict()["x"] == dict(type=name)
    assert "eng_lazy_lib" not in sys.modules
    assert cfg.model.type is lib().parts.Net


def test_bases_are_found_by_relative_and_absolute_names(write):
    folder = write(
        eng_lazy_lib__deep__most="a = 1\n_hidden = 2\n",
        eng_lazy_lib__configs__shared=f"{READ}with read_base():\n    from ..deep.most import *\n"
        "b = a + 1\n",
        jobs__one__c=f"{READ}with read_base():\n    from eng_lazy_lib.configs.shared import *\n"
        "    from ...top import t\n    from .beside import *\nc = a + b + t + s\n",
        jobs__one__beside="s = 100\n",
        top="t = 10\n",
    )
    cfg = Config.fromfile(folder / "jobs" / "one" / "c.py")
    assert cfg == dict(a=1, _hidden=2, b=2, t=10, s=100, c=113)
    assert "eng_lazy_lib" not in sys.modules


@pytest.mark.parametrize(
    ("text", "kinds", "message"),
    [
        (
            "with a.b():\n    x = 1\n",
            (ConfigParsingError, RuntimeError),
            r"c\.py:1: bases are imported",
        ),
        ("from .base import a\n", (ConfigParsingError,), r"c\.py:1: the relative import"),
        (
            f"{READ}_base_ = 'base.py'\nwith read_base():\n    from .base import a\n",
            (RuntimeError,),
            r"c\.py:2: a config must have its bases either in",
        ),
        (
            f"{READ}with read_base():\n    import base\n",
            (AssertionError,),
            r"c\.py:3: only `from",
        ),
        (
            f"{READ}with read_base():\n    from . import base\n",
            (AssertionError,),
            r"c\.py:3: only `from",
        ),
        (
            f"{READ}with read_base():\n    x = 1\n",
            (ConfigParsingError,),
            r"c\.py:3: only `from",
        ),
        (f"{READ}with read_base():\n    from torch import *\n", (ConfigParsingError,), "is a pack"),
        (
            f"{READ}with read_base():\n    from .nope import *\n",
            (ConfigParsingError, FileNotFoundError),
            r"c\.py:3: the base \.nope does not exist",
        ),
        (
            f"{READ}with read_base():\n    from eng_lazy_lib.nope import *\n",
            (ConfigParsingError, FileNotFoundError),
            r"eng_lazy_lib/nope\.py",
        ),
        (
            f"{READ}with read_base():\n    from eng_no_such.a import *\n",
            (ConfigParsingError, ModuleNotFoundError),
            r"^[^:]*c\.py:3: the base 'eng_no_such\.a'",
        ),
        (f"{READ}with read_base():\n    from .base import modle\n", (KeyError,), "mean 'model'"),
        (f"{READ}with read_base():\n    from .c import *\n", (ConfigError,), "circular bases"),
        (
            f"{READ}def f():\n    with read_base():\n        from .base import a\n",
            (ConfigParsingError,),
            r"c\.py:3: .* not in a function",
        ),
        (
            f"{READ}from eng_lazy_lib import *\nwith read_base():\n    from .base import a\n",
            (ConfigParsingError,),
            r"c\.py:2: .*cannot be delayed",
        ),
        (
            f"{READ}with read_base():\n    from .base import model\nx = model.nope\n",
            (AttributeError,),
            r"c\.py:4: no base has the key 'nope'; known keys are x",
        ),
        (
            f"{READ}from eng_lazy_lib.parts import act\nwith read_base():\n"
            "    from .base import a\nx = act(1)\n",
            (RuntimeError, ConfigError),
            r"parts\.act, imported in .*c\.py, line 2, "
            "cannot be called",
        ),
        (
            "from eng_lazy_lib.parts import act\nx = act(1, 2)\n",
            (RuntimeError,),
            r"act, imported in .*c\.py, line 1, cannot be called.*TypeError",
        ),
    ],
)
def test_faults_are_named(write, text, kinds, message):
    folder = write(base="a = 1\nmodel = dict(x=1)\n")
    (folder / "c.py").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        Config.fromfile(folder / "c.py")
    assert isinstance(caught.value, kinds)
    assert all(isinstance(caught.value, k) for k in kinds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from eng_lazy_lib import nope as x\n", "import nope from eng_lazy_lib in .*c.py, line 1"),
        ("import eng_lazy_lib.parts as p\nx = p.Net.nope\n", "nope from eng_lazy_lib.parts.Net in"),
        ("import eng_no_such.a as x\n", r"import eng_no_such\.a in .*c\.py, line 1: No module"),
        ("import eng_lazy_lib.broken as x\n", "eng_lazy_lib.broken in .*line 1: no such driver"),
    ],
)
def test_an_import_that_fails_is_named_when_it_is_read(write, text, message):
    folder = write(c=text)
    cfg = Config.fromfile(folder / "c.py")
    with pytest.raises((ImportError, ValueError), match=message):
        cfg["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import math\nx = math.floor(1.5)\n", 1),
        ("import os.path as osp\nx = osp.join('a', 'b')\n", "a/b"),
        ("with open(__file__) as file:\n    x = file.read(4)\ndel file\n", "with"),
        ("from mmengine import Config\nx = 1\n", None),
        ("from eng.config import ConfigDict\nx = 1\n", 1),
    ],
)
def test_the_standard_library_makes_no_lazy_config(write, text, expected, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmengine", None)  # eng-mmengine may be installed
    folder = write(c=text)
    if expected is None:  # a text config, whose imports are real
        with pytest.raises(ModuleNotFoundError):
            Config.fromfile(folder / "c.py")
        return
    cfg = Config.fromfile(folder / "c.py")
    assert cfg == dict(x=expected)
    assert cfg._imported_names == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from eng_lazy_lib import parts\nx = parts.act(3)\n", 3),
        ("from eng_lazy_lib import NAME\nx = NAME + '!'\n", "lib!"),
        ("from eng_lazy_lib import NAME\nx = f'{NAME}/x'\n", "lib/x"),
        ("from eng_lazy_lib import NAME\nx = 1 if NAME == 'lib' else 2\n", 1),
        ("from eng_lazy_lib import NAME\nx = {NAME: 1}\n", {"lib": 1}),
        ("import eng_lazy_lib\nx = dict(eng_lazy_lib.SETTINGS, a=1)\n", dict(depth=[1, 2], a=1)),
        ("import eng_lazy_lib\nx = len(eng_lazy_lib.NAME)\n", 3),
        ("import eng_lazy_lib\nx = eng_lazy_lib.__name__\n", "eng_lazy_lib"),
        ("from eng_lazy_lib import NAME\nx = [c for c in NAME]\n", ["l", "i", "b"]),
        ("from eng_lazy_lib import parts\nx = isinstance(3, parts.Net)\n", False),
        ("try:\n    import eng_no_such\nexcept ImportError:\n    x = 1\n", 1),
        ("from eng_lazy_lib.parts import Net\nclass A(Net):\n    pass\nx = 2\n", 2),
    ],
)
def test_a_config_that_uses_what_it_imports_is_run_as_before(write, text, expected):
    assert Config.fromfile(write(c=text) / "c.py").to_dict() == dict(x=expected)


def test_the_kind_can_be_forced(write):
    folder = write(
        c="from eng_lazy_lib.parts import act\nx = act(3)\n",
        d="from eng_lazy_lib.parts import act\nx = act\n",
        e=f"{READ.replace('mmengine', 'eng')}with read_base():\n    x = 1\n",
    )
    with pytest.raises(RuntimeError, match="cannot be called"):
        Config.fromfile(folder / "c.py", lazy_import=True)
    assert Config.fromfile(folder / "d.py", lazy_import=False).to_dict()["x"] is lib().parts.act
    assert Config.fromfile(folder / "e.py", lazy_import=False) == dict(x=1)


def test_custom_imports_of_a_lazy_config_are_imported(write):
    folder = write(
        c=f"{READ}with read_base():\n    from .base import a\n"
        "custom_imports = dict(imports=['eng_lazy_lib.other'])\n",
        base="a = '{{ fileBasename }}'\n",
    )
    cfg = Config.fromfile(folder / "c.py")
    assert "eng_lazy_lib.other" in sys.modules
    assert cfg.a == "base.py"
    assert cfg.text == (folder / "c.py").read_text()


def test_lazy_objects_by_themselves():
    join = LazyObject("os.path", "join", "c.py, line 1")
    assert join.build()("a", "b") == "a/b"
    assert (str(join), repr(LazyObject("os.path")), join.module) == ("join", "os.path", "os.path")
    nn = LazyObject("torch", "nn")
    assert (nn.Linear.module, str(nn.Linear.x)) == ("torch.nn", "x")
    both = LazyObject(["os.path", "os"])
    import os

    assert both.module == "os"
    assert both.build() is os
    assert both.path.join.build() is os.path.join
    for each in (join, nn.Linear, both, nn.modules.source):
        for other in (pickle.loads(pickle.dumps(each)), copy.deepcopy(each), copy.copy(each)):
            assert other == each
            assert hash(other) == hash(each)
            assert type(other) is type(each)
    assert join != LazyObject("os.path", "split")
    assert join == "os.path.join"
    with pytest.raises(RuntimeError, match=r"os\.path\.join, imported in c\.py, line 1"):
        join("a")
    with pytest.raises(RuntimeError, match="its attribute x"):
        nn.x = 1
    for arguments in ((1,), ([],), (["a"], "b"), ("a", 1), ("a", "b", 1), ([1],)):
        with pytest.raises(TypeError):
            LazyObject(*arguments)
    for arguments in ((1, join), ("a", "b"), ("a", join, 1)):
        with pytest.raises(TypeError):
            LazyAttr(*arguments)


LEAVES = [
    "1",
    "'s'",
    "[1, 2]",
    "Net",
    "lib.parts.act",
    "dict(type=Net)",
    "(Net, 1)",
    "[lib.parts.Net.Inner]",
]


IMPORTS = "import copy\nfrom eng_lazy_lib.parts import Net\nimport eng_lazy_lib as lib\n"


class Chain:
    """Random lazy configs, and one text with the same statements for Python itself."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = {}
        self.flat = IMPORTS
        self.keys = []  # those that the config being written has by now

    def build(self, depth):
        """Return folder and name of a config with `depth` generations of bases."""
        name = f"f{len(self.files)}"
        self.files[name] = ("", "")
        folder = self.random.choice(["", "sub__"])
        text, keys = "", []
        for _ in range(self.random.randint(1, 2) if depth else 0):
            base_folder, base = self.build(depth - 1)
            keys += self.keys
            dots = "." if base_folder == folder else ".sub." if base_folder else ".."
            text += f"with read_base():\n    from {dots}{base} import *\n"
        self.keys = sorted(set(keys))
        text = f"{READ if depth else ''}{IMPORTS}{text}"
        for _ in range(self.random.randint(1, 4)):
            statement = self.statement()
            text += statement
            self.flat += statement
        self.files[name] = (folder, text)
        return folder, name

    def statement(self):
        leaf = self.random.choice(LEAVES)
        if not self.keys or self.random.random() < 0.4:
            key = f"k{self.random.randint(0, 5)}"
            self.keys = sorted({*self.keys, key})
            inner = self.random.choice(LEAVES)
            return f"{key} = dict(a={leaf}, b=dict(c={inner}, d=[dict(e={leaf})]))\n"
        key, other = self.random.choice(self.keys), self.random.choice(self.keys)
        return self.random.choice(
            [
                f"{key}['b']['c'] = {leaf}\n",
                f"{key}['b']['d'].append({leaf})\n",
                f"{key} = dict(**{key}, n{len(self.flat)}={leaf})\n",
                f"{key}['copied'] = copy.deepcopy({other}['b'])\n",
                f"for i in range(2):\n    {key}[f'i{{i}}'] = {leaf}\n",
                f"{key}['l'] = [each for each in {other}['b']['d']]\n",
                f"{key}.pop('a', None)\n",
            ]
        )


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return (
        type(value)(map(plain, value))
        if type(value) is tuple
        else ([plain(each) for each in value] if isinstance(value, list) else value)
    )


@pytest.mark.parametrize("seed", range(24))
def test_generated_configs_have_the_values_that_python_gives(write, seed):
    chain = Chain(seed)
    folder, name = chain.build(seed % 4)
    root = write(**{f"{place}{each}": text for each, (place, text) in chain.files.items()})
    path = root / f"{folder.replace('__', '/')}{name}.py"
    cfg = Config.fromfile(path)
    cfg.dump(root / "dump.py")
    back = Config.fromfile(root / "dump.py")
    assert "eng_lazy_lib" not in sys.modules
    assert back.to_dict() == cfg.to_dict()
    assert back == cfg
    for key in chain.keys:
        assert cfg.origin(f"{key}.b").file.startswith(str(root))

    scope = {}
    exec(chain.flat, scope)
    expected = {key: scope[key] for key in chain.keys}
    assert plain({key: cfg[key] for key in chain.keys}) == expected

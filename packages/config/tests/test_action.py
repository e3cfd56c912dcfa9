import argparse
import math

import pytest

from eng.config import Config, ConfigError, DictAction


def parse(*options):
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    return parser.parse_args(["--o", *options]).o


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # numbers
        ("1", 1),
        ("-3", -3),
        ("+3", 3),
        ("007", 7),
        ("2.5", 2.5),
        ("1e-3", 1e-3),
        ("-1E5", -1e5),
        (".5", 0.5),
        ("5.", 5.0),
        # text
        ("2024_10_05", "2024_10_05"),
        ("1_000", "1_000"),
        ("1_0.5", "1_0.5"),
        ("1e1_0", "1e1_0"),
        ("0x1", "0x1"),
        ("1e", "1e"),
        ("\u0663", "\u0663"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("-inf", "-inf"),
        ("Infinity", "Infinity"),
        ("a=b", "a=b"),
        ("", ""),
        ("epoch_{:03d}.pth", "epoch_{:03d}.pth"),
        ("{a}_{b}", "{a}_{b}"),
        ("(1)+(2)", "(1)+(2)"),
        ("a{2,3}", "a{2,3}"),
        ("it's", "it's"),
        # words
        ("true", True),
        ("FALSE", False),
        ("None", None),
        ("none", "none"),
        # lists and tuples
        ("1,2.5,x", [1, 2.5, "x"]),
        ("1,", [1]),
        ("[]", []),
        ("()", ()),
        ("[1]", [1]),
        ("(1,)", (1,)),
        ("[1, 'b']", [1, "b"]),
        ("[(1,2),(3,4)]", [(1, 2), (3, 4)]),
        ("(1,2),(3,4)", [(1, 2), (3, 4)]),
        ("(a,[b,None])", ("a", ["b", None])),
        ("[[[]],[1,[2,(3,)]]]", [[[]], [1, [2, (3,)]]]),
        ("[inf,1_0]", ["inf", "1_0"]),
        # quotes
        ("'1,2'", "1,2"),
        ('"1"', "1"),
        ("''", ""),
        ("'a b, c'", "a b, c"),
        ('"it\'s"', "it's"),
        ("'[1'", "[1"),
        ("['a,b',\"c]\"]", ["a,b", "c]"]),
        ("'None'", "None"),
        ("'{a: 1}'", "{a: 1}"),
        ("'2024-01-02'", "2024-01-02"),
        # dictionaries
        ("{}", {}),
        ("dict()", {}),
        ("{'type':'X','n':1}", dict(type="X", n=1)),
        ("dict(type='X')", dict(type="X")),
        ("dict(type='X', n=1, l=[1,2], t=(1,))", dict(type="X", n=1, l=[1, 2], t=(1,))),
        ('{"a": {"b": [1, {"c": None}]}}', dict(a=dict(b=[1, dict(c=None)]))),
        ("{type:X,n:1e-3}", dict(type="X", n=1e-3)),
        ("{1: a, '1': b}", {1: "a", "1": "b"}),
        ("{'url': 'http://x:80/a,b'}", dict(url="http://x:80/a,b")),
        ("{url: http://x:80}", dict(url="http://x:80")),
        ("dict(a=dict(b=2), c={'d': 3})", dict(a=dict(b=2), c=dict(d=3))),
        ("[dict(type='A'),{'type':'B'}]", [dict(type="A"), dict(type="B")]),
        ("dict(type='A'),dict(type='B')", [dict(type="A"), dict(type="B")]),
        ("dict(a='x=y')", dict(a="x=y")),
        ("{'a': 1,}", dict(a=1)),
        ("dictionary", "dictionary"),
    ],
)
def test_dict_action(text, value):
    found = parse(f"k={text}")
    assert found == {"k": value}
    assert type(found["k"]) is type(value)


def test_options_extend_each_other():
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    args = parser.parse_args(["--o", "a=1", "b.c=x", "--o", "a=9", "x=a=b"])
    assert args.o == {"a": 9, "b.c": "x", "x": "a=b"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1,2", "missing closing bracket ']'"),
        ("1,2)", "unmatched bracket ')'"),
        ("[(1,2],3)", "unmatched bracket ']'"),
        ("{'a':1", "missing closing bracket '}'"),
        ("{'a'}", "\"'a'\" is not of the form KEY:VALUE"),
        ("{'a':1,b}", "'b' is not of the form KEY:VALUE"),
        ("{:1}", "':1' is not of the form KEY:VALUE"),
        ("dict(a)", "'a' is not of the form KEY=VALUE"),
        ("dict('a'=1)", "\"'a'=1\" is not of the form KEY=VALUE"),
        ("dict(a=[1)", "unmatched bracket ')'"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_its_key(capsys, text, reason):
    with pytest.raises(SystemExit):
        parse("x=1", f"model.depth={text}")
    message = capsys.readouterr().err
    assert f"invalid value {text!r} of model.depth: {reason}" in message


@pytest.mark.parametrize("text", ["depth", "=1", ""])
def test_an_option_without_a_key_or_value_is_refused(capsys, text):
    with pytest.raises(SystemExit):
        parse(text)
    assert f"{text!r} is not of the form KEY=VALUE" in capsys.readouterr().err


def test_what_is_not_finite_is_a_number_in_the_place_of_a_float():
    cfg = Config(dict(a=1.0, b=1, c="x", d=dict(e=0.5, f=None), g=[1.0, 2], h=(1.0,)))
    cfg.merge_from_dict(
        parse(
            "a=inf",
            "b=nan",
            "c=inf",
            "d.e=-inf",
            "d.f=inf",
            "g=[-inf,nan,inf]",
            "h=(inf,)",
            "i=inf",
        )
    )
    infinity = float("inf")
    assert cfg == dict(
        a=infinity,
        b="nan",
        c="inf",
        d=dict(e=-infinity, f="inf"),
        g=[-infinity, "nan", "inf"],
        h=(infinity,),
        i="inf",
    )
    cfg.merge_from_dict(parse("d={e:nan}", "g.0=nan", "g.1=nan"))
    assert math.isnan(cfg.d.e)
    assert math.isnan(cfg.g[0])
    assert cfg.g[1:] == ["nan", "inf"]
    cfg.merge_from_dict({"a": "inf"})  # which is no command line
    assert cfg.a == "inf"


def test_dictionaries_of_the_command_line_merge():
    cfg = Config(dict(model=dict(type="A", depth=18), hooks=[dict(type="H", n=1)]))
    cfg.merge_from_dict(parse("model={'depth':50}", "hooks.0=dict(n=2)", "new=dict(type='X')"))
    assert cfg == dict(
        model=dict(type="A", depth=50), hooks=[dict(type="H", n=2)], new=dict(type="X")
    )
    assert str(cfg.origin("new.type")) == "set by the command line"


def test_helpers_that_packages_call():
    assert DictAction._parse_iterable("[1, 'b']") == [1, "b"]
    assert DictAction._parse_iterable("1,") == [1]
    assert DictAction._parse_int_float_bool("1e-3") == 1e-3
    assert DictAction._parse_int_float_bool("x") == "x"


def test_auto_argparser(tmp_path, monkeypatch):
    path = tmp_path / "c.py"
    path.write_text("lr = 0.1\nmodel = dict(depth=18, name='a')\nsteps = [1, 2]\n")
    argv = ["prog", str(path), "--lr", "0.5", "--model.depth", "50", "--steps", "3", "4"]
    monkeypatch.setattr("sys.argv", argv)
    parser, cfg = Config.auto_argparser()
    args = vars(parser.parse_args())
    assert (args["lr"], args["model.depth"], args["steps"]) == (0.5, 50, [3, 4])
    assert cfg.model.depth == 18
    with pytest.raises(ConfigError, match="conflicting options"):
        cfg.merge_from_dict({"a": 1, "a.b": 2})

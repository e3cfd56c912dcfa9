import argparse

import pytest

from eng.config import Config, ConfigError, DictAction


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,2.5,x", [1, 2.5, "x"]),
        ("[(1,2),(3,4)]", [(1, 2), (3, 4)]),
        ("(a,[b,None])", ("a", ["b", None])),
        ("true", True),
        ("a=b", "a=b"),
        ("[1]", [1]),
        ("'1,2'", "1,2"),
    ],
)
def test_dict_action(text, value):
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    assert parser.parse_args(["--o", f"k={text}"]).o == {"k": value}


def test_auto_argparser(tmp_path, monkeypatch):
    path = tmp_path / "c.py"
    path.write_text("lr = 0.1\nmodel = dict(depth=18, name='a')\nsteps = [1, 2]\n")
    argv = ["prog", str(path), "--lr", "0.5", "--model.depth", "50", "--steps", "3", "4"]
    monkeypatch.setattr("sys.argv", argv)
    parser, cfg = Config.auto_argparser()
    args = vars(parser.parse_args())
    assert (args["lr"], args["model.depth"], args["steps"]) == (0.5, 50, [3, 4])
    assert cfg.model.depth == 18
    with pytest.raises(ConfigError, match="both"):
        cfg.merge_from_dict({"a": 1, "a.b": 2})

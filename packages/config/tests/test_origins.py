import argparse
import pickle

import pytest

from eng.config import Config, DictAction


@pytest.mark.parametrize("suffix", ["json", "yaml", "py"])
def test_every_value_knows_its_line(tmp_path, suffix):
    text = {
        "json": '\n {"a": 1,\n  "b": {\n    "c": [\n      1,\n      {"d": true}\n    ]}}\n',
        "yaml": "\na: 1\nb:\n  c:\n    - 1\n    - d: true\n",
        "py": "\na = 1\nb = dict(\n    c=[\n        1,\n        dict(d=True)])\n",
    }[suffix]
    path = tmp_path / f"c.{suffix}"
    path.write_text(text)
    cfg = Config.fromfile(path)
    line = {"a": 2, "b": 3, "b.c": 4, "b.c.0": 5, "b.c.1.d": 6}
    assert {key: cfg.origin(key).line for key in line} == line
    assert cfg.origin("b").file == str(path)
    with pytest.raises(KeyError, match=r"'b\.c\.7': '7' is missing"):
        cfg.origin("b.c.7")


def test_code_and_command_line_are_origins(tmp_path):
    path = tmp_path / "c.py"
    path.write_text("a = dict(b=1, c=2, d=dict(e=3))\n")
    cfg = Config.fromfile(path)
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    cfg.merge_from_dict(parser.parse_args(["--o", "a.b=5"]).o)
    cfg.merge_from_dict({"a.new": 1})
    cfg.a.d.e = 4
    origins = {key: str(cfg.origin(key)) for key in ("a.b", "a.new", "a.d.e", "a.c")}
    assert origins == {
        "a.b": "set by the command line",
        "a.new": "set by code",
        "a.d.e": "set by code",
        "a.c": f"{path}:1",
    }
    assert pickle.loads(pickle.dumps(cfg)).origin("a.c").line == 1
    cfg.merge_from_dict({"a.d": dict(_delete_=True, f=1)})
    assert cfg.a.d == dict(f=1)

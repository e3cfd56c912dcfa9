import pytest

from eng.config import Config


def write(folder, **files):
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "_base_: base.py\nx: {{ _base_.a.b }}\ny: 'v {{ _base_.a.b }}'\n"),
        ("c.json", '{"_base_": "base.py", "x": {{ _base_.a.b }}, "y": "v {{ _base_.a.b }}"}'),
    ],
)
def test_base_variables_in_data_files(tmp_path, name, text):
    write(tmp_path, base_py="a = dict(b=3)\n")
    (tmp_path / name).write_text(text)
    cfg = Config.fromfile(tmp_path / name)
    assert (cfg.x, cfg.y, cfg.a.b) == (3, "v 3", 3)


def test_lines_are_not_needed_to_read_json(tmp_path):
    deep = 250  # more than Python's parser, which finds the lines, can nest
    (tmp_path / "c.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")
    cfg = Config.fromfile(tmp_path / "c.json")
    assert str(cfg.origin("a")) == str(tmp_path / "c.json")

"""Configs in notebooks."""

from __future__ import annotations

from eng.config import Config


class Printed:
    def __init__(self):
        self.parts = []

    def text(self, obj):
        self.parts.append(obj)


def test_a_config_is_shown_as_python(tmp_path):
    (tmp_path / "c.py").write_text("a = 1\nm = dict(type='Net', b=[1, 2])\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    printed = Printed()
    cfg._repr_pretty_(printed, False)
    assert printed.parts == [f"# {tmp_path / 'c.py'}\na = 1\nm = dict(type='Net', b=[1, 2])"]
    cfg._repr_pretty_(printed, True)
    assert printed.parts[1] == "Config(...)"


def test_each_dictionary_folds_in_html(tmp_path, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "s3cr3t")
    (tmp_path / "c.py").write_text(
        "lr = 1\nmodel = dict(type='<Net>', token='{{ secret $API_TOKEN }}')\nl = [1, 2]\n"
        "f = print\n"
    )
    page = Config.fromfile(tmp_path / "c.py")._repr_html_()
    assert page.count("<details>") == 2
    assert "<summary><b>model</b> (&lt;Net&gt;)</summary>" in page
    assert "<summary><b>l</b> (2)</summary>" in page
    assert "<pre>lr = 1</pre>" in page
    assert "s3cr3t" not in page
    assert "<Net>" not in page


def test_keys_of_a_config_hide_no_display():
    cfg = Config({"_repr_html_": 1, "a": object()})
    assert cfg._repr_html_().startswith("<p>Config</p>")
    assert not hasattr(cfg, "_ipython_display_")

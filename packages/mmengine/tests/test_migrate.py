"""`eng migrate` finds what code uses of mmengine, and rewrites it to the packages of eng."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from eng.cli.main import main
from eng.mmengine.rewrite import rewrite

BEFORE = '''\
"""é"""
import os, mmengine
import mmengine.fileio as fileio
from mmengine import Config, __version__
from mmengine.optim import ApexOptimWrapper, OptimWrapper as Wrapper  # both
from mmengine.config.config import BASE_KEY
from mmengine.utils import (  # a reason
    is_str,
)
from mmengine.runner import *

if __version__:
    from mmengine.hub import get_config; name = "é"; flag = mmengine.utils.is_str("é")


def build():
    from mmengine.model import (
        BaseDataPreprocessor, BaseModel, BaseModule, ImgDataPreprocessor, ModuleList
    )
    mmengine.mkdir_or_exist("x"); return mmengine.runner.Runner.from_cfg({})


cfg = dict(type="mmengine.optim.AmpOptimWrapper")
fileio.load("a.json"), mmengine.__version__
'''
AFTER = '''\
"""é"""
import eng.runner
import eng.utils
import os, mmengine
import eng.fileio
from eng.config import Config
from mmengine import __version__
from eng.optim import OptimWrapper as Wrapper
from mmengine.optim import ApexOptimWrapper  # both
from eng.config.keys import BASE as BASE_KEY
from mmengine.utils import (  # a reason
    is_str,
)
from mmengine.runner import *

if __version__:
    from eng.hub import get_config; name = "é"; flag = eng.utils.is_str("é")


def build():
    from eng.model import (
        BaseDataPreprocessor,
        BaseModel,
        BaseModule,
        ImgDataPreprocessor,
        ModuleList,
    )
    eng.utils.mkdir_or_exist("x"); return eng.runner.Runner.from_cfg({})


cfg = dict(type="mmengine.optim.AmpOptimWrapper")
eng.fileio.load("a.json"), mmengine.__version__
'''


def test_rewriting() -> None:
    assert rewrite(BEFORE) == AFTER
    assert rewrite(AFTER) == AFTER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import mmengine\r\n\r\nmmengine.Config()\r\n", None),
        ("import mmengine\nmmengine = 3\nmmengine.Config\n", "same"),
        ("import mmengine as mm\neng = 1\nmm.Config\n", "same"),
        ("def f(eng):\n    import mmengine\n    return mmengine.Config\n", "same"),
        ("import mmengine\n", "same"),
        ("import mmengine\nx = [mmengine.a for mmengine in ()]\n", "same"),
        ("import mmengine\ntry: mmengine.Config\nexcept A as mmengine: pass\n", "same"),
        ("import mmengine\nfrom a import mmengine\nmmengine.Config\n", "same"),
        ("def f():\n    global mmengine\n    import mmengine\nmmengine.Config\n", "same"),
        ("import mmengine\nmmengine.Config = 3\n", "same"),
        ("import eng.hub, mmengine\nmmengine.Config\n", None),
        ("import mmengine\nx = f'é{mmengine.Config!r:>{mmengine.Config}}'\n", None),
        ("import mmengine\nx = (mmengine\n     .Config)\n", None),
        (
            "import mmengine\ndef f(a: 'mmengine.Config' = mmengine.Config): ...\n",
            "import eng.config\nimport mmengine\n"
            "def f(a: 'mmengine.Config' = eng.config.Config): ...\n",
        ),
        ("import mmengine\nprint(mmengine)\n", "same"),
        ("import mmengine\r\rmmengine.Config\r", "import eng.config\r\reng.config.Config\r"),
        (
            "x = 1\rimport mmengine\ny = 2\nmmengine.Config\n",
            "x = 1\rimport eng.config\ny = 2\neng.config.Config\n",
        ),
        ("import mmengine; mmengine.Config\n", "import eng.config; eng.config.Config\n"),
        ("from mmengine import \\\n    Config\n", "from eng.config import Config\n"),
        ("x = 1; from mmengine import Config, mkdir_or_exist\n", None),
        ("try:\n    from mmengine import Config\nexcept ImportError:\n    pass\n", None),
        ("import mmengine.runner\n@mmengine.MODELS.register_module()\nclass A: pass\n", None),
        ("from .mmengine import Config\nfrom mmengine_of_mine import Config\n", "same"),
    ],
)
def test_forms_of_statements(before: str, after: str | None) -> None:
    found = rewrite(before)
    ast.parse(found)
    assert found.count("\r\n") == found.count("\n") or "\r\n" not in before
    if after is None:
        assert "mmengine" not in found
        assert "eng.config" in found or "eng.registry" in found
    else:
        assert found == (before if after == "same" else after)


def test_the_command_lists_and_leaves_files_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tmp_path / "tool.py"
    code.write_text(BEFORE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("import mmengine (\n")
    (tmp_path / "bytes.py").write_bytes(b"import mmengine  # \xe9\n")
    (tmp_path / "null.py").write_bytes(b"import mmengine\n\0")
    (tmp_path / "other.py").write_text("import os\n")
    for folder in (".hidden", "site-packages"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("import mmengine\nmmengine.Nothing\n")
    (tmp_path / "wrong.py").write_text(
        "import mmengine\nmmengine.Confg\ncfg = dict(type='mmengine.hoks.EMAHook')\n"
    )
    assert main(["migrate", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"{code}:5: mmengine.optim.ApexOptimWrapper: eng has no 'ApexOptimWrapper'; " in said
    assert f"{code}:13: mmengine.hub.get_config: never installs a package" in said
    assert "wrong.py:2: mmengine.Confg: eng has no 'Confg'; did you mean 'Config'?" in said
    assert "wrong.py:3: mmengine.hoks.EMAHook: eng has no 'hoks'" in said
    assert "broken.py:1: cannot be parsed: invalid syntax" in said
    assert "bytes.py:1: cannot be parsed: " in said
    assert "null.py:1: cannot be parsed: " in said
    assert "site-packages" not in said
    assert (
        "use mmengine: 2; uses of names missing in eng: 3; files that --write would rewrite: 1"
        in said
    )
    assert code.read_text(encoding="utf-8") == BEFORE


def test_the_command_rewrites_files_as_they_are_encoded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "from mmengine import Config\r\n\r\nx = 'é'\r\n"
    latin, marked = tmp_path / "latin.py", tmp_path / "marked.py"
    latin.write_bytes(f"# coding: latin-1\r\n{text}".encode("latin-1"))
    marked.write_bytes(text.encode("utf-8-sig"))
    assert main(["migrate", str(tmp_path), "--write"]) == 0
    new = text.replace("mmengine", "eng.config")
    assert latin.read_bytes() == f"# coding: latin-1\r\n{new}".encode("latin-1")
    assert marked.read_bytes() == new.encode("utf-8-sig")
    assert "files rewritten: 2" in capsys.readouterr().out
    assert main(["migrate", str(tmp_path / "nothing")]) == 2
    assert "nothing: No such file or directory" in capsys.readouterr().err


def test_registered_names_in_a_scope_are_not_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = "mmengine.SGD", "mmengine.ImgDataPreprocessor", "mmengine.OneOfTheUser"
    (tmp_path / "cfg.py").write_text("".join(f"dict(type='{name}')\n" for name in names))
    assert main(["migrate", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "files that use mmengine: 1; uses of names missing in eng: 0; "
        "files that --write would rewrite: 0\n"
    )


def test_files_that_cannot_be_read_do_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").symlink_to("nowhere.py")
    (tmp_path / "b.py").write_text("from mmengine import Config\n")
    assert main(["migrate", str(tmp_path), "--write"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'a.py'}: cannot be read: No such file or directory"
    assert lines[-1].endswith("files rewritten: 1")
    assert (tmp_path / "b.py").read_text() == "from eng.config import Config\n"
    assert main(["migrate", str(tmp_path / "a.py")]) == 2


def test_files_that_cannot_be_written_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("from mmengine import Config\n")
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if path.name == "a.py" and "w" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert main(["migrate", str(tmp_path), "--write"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'a.py'}: cannot be written: Permission denied"
    assert lines[-1].endswith("files rewritten: 1")

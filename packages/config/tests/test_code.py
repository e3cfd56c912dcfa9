import sys

import pytest

from eng.config import Config, ConfigError

IMPORTS = {"custom_imports": {"imports": ["eng_code_of_a_test"]}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "eng_code_of_a_test", raising=False)
    (tmp_path / "eng_code_of_a_test.py").write_text("")
    (tmp_path / "base.py").write_text("a = 1\n")
    (tmp_path / "data.yaml").write_text("a: 1\n")
    (tmp_path / "code.yaml").write_text("_base_: base.py\n")
    texts = {
        "imports.yaml": "custom_imports: {imports: [eng_code_of_a_test]}\n",
        "imports.json": '{"custom_imports": {"imports": ["eng_code_of_a_test"]}}',
        "inherits.yaml": "_base_: imports.json\n",
        "base.yaml": "_base_: base.py\n",
        "base.json": '{"_base_": ["data.yaml", "base.py"]}',
        "deep.yaml": "_base_: code.yaml\n",
        "packaged.yaml": "_base_: eng.config::base.yaml\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["imports.yaml", "imports.json", "inherits.yaml", "base.yaml", "base.json", "deep.yaml"],
)
def test_code_in_data_is_refused_where_it_is_not_wanted(folder, name):
    with pytest.raises(ConfigError, match=r"which is not allowed") as caught:
        Config.fromfile(folder / name, import_custom_modules=False)
    assert str(folder) in str(caught.value)
    with pytest.raises(ConfigError, match=r"which is not allowed"):
        Config.fromfile(folder / name, allow_code=False)
    assert "eng_code_of_a_test" not in sys.modules


@pytest.mark.parametrize("name", ["imports.yaml", "imports.json", "inherits.yaml"])
def test_code_can_be_read_without_importing_it(folder, name):
    cfg = Config.fromfile(folder / name, import_custom_modules=False, allow_code=True)
    assert cfg == IMPORTS
    assert "eng_code_of_a_test" not in sys.modules
    assert Config.fromfile(folder / name) == IMPORTS
    assert "eng_code_of_a_test" in sys.modules


def test_a_package_that_reading_would_import_is_no_base(folder):
    with pytest.raises(ConfigError, match="imports its parent packages"):
        Config.fromfile(folder / "packaged.yaml", import_custom_modules=False)


def test_a_python_config_is_code(folder):
    assert Config.fromfile(folder / "base.py", import_custom_modules=False) == dict(a=1)
    with pytest.raises(ConfigError, match=r"base\.py: a Python config is code"):
        Config.fromfile(folder / "base.py", allow_code=False)
    assert Config.fromfile(folder / "data.yaml", allow_code=False) == dict(a=1)

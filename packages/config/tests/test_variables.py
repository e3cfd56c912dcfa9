import json
import os
import warnings

import pytest

from eng.config import Config, ConfigError

HOSTILE = "'; import os; os.system('false') #\n\"x\\n{{ _base_.a }} {{ $HOME }} [1, *a"


@pytest.fixture
def read(tmp_path, monkeypatch):
    def read(name, text, value=None):
        if value is not None:
            monkeypatch.setenv("ENG_V", value)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return Config.fromfile(tmp_path / name)

    return read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.py", "a = '{{ $ENG_V }}'"),
        ("c.py", 'a = "{{ $ENG_V }}"'),
        ("c.py", "a = r'{{ $ENG_V }}'"),
        ("c.py", "a = f'{{ $ENG_V }}'"),
        ("c.py", "a = '''{{ $ENG_V }}'''"),
        ("c.py", "a = b'{{ $ENG_V }}'.decode()"),
        ("c.py", "a = {{ $ENG_V }}"),
        ("c.yaml", "a: {{ $ENG_V }}"),
        ("c.yaml", "a: '{{ $ENG_V }}'"),
        ("c.yaml", 'a: "{{ $ENG_V }}"'),
        ("c.yaml", "a: |-\n  {{ $ENG_V }}"),
        ("c.yaml", "a: >-\n  {{ $ENG_V }}"),
        ("c.json", '{"a": "{{ $ENG_V }}"}'),
        ("c.json", '{"a": {{ $ENG_V }}}'),
    ],
)
@pytest.mark.parametrize("value", [HOSTILE, "a\\b", '"q"', "it's", "- a", "!!x y", "{a: b", "é\t"])
def test_a_variable_goes_in_as_a_value(read, name, text, value):
    assert read(name, text, value) == dict(a=value)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a = {{'$ENG_V:80'}}", "81", 81),
        ("a = {{'$ENG_V:80'}} * 2", "-1.5", -3.0),
        ("a = [*{{'$ENG_V:80'}}, 3]", "(1, 2)", [1, 2, 3]),
        ("a = {{'$ENG_V'}}", "'text'", "text"),
        ("a = {{'$ENG_V'}}", "{'b': None}", dict(b=None)),
        ("a = {{ $ENG_V }}", "'text'", "'text'"),
        ("a = {{ $ENG_V }}", "False", False),
        ("a = dict(b={{'$ENG_V'}}, c='{{ $ENG_V }}')", "1", dict(b=1, c="1")),
    ],
)
def test_a_literal_of_python(read, text, value, expected):
    assert read("c.py", text, value) == dict(a=expected)


@pytest.mark.parametrize(
    "value", ["__import__('os').system('touch ran')", "2 * 3", "name", "open('ran', 'w')", "[", ""]
)
def test_an_expression_is_no_literal(read, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"c\.py:2: the environment variable ENG_V .* literal"):
        read("c.py", "b = 1\na = {{'$ENG_V:80'}}", value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text",
    [
        "a_{{ fileBasenameNoExtension }} = 1",
        "import {{ fileBasenameNoExtension }}",
        "a = dict({{ $ENG_V:b }}=1)",
        "def {{ $ENG_V:b }}(): pass",
        "{{ $ENG_V:b }} = 1",
        "a = x.{{ $ENG_V:b }}",
    ],
)
def test_a_variable_is_no_name_of_python(read, text):
    with pytest.raises(ConfigError, match=r"c\.py:1: a variable must be a value"):
        read("c.py", text)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a: {{ $ENG_V }}", "80", 80),
        ("a: {{ $ENG_V }}", "1e-3", 1e-3),
        ("a: {{ $ENG_V }}", "yes", True),
        ("a: {{ $ENG_V }}", "null", None),
        ("a: {{'$ENG_V'}}", "[1, 'b']", [1, "b"]),
        ("a: {{'$ENG_V'}}", "word", "word"),
        ("a: '{{ $ENG_V }}'", "80", "80"),
        ("a: !!str {{ $ENG_V }}", "80", "80"),
        ("a: !!int {{ $ENG_V }}", "80", 80),
        ("a: x/{{ $ENG_V }}/y", "80", "x/80/y"),
        ("a: [{{ $ENG_V }}, '{{ $ENG_V }}']", "80", [80, "80"]),
        ("a: {{ $ENG_V }}", "<<", "<<"),
    ],
)
def test_types_in_yaml(read, text, value, expected):
    assert read("c.yaml", text, value) == dict(a=expected)


def test_types_in_json(read):
    assert read("c.json", '{"a": {{ $ENG_V }}}', "[1, true]") == dict(a=[1, True])
    assert read("c.json", '{"a": "{{ $ENG_V }}", "{{ $ENG_V }}": 1}', "80") == {"a": "80", "80": 1}


@pytest.mark.skipif(os.sep != "/", reason="such folders are of POSIX")
@pytest.mark.parametrize("name", ["it's", 'a"b', "a\\nb", "{{ $HOME }}", "x #y", "a\nb"])
def test_a_folder_of_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    texts = {
        "py": "a = '{{ fileDirname }}'",
        "yaml": 'a: "{{ fileDirname }}"',
        "json": '{"a": "{{ fileDirname }}"}',
    }
    for ending, text in texts.items():
        (folder / f"c.{ending}").write_text(text)
        assert Config.fromfile(folder / f"c.{ending}") == dict(a=str(folder))


def test_a_variable_may_name_a_base_and_its_keys(read, tmp_path):
    (tmp_path / "base.py").write_text("lr = 1\n")
    text = "_base_: '{{ $ENG_V }}.py'\nx: {{ _base_.{{ $ENG_KEY:lr }} }}"
    assert read("c.yaml", text, "base") == dict(lr=1, x=1)
    text = "_base_ = '{{ $ENG_V }}.py'\nx = {{ _base_.{{ $ENG_KEY:lr }} }}"
    assert read("c.py", text) == dict(lr=1, x=1)


def test_a_variable_that_nothing_uses_need_not_be_set(read):
    assert read("c.py", "# {{ $ENG_NOT_SET }}\na = 1") == dict(a=1)
    with pytest.raises(ConfigError, match=r"c\.yaml:3: .*ENG_NOT_SET is not set"):
        read("c.yaml", "a: 1\n\nb: '{{ $ENG_NOT_SET }}'")


def test_keys_that_a_variable_makes_equal(read):
    with pytest.raises(ConfigError, match="duplicate key 'a'"):
        read("c.yaml", "{{ $ENG_V }}: 1\na: 2", "a")


SECRET = "s3cr3t-'\"\\-value"


@pytest.mark.parametrize("ending", ["py", "yaml", "json"])
def test_secrets_are_in_no_dump(read, tmp_path, ending):
    texts = {
        "py": "a = dict(b='{{ secret $ENG_V }}')\nc = ['Bearer ' + a['b'], a['b'].encode()]\n",
        "yaml": "a: {b: '{{ secret $ENG_V }}'}\nc: 'Bearer {{ secret $ENG_V }}'\n",
        "json": '{"a": {"b": "{{ secret $ENG_V }}"}, "c": {{ secret $ENG_V }}}',
    }
    cfg = read(f"c.{ending}", texts[ending], SECRET)
    assert cfg.a.b == SECRET
    cfg.d = {SECRET: (SECRET,)}
    kinds = ["py"] if ending == "py" else ["py", "yaml", "json"]
    for kind in kinds:
        cfg.dump(tmp_path / f"dump.{kind}")
        text = (tmp_path / f"dump.{kind}").read_text()
        assert "s3cr3t" not in text
        assert text.count("secret $ENG_V") >= 4
        read_again = Config.fromfile(tmp_path / f"dump.{kind}")
        assert (read_again.a, read_again.c) == (cfg.a, cfg.c)
    assert "s3cr3t" not in cfg.pretty_text
    assert "s3cr3t" not in json.dumps(cfg.without_secrets(), default=str)


def test_a_secret_is_text_and_its_default_no_secret(read, monkeypatch):
    assert read("c.py", "a = {{'secret $ENG_V'}}", "123456").a == "123456"
    assert "123456" not in Config(dict(a=["123456"])).pretty_text
    monkeypatch.delenv("ENG_V")
    cfg = read("c.yaml", "a: '{{ secret $ENG_V:nothing }}'")
    assert cfg.pretty_text == "a = 'nothing'\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "c.yaml",
            "a: 1\nb: {c: 'x/${ENG_ROOT}'}\n",
            r"b\.c: \$\{ENG_ROOT\} .*\{\{ \$ENG_ROOT \}\}",
        ),
        ("c.py", "a = 1\nb = ['${eng_set}/x']", r"b\.0: \$\{eng_set\} .*\{\{ \$eng_set \}\}"),
        (
            "c.toml",
            "\nb = '${ENG_ROOT:-/data}'\nc = '${ENG_ROOT}'",
            r"b: .*\{\{ \$ENG_ROOT:/data \}\}",
        ),
    ],
)
def test_variables_of_a_shell_get_a_hint(tmp_path, monkeypatch, name, text, message):
    monkeypatch.setenv("eng_set", "x")
    (tmp_path / name).write_text(text)
    with pytest.warns(UserWarning, match=message) as caught:
        cfg = Config.fromfile(tmp_path / name)
    assert [(each.filename, each.lineno) for each in caught] == [(str(tmp_path / name), 2)]
    assert "${" in str(cfg.b)


@pytest.mark.parametrize(
    "text", ["${db.host}", "${oc.env:X}", "$HOME", "${eng_unset}", "{HOME}", "$$"]
)
def test_other_text_gets_no_hint(tmp_path, text):
    (tmp_path / "c.yaml").write_text(f"a: '{text}'\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Config.fromfile(tmp_path / "c.yaml").a == text

import pytest

from eng.config import Config, ConfigError, value_at

VALUES = {"hooks": [{"type": "EMAHook"}, ("a", {"b": 3})], "lr": 0.1, "1": "digit"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", 0.1),
        ("1", "digit"),
        ("hooks.0.type", "EMAHook"),
        ("hooks.1.0", "a"),
        ("hooks.1.1.b", 3),
        ("hooks.-1.0", "a"),
    ],
)
def test_a_dotted_key_leads_through_dictionaries_and_lists(key, value):
    assert value_at(VALUES, key) == value
    assert value_at(Config(VALUES), key) == value


@pytest.mark.parametrize(
    ("key", "missing"),
    [("lt", "lt"), ("hooks.2", "2"), ("hooks.x", "x"), ("lr.a", "a"), ("hooks.0.tipe", "tipe")],
)
def test_a_missing_key_names_the_part_that_is_missing(key, missing):
    with pytest.raises(KeyError, match=f"'{key}': '{missing}' is missing"):
        value_at(VALUES, key)


@pytest.mark.parametrize("key", ["filename", "text", "pretty_text", "env_variables"])
def test_attributes_of_a_config_are_no_keys(tmp_path, key):
    with pytest.raises(ConfigError, match=f"the key '{key}' is reserved"):
        Config({key: 1})
    (tmp_path / "c.py").write_text(f"a = 1\n{key} = 1\n")
    with pytest.raises(ConfigError, match=rf"c\.py:2: the key '{key}' is reserved"):
        Config.fromfile(tmp_path / "c.py")

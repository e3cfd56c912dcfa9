import pytest

from eng.config import Config, ConfigError, resolve_package_path


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "eng_zoo_for_test"
    (root / ".mim" / "configs").mkdir(parents=True)
    (root / "configs").mkdir()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return root


def test_folders_are_searched_in_order(package):
    for place in (package / "a.py", package / "configs/a.py", package / ".mim/configs/a.py"):
        place.touch()
        assert resolve_package_path("eng_zoo_for_test::a.py") == place


@pytest.mark.parametrize("name", ["a_1.5x.py", "b.yaml", "c.yml", "d.json"])
def test_the_ending_of_python_may_be_left_out(package, name):
    (package / "configs" / name).touch()
    found = resolve_package_path(f"eng_zoo_for_test::{name.removesuffix('.py')}")
    assert found == package / "configs" / name


@pytest.mark.parametrize("reference", ["a.py", "::a.py", "eng_zoo_for_test::", ""])
def test_what_names_no_package(package, reference):
    with pytest.raises(ValueError, match="as 'package::path', but got"):
        resolve_package_path(reference)


def test_a_package_that_is_not_installed():
    with pytest.raises(ModuleNotFoundError, match="eng_absent_zoo, which is not installed"):
        resolve_package_path("eng_absent_zoo::a.py")


def test_a_missing_file_names_every_place(package):
    with pytest.raises(FileNotFoundError, match=r"no config 'x\.py'") as caught:
        resolve_package_path("eng_zoo_for_test::x")
    for place in (package / ".mim/configs/x.py", package / "configs/x.py", package / "x.py"):
        assert str(place) in str(caught.value)


def test_a_base_is_found_the_same_way_or_the_error_has_its_line(package, tmp_path):
    (package / "configs" / "a.py").write_text("x = 1\n")
    config = tmp_path / "c.py"
    config.write_text("_base_ = 'eng_zoo_for_test::a'\n")
    assert Config.fromfile(config).x == 1
    for base, match in (
        ("eng_zoo_for_test::b", r"c\.py:1: the base 'eng_zoo_for_test::b' .*configs/b\.py"),
        ("::b", r"c\.py:1: the base '::b' .*package::path"),
    ):
        config.write_text(f"_base_ = '{base}'\n")
        with pytest.raises(ConfigError, match=match):
            Config.fromfile(config)


PACKAGE_CONFIG = """\
model = dict(type='R', neck=dict(type='N', norm=dict(type='BN')), init=[dict(type='I')])
loader = dict(batch=2, dataset=dict(type='D', pipeline=[dict(type='P')]), sampler=dict(type='S'))
schedulers = [dict(type='A', inner=dict(type='B')), dict(type='C')]
optim = dict(optimizer=dict(type='SGD'))
steps = (dict(keep=dict(type='T')),)
kept = dict(type='K', _scope_='other', inner=dict(type='L'))
empty = dict(type='E', _scope_=None)
known = dict(type=list, inner=dict(type='M'))
plain = [dict(a=1), 2]
"""


def test_a_base_out_of_a_package_brings_its_scope_to_the_outermost_types(package, tmp_path):
    (package / "configs" / "b.py").write_text(PACKAGE_CONFIG)
    (tmp_path / "c.py").write_text("_base_ = 'eng_zoo_for_test::b.py'\nown = dict(type='O')\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    scope = dict(_scope_="eng_zoo_for_test")
    assert cfg == dict(
        model=dict(
            type="R", neck=dict(type="N", norm=dict(type="BN")), init=[dict(type="I")], **scope
        ),
        loader=dict(
            batch=2,
            dataset=dict(type="D", pipeline=[dict(type="P")], **scope),
            sampler=dict(type="S", **scope),
        ),
        schedulers=[dict(type="A", inner=dict(type="B"), **scope), dict(type="C", **scope)],
        optim=dict(optimizer=dict(type="SGD", **scope)),
        steps=(dict(keep=dict(type="T", **scope)),),
        kept=dict(type="K", _scope_="other", inner=dict(type="L")),
        empty=dict(type="E", **scope),
        known=dict(type=list, inner=dict(type="M"), **scope),
        plain=[dict(a=1), 2],
        own=dict(type="O"),
    )


def test_a_package_that_builds_on_another_keeps_both_scopes(package, tmp_path):
    other = tmp_path / "eng_zoo_two_for_test"
    (other / "configs").mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "configs" / "deep.py").write_text("a = dict(type='A')\n")
    (other / "configs" / "x.py").write_text("_base_ = 'deep.py'\nb = dict(c=dict(type='C'))\n")
    (package / "configs" / "y.py").write_text(
        "_base_ = 'eng_zoo_two_for_test::x'\nb = dict(d=dict(type='D'), c=dict(e=dict(type='E')))\n"
    )
    (tmp_path / "c.py").write_text("_base_ = 'eng_zoo_for_test::y'\n")
    assert Config.fromfile(tmp_path / "c.py") == dict(
        a=dict(type="A", _scope_="eng_zoo_two_for_test"),
        b=dict(
            c=dict(type="C", _scope_="eng_zoo_two_for_test", e=dict(type="E")),
            d=dict(type="D", _scope_="eng_zoo_for_test"),
        ),
    )


def test_what_a_missing_package_or_file_raises_is_the_common_class_too(package, tmp_path):
    config = tmp_path / "c.py"
    for base, kind in (
        ("eng_absent_zoo::b.py", ModuleNotFoundError),
        ("eng_zoo_for_test::absent.py", FileNotFoundError),
        ("::x.py", ValueError),
    ):
        config.write_text(f"a = 1\n_base_ = {base!r}\n")
        with pytest.raises(kind, match=r"c\.py:2: the base .* cannot be read") as caught:
            Config.fromfile(config)
        assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("inner", ["../secret.py", "/etc/x.py", "a/../../x.yaml"])
def test_a_path_stays_in_its_package(inner):
    with pytest.raises(ValueError, match="is outside its directory"):
        resolve_package_path(f"eng.config::{inner}")

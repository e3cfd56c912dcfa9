import warnings

import pytest

from eng.registry import DefaultScope, init_default_scope
from eng.utils import ManagerMixin


def test_a_default_scope_is_of_the_process_and_a_change_warns():
    init_default_scope("a")
    init_default_scope("b")
    with pytest.warns(UserWarning, match='is not "a"'):
        init_default_scope("a")
    assert DefaultScope.get_current_instance().scope_name == "a"


def test_an_alias_and_its_scope_are_one() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scope in ("eng", "mmengine", "eng", "mmengine"):
            init_default_scope(scope)
    assert DefaultScope.get_current_instance().scope_name == "mmengine"


@pytest.mark.parametrize("manager", [DefaultScope, ManagerMixin])
def test_isolation_hides_created_and_overwritten_scopes(manager) -> None:
    init_default_scope("created")
    with DefaultScope.overwrite_default_scope("outer"):
        with manager.isolated():
            assert DefaultScope.get_current_instance() is None
            with DefaultScope.overwrite_default_scope("inner"):
                assert DefaultScope.get_current_instance().scope_name == "inner"
            assert DefaultScope.get_current_instance() is None
            init_default_scope("task")
            assert DefaultScope.get_current_instance().scope_name == "task"
        assert DefaultScope.get_current_instance().scope_name == "outer"
    assert DefaultScope.get_current_instance().scope_name == "created"

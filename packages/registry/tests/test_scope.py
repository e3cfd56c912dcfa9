import warnings

import pytest

from eng.registry import DefaultScope, init_default_scope


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

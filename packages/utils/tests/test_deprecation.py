"""Deprecated arguments and functions."""

import pytest

import eng.utils as u


def test_a_deprecated_argument_by_position():
    @u.deprecated_api_warning({"old": "new"}, cls_name="Box")
    def function(old=None, new=1):
        return old, new

    with pytest.warns(DeprecationWarning, match=r"`Box\.function`"):
        assert function(3) == (None, 3)
    assert function(new=2) == (None, 2)


def test_a_deprecated_function_says_what_to_use():
    @u.deprecated_function("1.0", "2.0", "use train")
    def fit(a, b=2):
        """Fit."""
        return a + b

    for _ in range(2):
        with pytest.warns(
            DeprecationWarning, match=r"fit is deprecated in version 1\.0.*2\.0: use"
        ):
            assert fit(1) == 3
    assert fit.__name__ == "fit"
    assert fit.__doc__.startswith(".. deprecated:: 1.0")
    assert fit.__doc__.endswith("use train.\n\nFit.")

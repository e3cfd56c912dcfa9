"""Errors of arguments, which are assertion errors too."""

import pytest

import eng.utils as u


def test_arguments_and_types():
    @u.deprecated_api_warning({"old": "new"})
    def function(new=1):
        return new

    with pytest.warns(DeprecationWarning, match='"old" is deprecated'):
        assert function(old=3) == 3
    with pytest.raises(TypeError), pytest.warns(DeprecationWarning, match="old"):
        function(old=3, new=4)
    assert u.is_seq_of(["a"], str)
    assert not u.is_list_of(("a",), str)
    assert u.to_2tuple(1) == (1, 1)
    assert u.is_method_overridden("f", type("A", (), {"f": 1}), type("B", (), {"f": 2}))
    timer = u.Timer(start=False)
    with pytest.raises(u.TimerError):
        timer.since_start()
    with pytest.raises(ImportError):
        u.import_modules_from_strings(["not_there_x"])
    with pytest.warns(UserWarning, match="not_there_x"):
        assert u.import_modules_from_strings("not_there_x", allow_failed_imports=True) is None


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (u.ArgumentTypeError, TypeError),
        (u.ArgumentValueError, ValueError),
        (u.ArgumentKeyError, KeyError),
        (u.ArgumentIndexError, IndexError),
    ],
)
def test_errors_of_arguments_have_two_parents(error, parent):
    for caught in (parent, AssertionError):
        with pytest.raises(caught) as info:
            raise error("'x' should be one of 'a', 'b'")
        assert str(info.value) == "'x' should be one of 'a', 'b'"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: u.digit_version("nothing"), ValueError),
        (lambda: u.is_seq_of([1], int, seq_type=3), TypeError),
        (lambda: u.is_method_overridden("keys", {}, {}), TypeError),
        (lambda: u.ManagerMixin.get_instance(3), TypeError),
        (lambda: u.ManagerMixin(""), ValueError),
        (
            lambda: u.deprecated_api_warning({"old": "new"})(lambda new=0: new)(new=1, old=2),
            TypeError,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_of_arguments_are_assertion_errors_too(call, error):
    for kind in (error, AssertionError):
        with pytest.raises(kind):
            call()

"""Instances that are found by name, and their isolation."""

import multiprocessing
import threading
import warnings

import pytest

import eng.utils as u
from eng.utils import ManagerMeta, ManagerMixin


class Named(ManagerMixin):
    def __init__(self, name=""):
        super().__init__(name)


class Special(Named):
    pass


def test_managers_under_threads():
    made = []

    class Managed(ManagerMixin):
        def __init__(self, name=""):
            super().__init__(name)
            made.append(self)

    with pytest.raises(AssertionError):
        Managed.get_current_instance()
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(Managed.get_instance("a"))) for _ in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(made) == 1
    assert got == made * 8
    assert Managed.get_current_instance().instance_name == "a"
    assert not Managed.check_instance_created("b")
    with pytest.raises(AssertionError, match="name argument"):
        type(ManagerMixin)("Bad", (), {"__init__": lambda self: None})


def test_managers_in_a_forked_process():
    class Forked(ManagerMixin):
        def __init__(self, name=""):
            super().__init__(name)

    Forked.get_instance("parent")
    holding, leave = threading.Event(), threading.Event()

    class Slow(ManagerMixin):
        def __init__(self, name=""):
            super().__init__(name)
            holding.set()
            leave.wait(30)

    thread = threading.Thread(target=Slow.get_instance, args=("slow",))
    thread.start()
    holding.wait(30)
    # The lock is held by a thread that the child does not have: the child must not wait for it.
    process = multiprocessing.get_context("fork").Process(target=Forked.get_instance, args=("c",))
    process.start()
    process.join(30)
    leave.set()
    thread.join()
    assert process.exitcode == 0
    assert not Forked.check_instance_created("c")


def test_managers_by_name():
    class Recorder(metaclass=ManagerMeta):
        def __init__(self, name):
            self.name = name

    class Other(ManagerMixin):
        def __init__(self, name="", fail=False):
            super().__init__(name)
            if fail:
                raise OSError("no")

    assert Recorder._instance_dict == {}
    with pytest.raises(OSError, match="no"):
        Other.get_instance("a", fail=True)
    assert not Other.check_instance_created("a")
    first = Other.get_instance("a")
    second = Other.get_instance("b")
    assert Other.get_instance("a") is first
    assert Other.get_current_instance() is second
    assert Other("a") is not first
    with pytest.raises(TypeError, match="name of a Other must be a string, but got int"):
        Other.get_instance(1)
    with pytest.raises(ValueError, match="must not be empty"):
        Other.get_instance("")


def test_isolation_starts_empty_and_restores_instances_in_their_order():
    with Named.isolated():
        first, second = Named.get_instance("a"), Named.get_instance("b")
        with Named.isolated() as instances:
            assert not Named.check_instance_created("a")
            with pytest.raises(RuntimeError, match="has no instance yet"):
                Named.get_current_instance()
            inner = Named.get_instance("a")
            assert inner is not first
            assert dict(instances) == {"a": inner}
            Named.drop_instance("b")
            with pytest.raises(TypeError):
                instances["b"] = second
        assert dict(instances) == {"a": inner}
        assert Named.get_instance("a") is first
        assert Named.get_current_instance() is second


def test_isolation_ends_after_an_error():
    with Named.isolated():
        outer = Named.get_instance("a")

        @Named.isolated()
        def fail():
            Named.get_instance("b")
            raise KeyError("b")

        with pytest.raises(KeyError):
            fail()
        assert Named.get_current_instance() is outer
        assert not Named.check_instance_created("b")


def test_isolation_includes_subclasses_but_not_bases():
    with ManagerMixin.isolated():
        base, child = Named.get_instance("base"), Special.get_instance("child")
        with Named.isolated() as instances:
            assert not Special.check_instance_created("child")
            Special.get_instance("inner")
            assert not instances  # only the instances of the class itself
        assert not Special.check_instance_created("inner")
        with Special.isolated():
            assert Named.get_instance("base") is base
            assert not Special.check_instance_created("child")
        assert Special.get_current_instance() is child
        with ManagerMixin.isolated():
            assert not Named.check_instance_created("base")
        assert Named.get_current_instance() is base


def test_a_class_defined_in_isolation_has_no_instances_after_it():
    with Named.isolated():

        class Late(Special):
            pass

        Late.get_instance("first")
        with ManagerMixin.isolated():
            assert not Late.check_instance_created("first")
        assert Late.check_instance_created("first")
    assert not Late.check_instance_created("first")
    Late.get_instance("second")
    assert Late.get_current_instance().instance_name == "second"


def test_isolation_holds_for_other_threads_and_may_end_in_any_order():
    with Named.isolated():
        outer = Named.get_instance("a")
        first, second = Named.isolated(), Named.isolated()
        first.__enter__()
        Named.get_instance("of first")
        seen = []
        thread = threading.Thread(
            target=lambda: (second.__enter__(), seen.append(Named.get_instance("of second")))
        )
        thread.start()
        thread.join()
        assert Named.get_current_instance() is seen[0]
        first.__exit__(None, None, None)
        assert Named.get_current_instance() is seen[0]
        assert not Named.check_instance_created("of first")
        second.__exit__(None, None, None)
        assert Named.get_current_instance() is outer
        assert not Named.check_instance_created("of second")


def test_isolation_as_a_decorator():
    @Named.isolated()
    def names():
        Named.get_instance("x")
        return Named.get_current_instance().instance_name

    assert names() == names() == "x"
    assert not Named.check_instance_created("x")


def test_arguments_for_an_instance_that_is_there_are_warned_of():
    class Lamp(u.ManagerMixin):
        def __init__(self, name="", watts=1):
            super().__init__(name)
            self.watts = watts

    first = Lamp.get_instance("desk", watts=40)
    with pytest.warns(UserWarning, match="Lamp already has .*'desk'.*watts ignored"):
        assert Lamp.get_instance("desk", watts=60) is first
    assert first.watts == 40
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Lamp.get_instance("desk") is first
        assert Lamp.get_instance("floor", watts=60).watts == 60


def test_an_instance_is_made_current():
    with Named.isolated():
        first, second = Named.get_instance("first"), Named.get_instance("second")
        assert Named.get_current_instance() is second
        Named.make_current("first")
        assert Named.get_current_instance() is first
        Named.make_current("absent")
        assert Named.get_current_instance() is first
        assert not Named.check_instance_created("absent")

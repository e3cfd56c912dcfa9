"""Close the files of a run at its end, and drop the instances of deleted runners."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from eng.dist import use_mesh
from eng.hooks import LoggerHook
from eng.logging import MessageHub, MMLogger
from eng.registry import DefaultScope
from eng.utils import ManagerMixin
from eng.vis import Visualizer

from .determinism import follow_determinism
from .protocol import LoopRunner

__all__ = ["closes_files", "forget_when_gone"]

RunnerT = TypeVar("RunnerT", bound=LoopRunner)
P = ParamSpec("P")
ResultT = TypeVar("ResultT")

#: Instances of deleted runners, each with the class that keeps it and its name there.
_gone: list[list[tuple[type[ManagerMixin], str, weakref.ref[ManagerMixin]]]] = []


def closes_files(
    run: Callable[Concatenate[RunnerT, P], ResultT],
) -> Callable[Concatenate[RunnerT, P], ResultT]:
    """Keep the log file open while a method of a runner runs, and close all files afterwards.

    Args:
        run: The method.

    Returns:
        The method, which may be called again.
    """

    def run_and_close(runner: RunnerT, /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        _take_turn(runner)
        with _open_files(runner):
            return run(runner, *args, **kwargs)

    functools.update_wrapper(run_and_close, run)
    return run_and_close


def forget_when_gone(runner: LoopRunner, instance_name: str) -> None:
    """Drop the instances of deleted runners, and record those of this one.

    Logger, message hub, visualizer and scope are kept by name, and so outlive their runner: those
    of the latest one are available until a new one is made.

    Args:
        runner: The runner.
        instance_name: The name under which it keeps them.
    """
    while _gone:
        for kind, name, instance in _gone.pop():
            # Another run may have the name by now, such as one that began in the same second.
            if kind.check_instance_created(name) and kind.get_instance(name) is instance():
                kind.drop_instance(name)
    kept = [
        (kind, name, weakref.ref(kind.get_instance(name)))
        for kind, name in _list_instances(runner, instance_name)
        if kind.check_instance_created(name)
    ]
    weakref.finalize(runner, _gone.append, kept).atexit = False


def _list_instances(runner: LoopRunner, instance_name: str) -> list[tuple[type[ManagerMixin], str]]:
    """List the instances of a runner that are kept by name, with the classes that keep them."""
    visualizer = runner.visualizer
    kinds: list[type[ManagerMixin]] = [MMLogger, MessageHub, DefaultScope]
    names = [(kind, instance_name) for kind in kinds]
    own = getattr(visualizer, "instance_name", "")
    if isinstance(visualizer, Visualizer) and own.startswith(instance_name):
        names += [(Visualizer, own), (type(visualizer), own)]
    return names


def _take_turn(runner: LoopRunner) -> None:
    """Let a runner continue after another one of the process.

    Code that asks for the current logger, message hub or visualizer gets those of this run, and
    the random draws, the algorithms and the ranks in the data are those that it would have without
    the other.
    """
    for kind, name in _list_instances(runner, getattr(runner.logger, "instance_name", "")):
        kind.make_current(name)
    runner.random_state.take_turn()
    follow_determinism(runner.environment.deterministic)
    use_mesh(runner.environment.mesh)


@contextmanager
def _open_files(runner: LoopRunner) -> Iterator[None]:
    logger, visualizer = runner.logger, runner.visualizer
    if isinstance(logger, MMLogger):
        logger.keep_files_open()
    is_done = False
    try:
        yield
        is_done = True
    finally:
        view = getattr(runner, "terminal_view", None)
        if view is not None:
            view.close()
        # LoggerHook closes it at the end of a complete run.
        is_closed = is_done and any(isinstance(hook, LoggerHook) for hook in runner.hooks)
        if not is_closed and hasattr(visualizer, "close"):
            visualizer.close()
        if isinstance(logger, MMLogger):
            logger.close_files()

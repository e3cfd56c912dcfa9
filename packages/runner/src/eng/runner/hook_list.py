"""Hooks in the order in which they run, resolved to the stages at which they do something."""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from eng.hooks import Hook, Priority, get_priority
from eng.logging import print_log
from eng.registry import HOOKS, PartOrConfig

from .arguments import warn_of_close_names
from .errors import RunnerConfigError, RunnerTypeError
from .hook_arguments import check_hook_config, check_passed_on
from .types import Hooks, HooksByName

__all__ = ["DEFAULT_HOOKS", "HookList", "list_hooks", "with_default_hooks"]

#: The hooks that every run has, by the name under which a config changes or drops them.
DEFAULT_HOOKS: dict[str, dict[str, object]] = {
    "runtime_info": {"type": "RuntimeInfoHook"},
    "timer": {"type": "IterTimerHook"},
    "sampler_seed": {"type": "DistSamplerSeedHook"},
    "logger": {"type": "LoggerHook"},
    "param_scheduler": {"type": "ParamSchedulerHook"},
    "checkpoint": {"type": "CheckpointHook", "interval": 1},
}


def with_default_hooks(
    hooks: HooksByName, iterations: int | None = None
) -> list[PartOrConfig[Hook]]:
    """The default hooks, changed and completed by others.

    Args:
        hooks: Hooks or configs by name, None to drop one.
        iterations: Length of a training by iterations, which is saved ten times, and at least
            every 1000 iterations. Defaults to None: it is by epochs, and every one is saved.

    Returns:
        Hooks or configs, the default ones first.
    """
    if not isinstance(hooks, Mapping):
        raise RunnerTypeError(
            "default_hooks must be a dict of hooks by name, such as dict(logger=dict(interval=10, "
            f"type='LoggerHook')), not {type(hooks).__name__}; further hooks go into custom_hooks"
        )
    warn_of_close_names("default_hooks", hooks, list(DEFAULT_HOOKS), "a default hook")
    for name, hook in hooks.items():
        if isinstance(hook, Mapping) and "type" not in hook:
            usual = DEFAULT_HOOKS.get(name, {"type": "..."})["type"]
            raise RunnerConfigError(
                f"default_hooks.{name}: a 'type' is missing, such as type={usual!r}; the keys are "
                f"{', '.join(map(str, hook)) or 'none'}"
            )
    default = copy.deepcopy(DEFAULT_HOOKS)
    if iterations is not None:
        interval = min(1000, max(1, iterations // 10))
        default["checkpoint"].update(interval=interval, by_epoch=False)
    return [hook for hook in {**default, **hooks}.values() if hook is not None]


def list_hooks(hooks: Hooks) -> list[PartOrConfig[Hook]]:
    """List hooks.

    Args:
        hooks: Hooks or configs.

    Returns:
        The same as a list.

    Raises:
        RunnerTypeError: If it is a single hook or config.
    """
    if isinstance(hooks, (Mapping, Hook)) and hooks:
        raise RunnerTypeError(
            "custom_hooks must be a list of hooks, such as [dict(type='EMAHook')], not "
            f"{type(hooks).__name__}"
        )
    return list(hooks)


class HookList(list[Hook]):
    """Hooks by priority. Those of equal priority run in the order in which they were added.

    It is a list, from which code of others removes hooks, or inserts some at a place.

    Args:
        save_checkpoint: Method that hooks pass their further arguments to. Defaults to None: these
            arguments are not checked.
    """

    def __init__(self, save_checkpoint: Callable[..., object] | None = None) -> None:
        super().__init__()
        self._save_checkpoint = save_checkpoint
        #: By stage, the methods of hooks that do something there, in the order in which they run.
        self.at: Mapping[str, list[Callable[..., None]]] = _Stages(self)

    def register(
        self, hook: PartOrConfig[Hook], priority: int | str | Priority | None = None
    ) -> None:
        """Add a hook, built first where it is a config.

        Args:
            hook: The hook, or its config, which may have a ``priority`` as well.
            priority: Its priority. Defaults to None, that of the config or the hook.

        Raises:
            RunnerConfigError: If it is neither, or an argument is not one of the hook's.
        """
        if isinstance(hook, Mapping):
            cfg = dict(hook)
            given = cfg.pop("priority", None)
            priority = given if priority is None else priority
            check_hook_config(cfg)
            hook = HOOKS.build(cfg)
        if isinstance(hook, type):
            name = hook.__name__
            raise RunnerTypeError(
                f"a hook must be a Hook or a config, not a class: write {name}() or "
                f"dict(type={name!r})"
            )
        if not hasattr(hook, "priority"):
            raise RunnerTypeError(f"a hook must be a Hook or a config, not {type(hook).__name__}")
        check_passed_on(hook, self._save_checkpoint)
        _warn_of_older_stages(hook)
        self.add(hook, priority)  # type: ignore[arg-type]

    def add(self, hook: Hook, priority: int | str | Priority | None = None) -> None:
        """Add a hook.

        Args:
            hook: The hook.
            priority: Its priority. Defaults to None, that of the hook itself.
        """
        if priority is not None:
            hook.priority = priority
        try:
            value = get_priority(hook.priority)
        except ValueError as error:
            raise RunnerConfigError(f"{type(hook).__name__}: {error}") from error
        place = len(self)
        while place and get_priority(self[place - 1].priority) > value:
            place -= 1
        self.insert(place, hook)

    def describe(self) -> str:
        """All stages with their hooks, for the log."""
        blocks = []
        for stage in Hook.stages:
            lines = [
                f"({_name_priority(hook):<12}) {type(hook).__name__:<35}"
                for hook in self
                if _acts_at(hook, stage)
            ]
            if lines:
                blocks.append("\n".join([f"{stage}:", *lines]))
        return "\n -------------------- \n".join(blocks)


def _resolve_after(name: str) -> Callable[..., Any]:
    """Make a method that changes the list, after which the stages are resolved again."""
    change = getattr(list, name)

    @functools.wraps(change)
    def method(self: HookList, *args: Any, **kwargs: Any) -> Any:
        result = change(self, *args, **kwargs)
        self.at = _Stages(self)
        return result

    return method


_CHANGING = "insert append extend remove pop clear sort reverse __setitem__ __delitem__ __iadd__"
for _name in _CHANGING.split():
    setattr(HookList, _name, _resolve_after(_name))


class _Stages(dict[str, list[Callable[..., None]]]):
    """Methods by stage, also by one of the user's own, found when they are first asked for."""

    def __init__(self, hooks: list[Hook]) -> None:
        super().__init__()
        self._hooks = hooks

    def __missing__(self, stage: str) -> list[Callable[..., None]]:
        methods = [_find_method(hook, stage) for hook in self._hooks if _acts_at(hook, stage)]
        self[stage] = methods
        return methods


def _warn_of_older_stages(hook: object) -> None:
    """Warn of methods that MMCV 1.x called in training and validation, and that nothing calls."""
    for name in ("before_epoch", "after_epoch", "before_iter", "after_iter"):
        when, _, what = name.partition("_")
        present = [f"{when}_{mode}_{what}" for mode in ("train", "val", "test")]
        if hasattr(hook, name) and not any(_acts_at(hook, stage) for stage in present):
            print_log(
                f"{type(hook).__name__}.{name} is a stage of MMCV 1.x, which nothing calls: name "
                f"it {', '.join(present)}, or _{name}, which all three call.",
                logger="current",
                level=logging.WARNING,
            )


def _acts_at(hook: object, stage: str) -> bool:
    if stage in vars(hook):
        return True
    if isinstance(hook, Hook) and stage in Hook.stages:
        return stage in hook.get_triggered_stages()
    return hasattr(hook, stage)


def _find_method(hook: object, stage: str) -> Callable[..., None]:
    """Find the method of a stage, or where it only passes an iteration on, the one that acts."""
    method: Callable[..., None] = getattr(hook, stage)
    when, _, mode = stage.removesuffix("_iter").partition("_")
    if not stage.endswith("_iter") or getattr(method, "__func__", None) is not vars(Hook).get(
        stage
    ):
        return method
    return functools.partial(getattr(hook, f"_{when}_iter"), mode=mode)


def _name_priority(hook: Hook) -> str:
    value = get_priority(hook.priority)
    names = {level.value: level.name for level in Priority}
    return names.get(value, str(value))

"""Count what a model computes, by module and by operator."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from copy import copy as shallow_copy
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, get_args

from torch import Tensor, nn

from eng.logging import print_log

from .ignored_ops import is_ignored
from .jit_handles import Handle
from .module_names import (
    ancestors,
    canonical_names,
    has_forward,
    module_aliases,
    unwrap,
)
from .tracing import Operator, TracerWarnings, trace

__all__ = ["JitModelAnalysis", "Statistics"]

Self = TypeVar("Self", bound="JitModelAnalysis")
AncestorMode = Literal["owner", "caller"]


@dataclass
class Statistics:
    """Counts of one run of a model.

    Attributes:
        counts: For each module, counts by operator.
        unsupported_ops: For each module, how often operators ran that have no handle.
        uncalled_mods: Names of the modules that did not run.
    """

    counts: dict[str, Counter[str]]
    unsupported_ops: dict[str, Counter[str]]
    uncalled_mods: set[str]


class JitModelAnalysis:
    """Runs a model and counts its operators by handles, one for each kind of operator.

    The model runs when a result is first asked for, and again after a handle or mode has changed.
    A run changes neither the buffers of the model nor the random generators. A module that stands
    in several places of the model is counted under its first name.

    Args:
        model: The model, in the mode to count it in. Wrappers of torch for several devices are
            looked through.
        inputs: Argument of its forward, or a tuple of arguments. They are tensors, or hold some.
    """

    def __init__(self, model: nn.Module, inputs: Tensor | tuple[Any, ...]) -> None:
        self._model = unwrap(model)
        self._inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        self._op_handles: dict[str, Handle | None] = {}
        self._aliases = module_aliases(self._model)
        self._tracer_warnings: TracerWarnings = "no_tracer_warning"
        self._ancestor_mode: AncestorMode = "owner"
        self._warns_of_unsupported = True
        self._warns_of_uncalled = True
        self._stats: Statistics | None = None

    def total(self, module_name: str = "") -> int:
        """Count everything within a module.

        Args:
            module_name: Any name of the module. Defaults to ``''``, the model.

        Returns:
            The count.

        Raises:
            KeyError: If there is no such module.
        """
        return cast("int", sum(self.by_operator(module_name).values()))

    def by_operator(self, module_name: str = "") -> Counter[str]:
        """Count within a module by operator.

        Args:
            module_name: Any name of the module. Defaults to ``''``, the model.

        Returns:
            Counts by name of the operator, such as ``'conv'`` or ``'linear'``.

        Raises:
            KeyError: If there is no such module.
        """
        name = self.canonical_module_name(module_name)
        return Counter(self._analyze().counts[name])

    def by_module(self) -> Counter[str]:
        """Count by module.

        Returns:
            The count of each module with what it holds, zeros too; that of the model is ``''``.
        """
        counts = self._analyze().counts
        return Counter({name: cast("int", sum(ops.values())) for name, ops in counts.items()})

    def by_module_and_operator(self) -> dict[str, Counter[str]]:
        """Count by module and operator.

        Returns:
            For each module, counts by operator.
        """
        return {name: Counter(ops) for name, ops in self._analyze().counts.items()}

    def unsupported_ops(self, module_name: str = "") -> Counter[str]:
        """Look up the operators that ran in a module without being counted or ignored.

        Args:
            module_name: Any name of the module. Defaults to ``''``, the model.

        Returns:
            How often each ran, by its full name, such as ``'aten::softmax'``.

        Raises:
            RuntimeError: If nothing has been counted since the last change of handles or modes.
            KeyError: If there is no such module.
        """
        if self._stats is None:
            raise RuntimeError("nothing is counted yet: call total() or by_module() first")
        return Counter(self._stats.unsupported_ops[self.canonical_module_name(module_name)])

    def uncalled_modules(self) -> set[str]:
        """Find the modules that did not run, so that nothing is counted for them.

        Returns:
            Their names.
        """
        return set(self._analyze().uncalled_mods)

    def canonical_module_name(self, name: str) -> str:
        """Look up the name that a module is counted under.

        Args:
            name: Any name of the module.

        Returns:
            Its first name in the model.

        Raises:
            AssertionError: If the name is not a string.
            KeyError: If there is no such module.
        """
        if not isinstance(name, str):
            raise AssertionError(f"the name of a module must be a string, not {name!r}")
        if name not in self._aliases:
            known = ", ".join(map(repr, list(self._aliases)[:10]))
            raise KeyError(f"{name!r} is not a module of the model; the first ones are {known}")
        return self._aliases[name]

    def set_op_handle(self: Self, *args: str | Handle | None, **kwargs: Handle | None) -> Self:
        """Set how operators are counted.

        Args:
            *args: Names of operators, such as ``'aten::add'``, each followed by its handle, see
                :mod:`eng.analysis.jit_handles`. None ignores the operator.
            **kwargs: Handles by name.

        Returns:
            The analyzer.

        Raises:
            TypeError: If a name has no handle, is not a string, or a handle cannot be called.
        """
        if len(args) % 2:
            raise TypeError("every name of an operator needs a handle after it; the last has none")
        for name, handle in [*zip(args[::2], args[1::2], strict=True), *kwargs.items()]:
            if not isinstance(name, str):
                raise TypeError(f"the name of an operator must be a string, not {name!r}")
            if handle is not None and not callable(handle):
                raise TypeError(f"the handle of {name!r} must be callable or None, not {handle!r}")
            self._op_handles[name] = handle
        self._stats = None
        return self

    def clear_op_handles(self: Self) -> Self:
        """Drop all handles, those that ignore an operator too.

        Returns:
            The analyzer.
        """
        self._op_handles = {}
        self._stats = None
        return self

    def copy(
        self: Self,
        new_model: nn.Module | None = None,
        new_inputs: Tensor | tuple[Any, ...] | None = None,
    ) -> Self:
        """Make an analyzer of the same class with the same handles and modes.

        Args:
            new_model: Its model. Defaults to None: the same.
            new_inputs: Its inputs. Defaults to None: the same.

        Returns:
            The analyzer, which has counted nothing yet.
        """
        other = shallow_copy(self)
        model = self._model if new_model is None else new_model
        JitModelAnalysis.__init__(other, model, self._inputs if new_inputs is None else new_inputs)
        other._op_handles = dict(self._op_handles)
        other._tracer_warnings, other._ancestor_mode = self._tracer_warnings, self._ancestor_mode
        other._warns_of_unsupported = self._warns_of_unsupported
        other._warns_of_uncalled = self._warns_of_uncalled
        return other

    def tracer_warnings(self: Self, mode: TracerWarnings) -> Self:
        """Set which warnings of a run are shown.

        Args:
            mode: ``'all'``; ``'no_tracer_warning'``, the default, for all but those of the tracer
                of torch; ``'none'``.

        Returns:
            The analyzer.

        Raises:
            ValueError: If the mode is another.
        """
        self._tracer_warnings = _one_of(mode, get_args(TracerWarnings))
        return self

    def ancestor_mode(self: Self, mode: AncestorMode) -> Self:
        """Set which modules an operator counts for.

        They differ for a module that calls another which is stored elsewhere in the model.

        Args:
            mode: ``'owner'``, the default: the module that runs it and those that hold this one;
                ``'caller'``: all modules whose forward runs at that time.

        Returns:
            The analyzer.

        Raises:
            ValueError: If the mode is another.
        """
        self._ancestor_mode = _one_of(mode, get_args(AncestorMode))
        self._stats = None
        return self

    def unsupported_ops_warnings(self: Self, enabled: bool) -> Self:
        """Set whether a run warns of operators that are neither counted nor ignored.

        Args:
            enabled: Whether it does. The default is True.

        Returns:
            The analyzer.
        """
        self._warns_of_unsupported = enabled
        return self

    def uncalled_modules_warnings(self: Self, enabled: bool) -> Self:
        """Set whether a run warns of modules that were not called.

        Args:
            enabled: Whether it does. The default is True.

        Returns:
            The analyzer.
        """
        self._warns_of_uncalled = enabled
        return self

    def _analyze(self) -> Statistics:
        if self._stats is None:
            self._stats = self._count()
            self._warn(self._stats)
        return self._stats

    def _count(self) -> Statistics:
        names = canonical_names(self._model)
        counts: dict[str, Counter[str]] = {name: Counter() for name in names.values()}
        unsupported: dict[str, Counter[str]] = defaultdict(Counter)
        seen = set()

        def visit(operator: Operator) -> None:
            modules = list(self._modules_of(operator))
            seen.update(modules)
            found = self._count_operator(operator)
            for name in modules:
                if found is None:
                    unsupported[name][operator.kind] += 1
                else:
                    counts[name].update(found)

        called = trace(self._model, self._inputs, names, self._tracer_warnings, visit)
        return Statistics(counts, unsupported, set(names.values()) - seen - called)

    def _modules_of(self, operator: Operator) -> Iterable[str]:
        """Names of the modules that an operator counts for, each once."""
        if self._ancestor_mode == "caller":
            return dict.fromkeys(("", *operator.modules))
        # All are names of modules: a name without its last part is that of the module above.
        return ancestors(operator.modules[-1] if operator.modules else "")

    def _count_operator(self, operator: Operator) -> Counter[str] | None:
        """Counts by name; empty for an ignored operator, None for one that has no handle."""
        if operator.kind not in self._op_handles:
            return Counter() if is_ignored(operator) else None
        handle = self._op_handles[operator.kind]
        if handle is None:
            return Counter()
        found = handle(operator.inputs, operator.outputs)
        if isinstance(found, Mapping):
            return Counter(found)
        return Counter({operator.kind.partition("::")[2]: cast("int", found)})

    def _warn(self, stats: Statistics) -> None:
        unsupported = stats.unsupported_ops.get("", Counter())
        if self._warns_of_unsupported and unsupported:
            listed = ", ".join(f"{kind} ({times}x)" for kind, times in unsupported.items())
            print_log(f"Operators that are not counted: {listed}", "current", logging.WARNING)
        modules = {name: module for module, name in canonical_names(self._model).items()}
        left = [n for n in sorted(stats.uncalled_mods) if _should_run(modules[n])]
        if self._warns_of_uncalled and left:
            print_log(
                f"Modules that were not called, so nothing is counted for them: {', '.join(left)}",
                "current",
                logging.WARNING,
            )


def _should_run(module: nn.Module) -> bool:
    is_container = isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
    return has_forward(module) and not is_container and not isinstance(module, nn.Identity)


def _one_of(value: Any, accepted: tuple[Any, ...]) -> Any:
    if value not in accepted:
        raise ValueError(f"the mode must be one of {accepted}, not {value!r}")
    return value

"""Count the operators of a model by module and by operator."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from copy import copy as shallow_copy
from dataclasses import dataclass
from typing import Literal, TypeVar, cast, get_args

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
ModeT = TypeVar("ModeT", bound=str)
AncestorMode = Literal["owner", "caller"]


@dataclass
class Statistics:
    """Counts of one run of a model.

    Attributes:
        counts: For each module, counts by operator.
        unsupported_ops: For each module, the number of calls of operators without a handle.
        uncalled_mods: Names of the modules that did not run.
    """

    counts: dict[str, Counter[str]]
    unsupported_ops: dict[str, Counter[str]]
    uncalled_mods: set[str]


class JitModelAnalysis:
    """Runs a model and counts its operators by handles, one for each kind of operator.

    The model runs for the first result, and again after a handle or mode has changed. A run changes
    neither the buffers of the model nor the random number generators. A module that is used under
    several names is counted under the first one.

    Args:
        model: The model, in the mode to count it in. Data parallel wrappers are removed.
        inputs: Argument of its forward, or a tuple of arguments: tensors or containers of tensors.
    """

    def __init__(self, model: nn.Module, inputs: Tensor | tuple[object, ...]) -> None:
        self._model = unwrap(model)
        self._inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        self._op_handles: dict[str, Handle | None] = {}
        self._aliases = module_aliases(self._model)
        self._tracer_warnings: TracerWarnings = "no_tracer_warning"
        self._ancestor_mode: AncestorMode = "owner"
        self._warn_unsupported = True
        self._warn_uncalled = True
        self._stats: Statistics | None = None

    def total(self, module_name: str = "") -> int:
        """Return the total count of a module.

        Args:
            module_name: A name of the module. Defaults to ``''``, the model.

        Returns:
            The count.

        Raises:
            KeyError: If the module is unknown.
        """
        return cast("int", sum(self.by_operator(module_name).values()))

    def by_operator(self, module_name: str = "") -> Counter[str]:
        """Return the counts of a module by operator.

        Args:
            module_name: A name of the module. Defaults to ``''``, the model.

        Returns:
            Counts by name of the operator, such as ``'conv'`` or ``'linear'``.

        Raises:
            KeyError: If the module is unknown.
        """
        name = self.canonical_module_name(module_name)
        return Counter(self._analyze().counts[name])

    def by_module(self) -> Counter[str]:
        """Return the counts by module.

        Returns:
            The count of each module with its submodules, including zeros; the model is ``''``.
        """
        counts = self._analyze().counts
        return Counter({name: cast("int", sum(ops.values())) for name, ops in counts.items()})

    def by_module_and_operator(self) -> dict[str, Counter[str]]:
        """Return the counts by module and operator.

        Returns:
            For each module, counts by operator.
        """
        return {name: Counter(ops) for name, ops in self._analyze().counts.items()}

    def unsupported_ops(self, module_name: str = "") -> Counter[str]:
        """Return the operators of a module that are neither counted nor ignored.

        Args:
            module_name: A name of the module. Defaults to ``''``, the model.

        Returns:
            Number of calls by full name, such as ``'aten::softmax'``.

        Raises:
            RuntimeError: If nothing was counted since the last change of handles or modes.
            KeyError: If the module is unknown.
        """
        if self._stats is None:
            raise RuntimeError("nothing was counted yet: call total() or by_module() first")
        return Counter(self._stats.unsupported_ops[self.canonical_module_name(module_name)])

    def uncalled_modules(self) -> set[str]:
        """Return the modules that were not called, whose counts are unknown.

        Returns:
            Their names.
        """
        return set(self._analyze().uncalled_mods)

    def canonical_module_name(self, name: str) -> str:
        """Return the name that a module is counted under.

        Args:
            name: A name of the module.

        Returns:
            Its first name in the model.

        Raises:
            AssertionError: If the name is not a string.
            KeyError: If the module is unknown.
        """
        if not isinstance(name, str):
            raise AssertionError(f"the name of a module must be a str, not {name!r}")
        if name not in self._aliases:
            known = ", ".join(map(repr, list(self._aliases)[:10]))
            raise KeyError(f"{name!r} is not a module of the model; the first modules are {known}")
        return self._aliases[name]

    def set_op_handle(self: Self, *args: str | Handle | None, **kwargs: Handle | None) -> Self:
        """Set the handles of operators.

        Args:
            *args: Names of operators, such as ``'aten::add'``, each followed by its handle, see
                ``eng.analysis.jit_handles``. None ignores the operator.
            **kwargs: Handles by name.

        Returns:
            The analyzer.

        Raises:
            TypeError: If a handle is missing or not callable, or a name is not a str.
        """
        if len(args) % 2:
            raise TypeError("missing handle of the last operator: pass pairs of names and handles")
        for name, handle in [*zip(args[::2], args[1::2], strict=True), *kwargs.items()]:
            if not isinstance(name, str):
                raise TypeError(f"the name of an operator must be a str, not {name!r}")
            if handle is not None and not callable(handle):
                raise TypeError(f"the handle of {name!r} must be callable or None, not {handle!r}")
            self._op_handles[name] = handle
        self._stats = None
        return self

    def clear_op_handles(self: Self) -> Self:
        """Remove all handles, including those that ignore an operator.

        Returns:
            The analyzer.
        """
        self._op_handles = {}
        self._stats = None
        return self

    def copy(
        self: Self,
        new_model: nn.Module | None = None,
        new_inputs: Tensor | tuple[object, ...] | None = None,
    ) -> Self:
        """Make an analyzer of the same class with the same handles and modes.

        Args:
            new_model: Its model. Defaults to None: the same.
            new_inputs: Its inputs. Defaults to None: the same.

        Returns:
            The analyzer, without results.
        """
        other = shallow_copy(self)
        model = self._model if new_model is None else new_model
        JitModelAnalysis.__init__(other, model, self._inputs if new_inputs is None else new_inputs)
        other._op_handles = dict(self._op_handles)
        other._tracer_warnings, other._ancestor_mode = self._tracer_warnings, self._ancestor_mode
        other._warn_unsupported = self._warn_unsupported
        other._warn_uncalled = self._warn_uncalled
        return other

    def tracer_warnings(self: Self, mode: TracerWarnings) -> Self:
        """Set which warnings of a run to show.

        Args:
            mode: ``'all'``; ``'no_tracer_warning'``, the default, for all except those of the
                tracer of torch; ``'none'``.

        Returns:
            The analyzer.

        Raises:
            ValueError: If the mode is unknown.
        """
        self._tracer_warnings = _check_mode(mode, get_args(TracerWarnings))
        return self

    def ancestor_mode(self: Self, mode: AncestorMode) -> Self:
        """Set which modules an operator is counted for.

        The modes differ for a module that calls another one which is stored elsewhere in the model.

        Args:
            mode: ``'owner'``, the default: the module that runs it and its ancestors; ``'caller'``:
                all modules whose forward is running.

        Returns:
            The analyzer.

        Raises:
            ValueError: If the mode is unknown.
        """
        self._ancestor_mode = _check_mode(mode, get_args(AncestorMode))
        self._stats = None
        return self

    def unsupported_ops_warnings(self: Self, enabled: bool) -> Self:
        """Set whether a run warns about operators that are neither counted nor ignored.

        Args:
            enabled: Whether to warn. The default is True.

        Returns:
            The analyzer.
        """
        self._warn_unsupported = enabled
        return self

    def uncalled_modules_warnings(self: Self, enabled: bool) -> Self:
        """Set whether a run warns about modules that were not called.

        Args:
            enabled: Whether to warn. The default is True.

        Returns:
            The analyzer.
        """
        self._warn_uncalled = enabled
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
            modules = list(self._find_modules(operator))
            seen.update(modules)
            found = self._count_operator(operator)
            for name in modules:
                if found is None:
                    unsupported[name][operator.kind] += 1
                else:
                    counts[name].update(found)

        called = trace(self._model, self._inputs, names, self._tracer_warnings, visit)
        return Statistics(counts, unsupported, set(names.values()) - seen - called)

    def _find_modules(self, operator: Operator) -> Iterable[str]:
        """Return the names of the modules that an operator is counted for, without duplicates."""
        if self._ancestor_mode == "caller":
            return dict.fromkeys(("", *operator.modules))
        # A name without its last part is the name of the parent module.
        return ancestors(operator.modules[-1] if operator.modules else "")

    def _count_operator(self, operator: Operator) -> Counter[str] | None:
        """Return counts by name; empty for an ignored operator, None without a handle."""
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
        if self._warn_unsupported and unsupported:
            kinds = ", ".join(f"{kind} ({times}x)" for kind, times in unsupported.items())
            print_log(f"Unsupported operators, not counted: {kinds}", "current", logging.WARNING)
        modules = {name: module for module, name in canonical_names(self._model).items()}
        uncalled = [n for n in sorted(stats.uncalled_mods) if _should_run(modules[n])]
        if self._warn_uncalled and uncalled:
            print_log(
                f"Modules that were not called, not counted: {', '.join(uncalled)}",
                "current",
                logging.WARNING,
            )


def _should_run(module: nn.Module) -> bool:
    is_container = isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
    return has_forward(module) and not is_container and not isinstance(module, nn.Identity)


def _check_mode(mode: ModeT, accepted: tuple[object, ...]) -> ModeT:
    if mode not in accepted:
        raise ValueError(f"mode must be one of {accepted}, not {mode!r}")
    return mode

"""Types that several hooks name."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["AnyRunner", "StepOutputs", "StorageSettings"]

#: The runner of a stage, which has at least the members of :class:`HookRunner`. Hooks of users may
#: annotate :class:`eng.runner.Runner`, which the base class must allow.
AnyRunner: TypeAlias = Any

#: Outputs of a step of the model: of training its losses by name, otherwise predictions of any
#: type.
StepOutputs: TypeAlias = Any

#: Settings of a storage: ``backend_args``.
StorageSettings: TypeAlias = "dict[str, Any]"

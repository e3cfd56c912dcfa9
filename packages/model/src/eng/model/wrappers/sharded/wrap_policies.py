"""Find policies, by name, that choose which parts of a model are sharded separately."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from torch import nn
from torch.distributed.fsdp import wrap

from eng.registry import (
    FSDP_WRAP_POLICIES,
    FUNCTIONS,
    MODELS,
    DefaultScope,
    NotRegisteredError,
    PartConfig,
)

__all__ = ["build_wrap_policy", "parts_to_shard"]

#: Called with a module, ``recurse`` and ``nonwrapped_numel``, the number of its parameters outside
#: of other parts. Returns with ``recurse=True`` whether to visit the children of the module, with
#: False whether to shard it.
WrapPolicy = Callable[..., bool]

for _policy in (
    wrap.always_wrap_policy,
    wrap.lambda_auto_wrap_policy,
    wrap.size_based_auto_wrap_policy,
    wrap.transformer_auto_wrap_policy,
):
    FSDP_WRAP_POLICIES.register_module(module=_policy)
# The name that older releases of torch had for it.
FSDP_WRAP_POLICIES.register_module(
    module=wrap.size_based_auto_wrap_policy, name="default_auto_wrap_policy"
)


def build_wrap_policy(policy: str | PartConfig | WrapPolicy | None) -> WrapPolicy | None:
    """Build a policy.

    Args:
        policy: A name in ``FSDP_WRAP_POLICIES`` or ``FUNCTIONS``; a dict of a name as ``type`` and
            settings, where classes of modules may be names in ``MODELS``; a policy, which is
            returned unchanged; or None.

    Returns:
        A policy for torch, or None.

    Raises:
        TypeError: If it has another type.
        KeyError, ValueError: If a name is unknown.
    """
    if policy is None or (callable(policy) and not isinstance(policy, Mapping)):
        return policy
    if isinstance(policy, str):
        return _find_policy(policy)
    if not isinstance(policy, Mapping) or "type" not in policy:
        raise TypeError(
            f"a wrap policy must be a name, a dict with 'type', a callable or None, not {policy!r}"
        )
    settings = {key: value for key, value in policy.items() if key not in ("type", "_scope_")}
    with DefaultScope.overwrite_default_scope(policy.get("_scope_")):
        settings = {key: _find_classes(value) for key, value in settings.items()}
        return functools.partial(_find_policy(policy["type"]), **settings)


class _UnknownPolicyError(NotRegisteredError, ValueError):
    """The policy is not registered."""


def _find_policy(kind: str | WrapPolicy) -> WrapPolicy:
    if not isinstance(kind, str):
        return kind
    policies, functions = (
        registry.of_default_scope() for registry in (FSDP_WRAP_POLICIES, FUNCTIONS)
    )
    found = policies.get(kind) or functions.get(kind)
    if found is not None:
        return found
    try:
        return policies.require(kind)  # raises with the closest names
    except NotRegisteredError as error:
        raise _UnknownPolicyError(*error.args) from None


def parts_to_shard(model: nn.Module, policy: WrapPolicy) -> list[nn.Module]:
    """List the parts of a model that a policy shards separately, the innermost first.

    Args:
        model: The model, which is not included.
        policy: The policy.

    Returns:
        The parts.
    """
    parts: list[nn.Module] = []
    _collect(model, policy, parts, is_root=True)
    return parts


def _collect(
    module: nn.Module, policy: WrapPolicy, parts: list[nn.Module], is_root: bool = False
) -> int:
    """Append the parts inside a module; return the number of their parameters."""
    count = sum(parameter.numel() for parameter in module.parameters())
    if not policy(module=module, recurse=True, nonwrapped_numel=count):
        return 0
    taken = 0
    for child in module.children():
        if child not in parts:
            taken += _collect(child, policy, parts)
    if not is_root and policy(module=module, recurse=False, nonwrapped_numel=count - taken):
        parts.append(module)
        return count
    return taken


def _find_classes(value: object) -> object:
    """Convert names of modules to a set of their classes, which torch requires."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, (list, tuple, set)) and names and all(isinstance(n, str) for n in names):
        models = MODELS.of_default_scope()
        return {models.require(name) for name in names}
    return value

"""Compare values, objects and modules in tests.

This module does not need a test framework, and the package does not import it.
"""

from __future__ import annotations

import runpy
import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

__all__ = [
    "assert_allclose",
    "assert_attrs_equal",
    "assert_dict_contains_subset",
    "assert_dict_has_keys",
    "assert_is_norm_layer",
    "assert_keys_equal",
    "assert_params_all_zeros",
    "check_python_script",
]

#: Relative and absolute tolerance of each dtype.
_TOLERANCES = {
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float16: (1e-3, 1e-3),
    torch.float32: (1e-4, 1e-5),
    torch.float64: (1e-7, 1e-7),
}


def assert_allclose(
    actual: object,
    expected: object,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Assert that values are close to expected ones.

    Args:
        actual: A tensor, an array, a number, or lists of them.
        expected: Likewise, in any of these forms.
        rtol: Relative tolerance. Defaults to None, by the less precise dtype: 1e-4 for float32.
        atol: Absolute tolerance. Defaults to None, by the less precise dtype: 1e-5 for float32.
        equal_nan: Whether NaN equals NaN. Defaults to True.
        msg: Text of the error. Defaults to ``''``, a report of the differences.

    Raises:
        AssertionError: If the difference exceeds the tolerances.
        ValueError: If only one tolerance is given.
    """
    one, other = _as_tensor(actual), _as_tensor(expected)
    dtype = torch.promote_types(one.dtype, other.dtype)
    if rtol is None and atol is None:
        known = [_TOLERANCES[each.dtype] for each in (one, other) if each.dtype in _TOLERANCES]
        rtol, atol = max(known, default=(None, None))
    torch.testing.assert_close(
        one.to(dtype), other.to(dtype), rtol=rtol, atol=atol, equal_nan=equal_nan,
        check_device=False, check_stride=False, msg=msg or None,
    )  # fmt: skip


def check_python_script(cmd: str) -> None:
    """Run a script in this process, as from the command line.

    Args:
        cmd: The script and its arguments, such as ``'tool.py config.py --seed 1'``; a leading
            ``python`` is ignored.

    Raises:
        SystemExit: If the script exits.
    """
    arguments = shlex.split(cmd)
    if arguments and arguments[0] == "python":
        arguments = arguments[1:]
    before = sys.argv
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    finally:
        sys.argv = before


def assert_dict_contains_subset(
    dict_obj: Mapping[Any, object], expected_subset: Mapping[Any, object]
) -> bool:
    """Whether a dict has all items of another.

    Args:
        dict_obj: The dict.
        expected_subset: The items. Arrays and tensors are compared as a whole.
    """
    return all(
        key in dict_obj and _is_equal(dict_obj[key], value)
        for key, value in expected_subset.items()
    )


def assert_attrs_equal(obj: object, expected_attrs: Mapping[str, object]) -> bool:
    """Whether attributes of an object have the expected values.

    Args:
        obj: The object.
        expected_attrs: Values by name. Arrays and tensors are compared as a whole.
    """
    return all(
        hasattr(obj, name) and _is_equal(getattr(obj, name), value)
        for name, value in expected_attrs.items()
    )


def assert_dict_has_keys(obj: Mapping[str, object], expected_keys: Iterable[str]) -> bool:
    """Whether a dict has all expected keys.

    Args:
        obj: The dict.
        expected_keys: The keys.
    """
    return set(expected_keys) <= set(obj)


def assert_keys_equal(result_keys: Iterable[str], target_keys: Iterable[str]) -> bool:
    """Whether two lists have the same keys, in any order.

    Args:
        result_keys: One list.
        target_keys: The other list.
    """
    return set(result_keys) == set(target_keys)


def assert_is_norm_layer(module: nn.Module) -> bool:
    """Whether a module is a batch, instance, group or layer normalization.

    Args:
        module: The module.
    """
    return isinstance(module, (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm))


def assert_params_all_zeros(module: nn.Module) -> bool:
    """Whether weight and bias of a module are zero; missing ones are ignored.

    Args:
        module: The module.
    """
    params = (getattr(module, name, None) for name in ("weight", "bias"))
    return all(not param.any() for param in params if isinstance(param, torch.Tensor))


def _as_tensor(value: object) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        return torch.stack([_as_tensor(v) for v in value])
    return torch.as_tensor(np.asarray(value))


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        kinds = (torch.Tensor, np.ndarray, list, tuple, int, float, bool)
        if not isinstance(one, kinds) or not isinstance(other, kinds):
            return False
        one, other = (
            v.detach().cpu().numpy() if isinstance(v, torch.Tensor) else v for v in (one, other)
        )
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_equal(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    return bool(one == other)

"""Settings of how a model is spread over processes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from eng.dist import MESH_AXES, resolve_sizes
from eng.utils import ArgumentTypeError, ArgumentValueError, UserError

__all__ = ["ParallelSettings", "ParallelSettingsError", "parse_dtype"]

#: Settings of mixed precision: the dtype of the parameters themselves, and arguments of torch's
#: ``MixedPrecisionPolicy``.
_PRECISION = ("params", "param_dtype", "reduce_dtype", "output_dtype", "cast_forward_inputs")
#: Styles of a tensor plan by name.
_STYLES = ("columns", "rows")


class ParallelSettingsError(UserError, ArgumentValueError, ArgumentTypeError):
    """A setting of ``parallel`` is invalid, or does not fit the model or the processes."""


@dataclass(frozen=True)
class ParallelSettings:
    """How a model is spread over processes.

    Args:
        data: Number of replicas of the model, or ``'rest'``. Defaults to None: ``'rest'``, or 1 if
            another size is ``'rest'``.
        shard: Number of processes that a replica's parameters are sharded over. Defaults to 1.
        tensor: Number of processes that the layers of a tensor plan are split over, which take the
            same samples. Defaults to 1.
        wrap: Names of parts or of their classes which are sharded, gathered and freed separately.
            Defaults to none: the model as a whole.
        tensor_plan: ``'columns'``, ``'rows'`` or a ``ParallelStyle`` of torch by dotted names of
            linear layers, where ``*`` stands for any one module. Defaults to None: the
            ``tensor_plan()`` of the model.
        checkpoint_activations: Names of parts or of their classes which are recomputed in the
            backward pass. Defaults to none.
        compile: What is compiled in its place: ``'blocks'`` (or True), the parts of ``wrap`` or
            else those in the part ``blocks``; ``'model'``; names of parts or of their classes; or
            a dict with this as ``target`` and arguments of :func:`torch.compile`. Defaults to None.
        mixed_precision: ``param_dtype``, ``reduce_dtype`` and other arguments of torch's
            ``MixedPrecisionPolicy``; ``params`` is the dtype of the parameters themselves. Defaults
            to none.
        cpu_offload: Whether shards are kept in the memory of the host. Defaults to False.
        meta_device: Whether a model that is given as a config is built on the meta device, and gets
            its values once it is split or sharded, so that no process holds all of them. Defaults
            to True.
        sync_accumulation: Whether sharded gradients that are accumulated are summed over processes
            in every iteration, see :class:`MMFullyShard`. Defaults to True.
        reshard_after_forward: Whether gathered parameters are freed after the forward pass, see
            :func:`torch.distributed.fsdp.fully_shard`. Defaults to None, as it decides.
    """

    data: int | str | None = None
    shard: int | str = 1
    tensor: int | str = 1
    wrap: Sequence[str] = ()
    tensor_plan: Mapping[str, Any] | None = None
    checkpoint_activations: Sequence[str] = ()
    compile: bool | str | Sequence[str] | Mapping[str, Any] | None = None
    mixed_precision: Mapping[str, Any] = field(default_factory=dict)
    cpu_offload: bool = False
    sync_accumulation: bool = True
    meta_device: bool = True
    reshard_after_forward: bool | int | None = None

    @classmethod
    def parse(cls, given: object) -> ParallelSettings:
        """Check settings of a config.

        Args:
            given: A dict of the settings.

        Returns:
            The settings.

        Raises:
            ParallelSettingsError: If it is not a dict, or a setting is unknown or invalid.
        """
        if not isinstance(given, Mapping):
            raise ParallelSettingsError(
                f"parallel must be a dict such as dict(shard='rest'), not {given!r}"
            )
        known = [each.name for each in fields(cls)]
        values = {key: value for key, value in given.items() if key != "_scope_"}
        for key in values:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f": did you mean {close[0]!r}?" if close else f"; it has {', '.join(known)}"
                raise ParallelSettingsError(f"parallel has no setting {key!r}{hint}")
        for name in ("wrap", "checkpoint_activations"):
            values[name] = _read_names(name, values.get(name))
        values["tensor_plan"] = _read_plan(values.get("tensor_plan"))
        values["mixed_precision"] = _read_precision(values.get("mixed_precision"))
        settings = cls(**values)
        settings._check_sizes()
        settings._check_flags()
        settings.compile_arguments()
        return settings

    def sizes(self, world_size: int) -> dict[str, int]:
        """Resolve the sizes of the mesh for a number of processes.

        Args:
            world_size: The number.

        Returns:
            Sizes by axis.

        Raises:
            ParallelSettingsError: If they do not fit.
        """
        try:
            shape = resolve_sizes(self._given_sizes(), world_size)
        except ValueError as error:
            raise ParallelSettingsError(f"parallel: {error}") from None
        return dict(zip(MESH_AXES, shape, strict=True))

    def compile_arguments(self) -> tuple[list[str] | None, dict[str, Any]]:
        """Split ``compile`` into names of its targets and arguments of :func:`torch.compile`.

        Returns:
            Names, None if nothing is compiled, and the arguments.

        Raises:
            ParallelSettingsError: If it is of another type.
        """
        target: object = self.compile
        arguments: dict[str, Any] = {}
        if isinstance(self.compile, Mapping):
            arguments = dict(self.compile)
            target = arguments.pop("target", True)
        if target is None or target is False:
            return None, {}
        names = _read_names("compile", "blocks" if target is True else target)
        if "train_step" in names:
            raise ParallelSettingsError(
                "parallel: compile takes 'blocks', 'model' or names of parts; the whole step is "
                "compiled by the setting compile='train_step' beside parallel"
            )
        return list(names), arguments

    def _given_sizes(self) -> dict[str, int | str]:
        others = "rest" in (self.shard, self.tensor)
        data = self.data if self.data is not None else (1 if others else "rest")
        return {"data": data, "shard": self.shard, "tensor": self.tensor}

    def _check_sizes(self) -> None:
        """Refuse sizes that fit no number of processes."""
        sizes = self._given_sizes()
        product = 1
        for size in sizes.values():
            product *= size if isinstance(size, int) and not isinstance(size, bool) else 1
        self.sizes(max(product, 1))

    def _check_flags(self) -> None:
        for name in ("cpu_offload", "meta_device", "sync_accumulation"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ParallelSettingsError(
                    f"parallel: {name} must be True or False, not {value!r}"
                )
        after = self.reshard_after_forward
        if after is not None and not isinstance(after, int):
            raise ParallelSettingsError(
                f"parallel: reshard_after_forward must be True, False or a number of processes, "
                f"not {after!r}"
            )


def parse_dtype(value: object, name: str) -> torch.dtype | None:
    """Read a dtype.

    Args:
        value: Its name, such as ``'bfloat16'``, a dtype, or None.
        name: Name of the setting, for the error.

    Returns:
        The dtype; None for None.

    Raises:
        ParallelSettingsError: If it is not a floating point dtype.
    """
    if value is None:
        return None
    found = value
    if isinstance(value, str):
        found = getattr(torch, value.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ParallelSettingsError(
            f"parallel: {name} of mixed_precision must be a dtype such as 'bfloat16', not {value!r}"
        )
    return found


def _read_names(name: str, given: object) -> Sequence[str]:
    names = [given] if isinstance(given, str) else given
    if names is None:
        return ()
    if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
        raise ParallelSettingsError(
            f"parallel: {name} must be names of parts of the model or of their classes, such as "
            f"['Block'], not {given!r}"
        )
    return tuple(names)


def _read_plan(given: object) -> Mapping[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ParallelSettingsError(
            "parallel: tensor_plan must be styles by names of layers, such as "
            f"{{'blocks.*.up': 'columns', 'blocks.*.down': 'rows'}}, not {given!r}"
        )
    return {str(name): check_style(name, style) for name, style in given.items()}


def check_style(name: object, style: object) -> object:
    """Refuse what is not a style of a tensor plan."""
    # torch's class is slow to import; one that is given has its method.
    is_style = style in _STYLES if isinstance(style, str) else hasattr(style, "_apply")
    if not is_style or inspect.isclass(style):
        close = difflib.get_close_matches(str(style), _STYLES, n=1)
        hint = f": did you mean {close[0]!r}?" if close else ""
        raise ParallelSettingsError(
            f"parallel: the style of {name!r} in tensor_plan must be 'columns', 'rows' or a "
            f"ParallelStyle of torch, not {style!r}{hint}"
        )
    return style


def _read_precision(given: object) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ParallelSettingsError(
            "parallel: mixed_precision must be a dict such as dict(param_dtype='bfloat16', "
            f"reduce_dtype='float32'), not {given!r}"
        )
    for key, value in given.items():
        if key not in _PRECISION:
            close = difflib.get_close_matches(str(key), _PRECISION, n=1)
            hint = f": did you mean {close[0]!r}?" if close else f"; it has {', '.join(_PRECISION)}"
            raise ParallelSettingsError(f"parallel: mixed_precision has no setting {key!r}{hint}")
        if key != "cast_forward_inputs":
            parse_dtype(value, str(key))
        elif not isinstance(value, bool):
            raise ParallelSettingsError(
                f"parallel: cast_forward_inputs of mixed_precision must be True or False, "
                f"not {value!r}"
            )
    return dict(given)

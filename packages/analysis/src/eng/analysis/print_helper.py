"""Report the parameters, flops and activations of a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from .complexity_analysis import ActivationAnalyzer, FlopAnalyzer
from .jit_analysis import JitModelAnalysis
from .module_names import canonical_names
from .parameters import parameter_count, parameter_shapes
from .stat_rows import Stats, collect_rows, rows_to_show
from .text_table import format_size, text_table

__all__ = ["complexity_stats_str", "complexity_stats_table", "get_model_complexity_info"]

_format_size = format_size  # downstream tools import it by this name

Shape: TypeAlias = tuple[int, ...]

NOTE = (
    "N/A: the module was not called itself, so its count is unknown; "
    "it is included in the counts of its parent modules.\n"
)


def get_model_complexity_info(
    model: nn.Module,
    input_shape: Shape | tuple[Shape, ...] | None = None,
    inputs: Tensor | tuple[object, ...] | None = None,
    show_table: bool = True,
    show_arch: bool = True,
) -> dict[str, Any]:
    """Count the parameters, flops and activations of a model.

    Args:
        model: The model, in the mode to count it in.
        input_shape: Shape of the input without the batch dimension, or a tuple of shapes, for
            random inputs of batch size 1 on the device of the model. Defaults to None.
        inputs: The input, or a tuple of inputs, instead of ``input_shape``. Defaults to None.
        show_table: Whether to draw a table. Defaults to True.
        show_arch: Whether to print the modules with their counts. Defaults to True.

    Returns:
        ``flops``, ``activations`` and ``params`` as numbers, the same with ``_str`` as strings, and
        ``out_table`` and ``out_arch``, which are empty if disabled.

    Raises:
        ValueError: If not exactly one of ``input_shape`` and ``inputs`` is set, or
            ``input_shape`` is invalid.
    """
    if (input_shape is None) == (inputs is None):
        given = "both" if inputs is not None else "neither"
        raise ValueError(f"set either input_shape or inputs, but got {given}")
    if inputs is None:
        inputs = _make_inputs(model, input_shape)
    flops, activations = FlopAnalyzer(model, inputs), ActivationAnalyzer(model, inputs)
    _silence(flops, activations)
    totals = {
        "flops": flops.total(),
        "activations": activations.total(),
        "params": parameter_count(model)[""],
    }
    table = "\n" + complexity_stats_table(flops, activations=activations) if show_table else ""
    arch = "\n" + complexity_stats_str(flops, activations=activations) if show_arch else ""
    texts = {f"{name}_str": format_size(total) for name, total in totals.items()}
    return {**totals, **texts, "out_table": table, "out_arch": arch}


def complexity_stats_table(
    flops: JitModelAnalysis,
    max_depth: int = 3,
    activations: JitModelAnalysis | None = None,
    show_param_shapes: bool = True,
) -> str:
    """Draw a table of the counts of each module. Disables the warnings of the analyzers.

    Rows of zeros are omitted. A module with a single child is merged with it if their counts are
    equal. Modules that were not called have empty cells.

    Args:
        flops: An analyzer, as a rule a :class:`eng.analysis.FlopAnalyzer`.
        max_depth: Levels below the model to show. Defaults to 3.
        activations: An analyzer of the activations of the same model. Defaults to None.
        show_param_shapes: Whether to show rows of parameters with their shapes. Defaults to True.

    Returns:
        The table.
    """
    first = "#parameters or shape" if show_param_shapes else "#parameters"
    leaves: dict[str, Stats] = {}
    if show_param_shapes:
        shapes = parameter_shapes(flops._model)
        leaves = {name: {first: str(shape)} for name, shape in shapes.items()}
    columns, uncalled = _collect_columns(flops, activations, (first, "#flops", "#activations"))
    root = collect_rows(flops._model, columns, uncalled, leaves)
    rows = [
        [" " * level + (row.name or "model"), *_format_cells(row.stats, columns, " " * level)]
        for level, row in rows_to_show(root, max_depth)
    ]
    return text_table(["module", *columns], rows)


def complexity_stats_str(
    flops: JitModelAnalysis, activations: JitModelAnalysis | None = None
) -> str:
    """Print a model like ``str(model)``, with the counts of each module.

    Disables the warnings of the analyzers. Modules whose counts are all zero have none.

    Args:
        flops: An analyzer, as a rule a :class:`eng.analysis.FlopAnalyzer`.
        activations: An analyzer of the activations of the same model. Defaults to None.

    Returns:
        The text. If modules were not called, it starts with a note on ``N/A``.
    """
    columns, uncalled = _collect_columns(flops, activations, ("#params", "#flops", "#acts"))
    lines: dict[nn.Module, str] = {}
    for module, name in canonical_names(flops._model).items():
        values = {column: counts.get(name, 0) for column, counts in columns.items()}
        unknown = [column for column, names in uncalled.items() if name in names]
        if any(values.values()):
            texts = {column: format_size(value, sig_figs=2) for column, value in values.items()}
            texts |= dict.fromkeys(unknown, "N/A")
            lines[module] = ", ".join(f"{column}: {text}" for column, text in texts.items())
    note = NOTE if any("N/A" in line for line in lines.values()) else ""
    return note + _format_module(flops._model, lines)


def _make_inputs(model: nn.Module, input_shape: Any) -> tuple[Tensor, ...]:
    shapes = input_shape if _is_tuple_of(input_shape, tuple) else (input_shape,)
    if not all(_is_tuple_of(shape, int) for shape in shapes):
        raise ValueError(
            "input_shape must be a tuple of integers, such as (3, 224, 224), or a tuple of "
            f"such tuples, not {input_shape!r}"
        )
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    return tuple(torch.rand(1, *shape, device=like.device, dtype=like.dtype) for shape in shapes)


def _is_tuple_of(value: object, kind: type) -> bool:
    return (
        isinstance(value, tuple) and all(isinstance(item, kind) for item in value) and value != ()
    )


def _silence(*analyzers: JitModelAnalysis | None) -> None:
    for analyzer in analyzers:
        if analyzer is not None:
            analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            analyzer.tracer_warnings("none")


def _collect_columns(
    flops: JitModelAnalysis, activations: JitModelAnalysis | None, names: tuple[str, str, str]
) -> tuple[dict[str, Mapping[str, float]], dict[str, Collection[str]]]:
    """Collect the counts by column and module, and the uncalled modules by column."""
    _silence(flops, activations)
    columns: dict[str, Mapping[str, float]] = {names[0]: parameter_count(flops._model)}
    uncalled: dict[str, Collection[str]] = {}
    for name, analyzer in ((names[1], flops), (names[2], activations)):
        if analyzer is not None:
            columns[name] = analyzer.by_module()
            uncalled[name] = analyzer.uncalled_modules()
    return columns, uncalled


def _format_cells(stats: Stats, columns: Iterable[str], indent: str) -> list[str]:
    cells = []
    for column in columns:
        value = stats.get(column, "")
        text = value if isinstance(value, str) else format_size(value)
        cells.append(indent + text if text else "")
    return cells


def _format_module(module: nn.Module, lines: Mapping[nn.Module, str]) -> str:
    """Format a module like its repr, with its counts inside of the brackets."""
    name = str(module._get_name())  # type: ignore[no-untyped-call]
    inner = module.extra_repr().split("\n") if module.extra_repr() else []
    if module in lines:
        inner.append(lines[module])
    elif not module._modules and len(inner) <= 1:
        return f"{name}({''.join(inner)})"
    for child_name, child in module._modules.items():
        text = "None" if child is None else _format_module(child, lines)
        inner += f"({child_name}): {text}".split("\n")
    body = "".join(f"  {line}\n" for line in inner)
    return f"{name}(\n{body})"

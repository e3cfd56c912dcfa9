"""Export the model of a checkpoint, and compare it with the original."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eng.checkpoint import CheckpointLoader, complete_weights, load_state_dict, model_state
from eng.registry import MODELS, init_default_scope
from eng.utils import StateDict, UserError, override

from .example_inputs import make_random_inputs, take_inputs
from .sources import config_of_checkpoint, read_config
from .types import ConfigType

__all__ = ["export_checkpoint"]

#: Largest difference between the outputs, absolute and relative: operators differ in their order
#: of additions, which float32 shows.
_ABSOLUTE, _RELATIVE = 1e-4, 1e-3
#: Sizes of the batches that are compared; the first one is that of the export.
_BATCHES = (2, 3)


class ExportError(UserError):
    """A model cannot be exported, or differs after the export."""


def export_checkpoint(
    checkpoint: str,
    file_format: str,
    out: str,
    shapes: Sequence[tuple[int, ...]] | None = None,
    config: str | None = None,
) -> Iterator[str]:
    """Export the model of a checkpoint, and compare its outputs on two batches.

    The size of batches stays variable, unless the model fixes it.

    Args:
        checkpoint: Path or URL of the checkpoint.
        file_format: ``'onnx'`` or ``'torch_export'``.
        out: Output file.
        shapes: Shapes of the inputs of one sample, which are then random. Defaults to None: inputs
            of the first samples of the test dataset in the config.
        config: Config file. Defaults to None: the config in the checkpoint.

    Yields:
        Lines that report the export.

    Raises:
        ExportError: If the model cannot be exported, or its outputs differ by more than 1e-4 and
            1e-3 of their values.
    """
    if Path(out).exists():
        raise ExportError(f"{out} already exists; choose another file with --out")
    run = _find_format(file_format)
    module, cfg = _load_model(checkpoint, config)
    if not Path(out).absolute().parent.is_dir():
        raise ExportError(f"--out {out}: its directory does not exist")

    def make(count: int) -> tuple[Tensor, ...]:
        return (
            make_random_inputs(shapes, count) if shapes else take_inputs(cfg, module.model, count)
        )

    inputs = make(_BATCHES[0])
    with torch.no_grad(), _quiet():
        _check_inputs(module, inputs)
        exported, is_variable = _export(run, module, inputs, out)
        yield f"{out}: {_describe(inputs, module(*inputs), is_variable)}"
        compared = _BATCHES if is_variable else _BATCHES[:1]
        worst = max(_compare(module, exported, make(count)) for count in compared)
    sizes = " and ".join(map(str, compared))
    yield f"outputs compared on batches of {sizes}: largest difference {worst:.2g}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what torch says about its own internals and about packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


class _TensorMode(nn.Module):
    """A model in mode ``'tensor'``, whose outputs are a flat tuple of tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @override
    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        # Models that take several inputs expect the targets behind them.
        rest = (None,) if len(inputs) > 1 else ()
        return tuple(_list_tensors(self.model(*inputs, *rest, mode="tensor")))


def _list_tensors(outputs: object) -> Iterator[Tensor]:
    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, Mapping):
        for value in outputs.values():
            yield from _list_tensors(value)
    elif isinstance(outputs, (list, tuple)):
        for value in outputs:
            yield from _list_tensors(value)


def _load_model(checkpoint: str, config: str | None) -> tuple[_TensorMode, ConfigType]:
    cfg: Any = None if config is None else read_config(config)
    if config is not None and cfg is None:
        raise ExportError(f"--config {config}: the file does not exist")
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu", logger="silent")
    if cfg is None:
        cfg = _read_saved_config(checkpoint, loaded)
    if not isinstance(cfg.get("model"), Mapping):
        raise ExportError(f"the config needs the key 'model', a dict, not {cfg.get('model')!r}")
    init_default_scope(cfg.get("default_scope") or "eng")
    model = MODELS.build(cfg["model"])
    loaded = complete_weights(model, loaded, checkpoint, "current")
    load_state_dict(model, model_state(loaded, checkpoint), logger="current")
    return _TensorMode(model.eval()).eval(), cfg


def _read_saved_config(checkpoint: str, loaded: StateDict) -> ConfigType:
    try:
        return config_of_checkpoint(loaded)
    except (AssertionError, ValueError) as error:
        raise ExportError(
            f"{checkpoint} has no config that can be read: name its config with --config CONFIG"
        ) from error


Exporter = Callable[[nn.Module, tuple[Tensor, ...], str, bool], Callable[..., Sequence[Tensor]]]


def _find_format(name: str) -> Exporter:
    if name == "torch_export":
        return _to_torch_export
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ExportError(
            f"--format onnx needs {error.name}: pip install 'eng-infer[onnx]'"
        ) from error
    return _to_onnx


def _check_inputs(module: _TensorMode, inputs: tuple[Tensor, ...]) -> None:
    """Run the model once, as an exporter does not say what is wrong with inputs."""
    try:
        outputs = module(*inputs)
    except Exception as error:  # a model may raise anything
        shapes = " and ".join(str(tuple(each.shape)) for each in inputs)
        raise ExportError(
            f"{type(module.model).__name__} fails on inputs of shape {shapes}: "
            f"{type(error).__name__}: {_first_line(error)}; set the shape of a sample with --shape"
        ) from error
    if not outputs:
        raise ExportError(
            f"{type(module.model).__name__} returns no tensor in mode 'tensor', so there is "
            "nothing to export"
        )


def _export(
    run: Exporter, module: nn.Module, inputs: tuple[Tensor, ...], out: str
) -> tuple[Callable[..., Sequence[Tensor]], bool]:
    """Export with a variable size of batches, or with a fixed one if the model needs it."""
    try:
        return run(module, inputs, out, True), True
    except Exception as variable:  # torch raises errors of many kinds
        try:
            return run(module, inputs, out, False), False
        except Exception as error:
            Path(out).unlink(missing_ok=True)
            raise ExportError(
                f"{type(getattr(module, 'model', module)).__name__} cannot be exported: "
                f"{type(error).__name__}: {_first_line(error)} (with batches of variable size: "
                f"{_first_line(variable)}); --debug shows where"
            ) from error


def _to_torch_export(
    module: nn.Module, inputs: tuple[Tensor, ...], out: str, is_variable: bool
) -> Callable[..., Sequence[Tensor]]:
    program = torch.export.export(module, inputs, dynamic_shapes=_name_shapes(inputs, is_variable))
    torch.export.save(program, out)
    return torch.export.load(out).module()


def _to_onnx(
    module: nn.Module, inputs: tuple[Tensor, ...], out: str, is_variable: bool
) -> Callable[..., Sequence[Tensor]]:
    import onnxruntime

    names = ["inputs"] if len(inputs) == 1 else [f"input_{i}" for i in range(len(inputs))]
    torch.onnx.export(
        module,
        inputs,
        out,
        dynamo=True,
        verbose=False,
        external_data=False,
        input_names=names,
        dynamic_shapes=_name_shapes(inputs, is_variable),
    )
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])

    def run(*values: Tensor) -> list[Tensor]:
        feed = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        return [torch.from_numpy(each) for each in session.run(None, feed)]

    return run


def _name_shapes(inputs: tuple[Tensor, ...], is_variable: bool) -> Any:
    """Return the dimensions that vary: the first of each input, the same of all."""
    if not is_variable:
        return None
    batch = torch.export.Dim("batch", min=1)
    return (tuple({0: batch} for _ in inputs),)  # of the one parameter, *inputs


def _compare(
    module: nn.Module, exported: Callable[..., Sequence[Tensor]], inputs: tuple[Tensor, ...]
) -> float:
    """Return the largest difference between the outputs.

    Raises:
        ExportError: If it is too large.
    """
    expected, found = module(*inputs), exported(*inputs)
    worst = 0.0
    if len(expected) != len(found):
        raise ExportError(f"the exported model has {len(found)} outputs instead of {len(expected)}")
    for place, (left, right) in enumerate(zip(expected, found, strict=True)):
        try:
            torch.testing.assert_close(
                right, left, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True, check_stride=False
            )
        except AssertionError as error:
            raise ExportError(
                f"output {place} of the exported model differs from that of the model: "
                f"{' '.join(str(error).split())}"
            ) from error
        if left.numel():
            difference = (left.double() - right.double()).abs()
            worst = max(worst, float(difference.nan_to_num().max()))
    return worst


def _describe(inputs: Sequence[Tensor], outputs: Sequence[Tensor], is_variable: bool) -> str:
    sides = [
        ", ".join(_describe_tensor(tensor, is_variable) for tensor in side)
        for side in (inputs, outputs)
    ]
    return " -> ".join(sides)


def _describe_tensor(tensor: Tensor, is_variable: bool) -> str:
    sizes = list(map(str, tensor.shape))
    if is_variable and sizes:
        sizes[0] = "batch"
    return f"{str(tensor.dtype).removeprefix('torch.')} ({', '.join(sizes)})"


def _first_line(error: BaseException) -> str:
    """Return the first line of the innermost cause: the exporter of ONNX wraps it in advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

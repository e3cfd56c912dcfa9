"""Fold batch normalization in evaluation mode into the preceding convolution, on the fly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from eng.logging import print_log
from eng.utils import ArgumentTypeError, override

__all__ = [
    "efficient_conv_bn_eval_control",
    "efficient_conv_bn_eval_forward",
    "efficient_conv_bn_eval_graph_transform",
    "turn_on_efficient_conv_bn_eval",
    "turn_on_efficient_conv_bn_eval_for_single_model",
]

_TRANSPOSED: dict[type[_ConvNd], Callable[..., Tensor]] = {
    nn.ConvTranspose1d: F.conv_transpose1d,
    nn.ConvTranspose2d: F.conv_transpose2d,
    nn.ConvTranspose3d: F.conv_transpose3d,
}
_CONVS: tuple[type[_ConvNd], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)
_FORWARDS_OF_CONVS = {cls.forward for cls in _CONVS}
_FORWARDS_OF_NORMS = {_BatchNorm.forward, nn.SyncBatchNorm.forward}


def turn_on_efficient_conv_bn_eval(model: nn.Module, modules: str | list[str]) -> None:
    """Fold batch normalizations in parts of a model, which reduces their memory.

    Only those in evaluation mode are folded, at each forward pass: they may be frozen in a model
    that is trained, and their parameters still receive gradients.

    Args:
        model: The model.
        modules: Dotted names of the parts, such as ``'backbone'``, or one name.

    Raises:
        AttributeError: If a name is unknown in the model.
        TypeError: If ``modules`` is neither a name nor a list of names.

    Examples:
        >>> model = nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(3, 8, 3),
        ...                                                   nn.BatchNorm2d(8), nn.ReLU())))
        >>> turn_on_efficient_conv_bn_eval(model, 'backbone')
        >>> model.eval()['backbone'](torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 8, 6, 6])
    """
    names = [modules] if isinstance(modules, str) else modules
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(f"modules must be a name or a list of names, not {modules!r}")
    parts = [model.get_submodule(name) for name in names]
    for part in parts:
        turn_on_efficient_conv_bn_eval_for_single_model(part)


def turn_on_efficient_conv_bn_eval_for_single_model(model: nn.Module) -> None:
    """Fold batch normalizations in a model, see :func:`turn_on_efficient_conv_bn_eval`.

    Modules whose ``forward`` does not run the same operations in every call are skipped, with a
    warning if they have convolutions and normalizations themselves.

    Args:
        model: The model, which is changed: ``forward`` of modules with such a pair is replaced.
    """
    for name, module in list(model.named_modules()):
        if _is_leaf(module) or not _has_both(module.modules()):
            continue
        traced, fault = _trace(module)
        if traced is not None:
            if _fold_pairs(traced):
                module.forward = traced.forward
        elif fault and _has_both(module.children()):
            print_log(
                f"Convolutions and batch normalizations of {name or type(model).__name__} "
                f"({type(module).__name__}) are not folded: {fault}.",
                logger="current",
                level=logging.WARNING,
            )


def efficient_conv_bn_eval_graph_transform(fx_model: fx.GraphModule) -> None:
    """Replace each batch normalization right after a convolution in a traced model.

    Convolutions whose result is used elsewhere are skipped.

    Args:
        fx_model: The model, of :func:`torch.fx.symbolic_trace`, which is changed.
    """
    _fold_pairs(fx_model)


def efficient_conv_bn_eval_control(bn: _BatchNorm, conv: _ConvNd, x: Tensor) -> Tensor:
    """Convolve and normalize, folded if the normalization is in evaluation mode.

    Args:
        bn: The normalization.
        conv: The convolution before it.
        x: The input of the convolution.

    Returns:
        The output of the normalization.
    """
    # Hooks need the inputs and outputs of each module.
    if bn.training or bn.running_var is None or _has_hooks(bn) or _has_hooks(conv):
        return bn(conv(x))
    return efficient_conv_bn_eval_forward(bn, conv, x)


def efficient_conv_bn_eval_forward(bn: _BatchNorm, conv: _ConvNd, x: Tensor) -> Tensor:
    """Convolve with the weight and bias of a convolution and a folded normalization.

    The weight of each output channel is multiplied by ``gamma / sqrt(var + eps)``; the bias is
    ``beta + gamma / sqrt(var + eps) * (bias - mean)``.

    Args:
        bn: The normalization, with running statistics.
        conv: The convolution before it.
        x: The input of the convolution.

    Returns:
        The output of the normalization.
    """
    mean, variance = bn.running_mean, bn.running_var
    if mean is None or variance is None:
        raise ValueError("a normalization without running statistics cannot be folded")
    # Half precision is too imprecise for the folded values.
    dtype = torch.promote_types(variance.dtype, torch.float32)
    scale = torch.rsqrt(variance.to(dtype) + bn.eps)
    if bn.weight is not None:
        scale = bn.weight.to(dtype) * scale
    bias = -scale * mean if conv.bias is None else scale * (conv.bias - mean)
    if bn.bias is not None:
        bias = bn.bias.to(dtype) + bias
    weight = conv.weight * _reshape_scale(conv, scale)
    return _convolve(conv, x, weight.to(conv.weight.dtype), bias.to(conv.weight.dtype))


def _reshape_scale(conv: _ConvNd, scale: Tensor) -> Tensor:
    """Reshape the scales of the output channels to multiply them with the weight."""
    ones = [1] * len(conv.kernel_size)
    if not isinstance(conv, _ConvTransposeNd):
        return scale.view(-1, 1, *ones)
    # Transposed weights are (input channels, output channels of a group): one row per group.
    rows = scale.view(conv.groups, 1, -1)
    rows = rows.expand(-1, conv.in_channels // conv.groups, -1)
    return rows.reshape(conv.in_channels, -1, *ones)


def _convolve(conv: _ConvNd, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    for cls, function in _TRANSPOSED.items():
        if isinstance(conv, cls):
            return function(
                x, weight, bias, conv.stride, conv.padding, conv.output_padding, conv.groups,
                conv.dilation,
            )  # fmt: skip
    result: Tensor = conv._conv_forward(x, weight, bias)
    return result


def _fold_pairs(traced: fx.GraphModule) -> int:
    """Replace the pairs of a traced module; return their number."""
    modules = dict(traced.named_modules())
    pairs = [pair for node in traced.graph.nodes if (pair := _find_pair(node, modules))]
    for conv, bn in pairs:
        with traced.graph.inserting_before(conv):
            parts = [traced.graph.get_attr(str(node.target)) for node in (bn, conv)]
            # The input of the convolution may be a keyword argument.
            (x,) = (*conv.args, *conv.kwargs.values())
            folded = traced.graph.call_function(efficient_conv_bn_eval_control, (*parts, x))
        bn.replace_all_uses_with(folded)
        traced.graph.erase_node(bn)
        traced.graph.erase_node(conv)
    if pairs:
        traced.recompile()
    return len(pairs)


def _find_pair(bn: fx.Node, modules: dict[str, nn.Module]) -> tuple[fx.Node, fx.Node] | None:
    inputs = (*bn.args, *bn.kwargs.values())
    if bn.op != "call_module" or not _is_norm(modules[str(bn.target)]) or len(inputs) != 1:
        return None
    conv = inputs[0]
    if not isinstance(conv, fx.Node) or conv.op != "call_module" or len(conv.users) != 1:
        return None
    if not _is_conv(modules[str(conv.target)]) or len((*conv.args, *conv.kwargs)) != 1:
        return None
    return conv, bn


class _Tracer(fx.Tracer):
    """Traces the ``forward`` of one module; its children are leaves, which keep their hooks."""

    @override
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def _trace(module: nn.Module) -> tuple[fx.GraphModule | None, str]:
    """Trace a module; return None and the reason if the trace would differ from the module."""
    if "forward" in vars(module):
        done = isinstance(getattr(module.forward, "__self__", None), fx.GraphModule)
        return None, "" if done else "forward() of this object was replaced"
    before = dict(vars(module))
    modes = [(part, part.training) for part in module.modules()]
    traces = []
    try:
        for is_training in (True, False):
            for part, _ in modes:
                part.training = is_training
            traces.append(fx.GraphModule(module, _Tracer().trace(module)))
    except Exception as error:  # forward() may do anything with the proxies of the tracer
        return None, f"forward() cannot be traced, {type(error).__name__}: {error}"
    finally:
        after = dict(vars(module))
        vars(module).clear()
        vars(module).update(before)
        for part, was_training in modes:
            part.training = was_training
    if any(after.get(name) is not before.get(name) for name in {*before, *after} - {"training"}):
        return None, "forward() sets attributes or creates tensors independent of its input"
    if traces[0].code != traces[1].code:
        return None, "forward() differs between training and evaluation mode"
    return traces[0], ""


def _has_both(modules: Iterable[nn.Module]) -> bool:
    found = list(modules)
    return any(map(_is_conv, found)) and any(map(_is_norm, found))


def _is_leaf(module: nn.Module) -> bool:
    return not module._modules or isinstance(module, torch.jit.ScriptModule)


def _is_conv(module: nn.Module) -> bool:
    return isinstance(module, _ConvNd) and type(module).forward in _FORWARDS_OF_CONVS


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and type(module).forward in _FORWARDS_OF_NORMS


def _has_hooks(module: nn.Module) -> bool:
    return any(
        (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks,
         module._backward_pre_hooks)
    )  # fmt: skip

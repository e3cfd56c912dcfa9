"""Detect parameters that do not contribute to a loss."""

from __future__ import annotations

import logging

from torch import Tensor, nn

from eng.logging import print_log

__all__ = ["detect_anomalous_params"]


def detect_anomalous_params(loss: Tensor, model: nn.Module) -> None:
    """Log every parameter of a model that a loss does not depend on.

    Such parameters do not receive gradients, for which data parallel training waits forever.

    Args:
        loss: The loss, with its graph.
        model: The model.
    """
    reached = _collect_leaves(loss)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and id(parameter) not in reached:
            print_log(
                f"{name} with shape {tuple(parameter.shape)} is not in the computational graph of "
                "the loss",
                logger="current",
                level=logging.ERROR,
            )


def _collect_leaves(loss: Tensor) -> set[int]:
    """Collect the ids of the parameters in the graph of a loss."""
    leaves: set[int] = set()
    seen = set()
    stack = [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.add(id(node.variable))
        stack.extend(parent for parent, _ in node.next_functions)
    return leaves

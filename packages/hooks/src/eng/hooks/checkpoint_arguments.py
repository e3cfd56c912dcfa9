"""Check the arguments of the hook that saves checkpoints."""

from __future__ import annotations

import math

from .errors import HookArgumentError
from .values import check_number

__all__ = ["check_counts", "check_retention", "check_template"]


def check_counts(interval: int, max_keep_ckpts: int, save_begin: int) -> None:
    """Refuse counts that are not integers, or too small.

    Args:
        interval: Epochs or iterations between two checkpoints.
        max_keep_ckpts: How many checkpoints are kept.
        save_begin: The first that is saved.

    Raises:
        HookArgumentError: If one is.
    """
    check_number("CheckpointHook: interval", interval)
    if interval < 1 and interval != -1:
        raise HookArgumentError(
            "CheckpointHook: interval must be at least 1, or -1 to save only at the end, "
            f"got {interval!r}"
        )
    check_number("CheckpointHook: max_keep_ckpts", max_keep_ckpts)
    if max_keep_ckpts == 0:
        raise HookArgumentError(
            "CheckpointHook: max_keep_ckpts must be at least 1, or -1 to keep all"
        )
    check_number("CheckpointHook: save_begin", save_begin, least=0)


def check_retention(
    interval: int,
    keep_every: int | None,
    save_top_k: int,
    save_every_minutes: float | None,
    has_best: bool,
) -> None:
    """Refuse settings of what is kept that cannot have an effect.

    Args:
        interval: Epochs or iterations between two checkpoints.
        keep_every: Epochs or iterations between two that are kept for ever, or None.
        save_top_k: How many of the best are kept.
        save_every_minutes: Minutes between two checkpoints, or None.
        has_best: Whether the best are kept.

    Raises:
        HookArgumentError: If one is invalid.
    """
    if keep_every is not None:
        check_number("CheckpointHook: keep_every", keep_every, least=1)
        if interval < 1 or keep_every % interval:
            raise HookArgumentError(
                f"CheckpointHook: keep_every={keep_every} must be a multiple of the interval of "
                f"checkpoints, which is {interval}: others are not saved"
            )
    check_number("CheckpointHook: save_top_k", save_top_k, least=1)
    if save_top_k > 1 and not has_best:
        raise HookArgumentError(
            f"CheckpointHook: save_top_k={save_top_k} needs save_best, the metric by which the "
            "best checkpoints are chosen"
        )
    if save_every_minutes is not None:
        is_number = isinstance(save_every_minutes, (int, float))
        is_number = is_number and not isinstance(save_every_minutes, bool)
        if not is_number or not 0 < save_every_minutes < math.inf:
            raise HookArgumentError(
                "CheckpointHook: save_every_minutes must be a positive number, got "
                f"{save_every_minutes!r}"
            )


def check_template(template: str) -> None:
    """Refuse a template of file names that does not format one number.

    Args:
        template: The template.

    Raises:
        HookArgumentError: If it does not.
    """
    try:
        is_right = template.format(3) != template.format(4) and "/" not in template
    except (IndexError, KeyError, ValueError, AttributeError):
        is_right = False
    if not is_right:
        raise HookArgumentError(
            "CheckpointHook: filename_tmpl must be the name of a file with one number to fill in, "
            f"such as 'epoch_{{}}.pth' or 'epoch_{{:03d}}.pth', not {template!r}"
        )

"""The command ``eng diff``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eng.cli import Command

if TYPE_CHECKING:
    from .compare import Comparison, Difference, FirstDifference

__all__ = ["DIFF"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the differences between two runs: config, versions, seed, data, and the first "
        "iteration at which losses or samples differ. Samples are compared if both runs have a "
        "BatchRecordHook. The exit status is 0 if nothing differs, else 1."
    )
    parser.add_argument("left", metavar="RUN_A", help="work directory, or folder of one start")
    parser.add_argument("right", metavar="RUN_B", help="the same of the other run")


def _run(args: argparse.Namespace) -> int:
    from .compare import compare_runs

    found = compare_runs(args.left, args.right)
    for line in _format(found):
        print(line)
    return 0 if found.is_equal() else 1


def _format(found: Comparison) -> Iterator[str]:
    if isinstance(found.config, str):
        yield f"config: not compared, {found.config}"
    else:
        yield from _format_list("config", found.config)
    if isinstance(found.environment, str):
        yield f"environment and seed: not compared, {found.environment}"
    else:
        yield from _format_list("environment", found.environment)
        yield f"seed: {found.seed.left} -> {found.seed.right}" if found.seed else "seed: same"
    if found.data is None:
        yield "data: not recorded; add dict(type='BatchRecordHook') to custom_hooks of both runs"
    else:
        yield from _format_list("data", found.data)
    yield _format_first("losses", found.losses, found.compared)
    if found.scalars is not None:
        yield _format_first("other scalars", found.scalars, 0)
    if found.batches or found.data is not None:
        yield _format_first("samples", found.samples, found.batches)
    else:
        yield "samples: not recorded"


def _format_list(name: str, differences: list[Difference]) -> Iterator[str]:
    if not differences:
        yield f"{name}: same"
        return
    plural = "" if len(differences) == 1 else "s"
    yield f"{name}: {len(differences)} difference{plural}"
    for each in differences:
        left, right = (
            f"{value} ({origin})" if origin else value
            for value, origin in ((each.left, each.left_origin), (each.right, each.right_origin))
        )
        yield f"  {each.key}: {left} -> {right}"


def _format_first(name: str, first: FirstDifference | None, compared: int) -> str:
    if first is None:
        return (
            f"{name}: same at all {compared} recorded iterations"
            if compared
            else f"{name}: none in common"
        )
    since = f", equal up to iteration {first.before}" if first.before else ""
    return (
        f"{name}: first differ at iteration {first.iteration}{since}: "
        f"{first.name} {first.left} -> {first.right}"
    )


DIFF = Command("compare two runs: config, versions, data, first difference", _add_arguments, _run)

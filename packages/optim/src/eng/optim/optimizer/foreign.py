"""Register optimizers of other packages by name; they are imported when they are built."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from eng.logging import print_log
from eng.registry import OPTIMIZERS

__all__ = [
    "BITSANDBYTES_OPTIMIZERS",
    "DADAPTATION_OPTIMIZERS",
    "LION_OPTIMIZERS",
    "SOPHIA_OPTIMIZERS",
    "TRANSFORMERS_OPTIMIZERS",
    "adafactor",
    "register_foreign_optimizers",
]

#: Names of the optimizers of each package.
DADAPTATION_OPTIMIZERS = ["DAdaptAdaGrad", "DAdaptAdam", "DAdaptSGD"]
LION_OPTIMIZERS = ["Lion"]
SOPHIA_OPTIMIZERS = ["Sophia", "SophiaG"]
TRANSFORMERS_OPTIMIZERS = ["Adafactor"]
#: Names that clash with optimizers of torch or of another package have the prefix ``bnb_``.
BITSANDBYTES_OPTIMIZERS = [
    *(
        f"{paged}{kind}{bits}"
        for kind in ("Adagrad", "Adam", "AdamW", "LAMB", "LARS", "Lion", "RMSprop", "SGD")
        for paged in (("", "Paged") if kind in ("Adam", "AdamW", "Lion") else ("",))
        for bits in ("", "8bit", "32bit")
        if paged or bits or kind in ("LAMB", "LARS")
    ),
    *(f"bnb_{kind}" for kind in ("Adagrad", "Adam", "AdamW", "Lion", "RMSprop", "SGD")),
]


def register_foreign_optimizers() -> None:
    """Register all of them, even if their packages are not installed.

    A class that a user registers under such a name takes precedence, as over all of the engine.
    """
    for names, package, wheel in (
        (DADAPTATION_OPTIMIZERS, "dadaptation", "dadaptation"),
        (LION_OPTIMIZERS, "lion_pytorch", "lion-pytorch"),
        (SOPHIA_OPTIMIZERS, "Sophia", "Sophia-Optimizer"),
        (BITSANDBYTES_OPTIMIZERS, "bitsandbytes.optim", "bitsandbytes"),
    ):
        for name in names:
            if name not in OPTIMIZERS.module_dict:
                _register(name, package, wheel, name.removeprefix("bnb_"))


def _register(name: str, package: str, wheel: str, attribute: str) -> None:
    """Register a function that builds an optimizer of another package.

    Args:
        name: Name in the registry.
        package: Module that has the optimizer.
        wheel: Name of the distribution to install.
        attribute: Name of the optimizer in the module.
    """

    def build(params: ParamsT, *args: Any, **kwargs: Any) -> Optimizer:
        try:
            module = importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"the optimizer {name} needs {wheel}, which cannot be imported ({error}): "
                f"pip install {wheel}"
            ) from error
        made: Optimizer = getattr(module, attribute)(params, *args, **kwargs)
        return made

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"Build the optimizer {attribute} of {wheel}."
    OPTIMIZERS.register_module(module=build, name=name)


def adafactor(params: ParamsT, *args: Any, **kwargs: Any) -> Optimizer:
    """Build the optimizer of transformers, or that of torch if transformers is not installed."""
    kind: Callable[..., Optimizer] = torch.optim.Adafactor
    if find_spec("transformers") is not None:
        kind = importlib.import_module("transformers").Adafactor
    print_log(
        f"'Adafactor' is the optimizer of {kind.__module__.partition('.')[0]}; "
        "the one of torch is always 'TorchAdafactor'",
        logger="current",
    )
    return kind(params, *args, **kwargs)

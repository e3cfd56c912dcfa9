"""Modules that initialize their parameters from a config."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from torch import nn

from eng.logging import print_log
from eng.registry import MODELS
from eng.utils import override

from .weight_init import PretrainedInit, initialize, update_init_info
from .weight_init.record import log_record, recorded_initialization

__all__ = ["BaseModule", "ModuleDict", "ModuleList", "Sequential"]

#: A config of an initializer, or several.
InitConfig: TypeAlias = "dict[str, Any] | list[dict[str, Any]] | None"


class BaseModule(nn.Module):
    """An :class:`torch.nn.Module` whose parameters are initialized by a config.

    Args:
        init_cfg: One config of an initializer or several, see :func:`initialize`. Defaults to
            None: the initialization in the constructors of torch's layers.

    Attributes:
        init_cfg: A copy of the config.
    """

    def __init__(self, init_cfg: InitConfig = None) -> None:
        super().__init__()
        self._is_init = False
        self.init_cfg = copy.deepcopy(init_cfg)

    @property
    def is_init(self) -> bool:
        """Whether :meth:`init_weights` has run, or is to be skipped."""
        return self._is_init

    @is_init.setter
    def is_init(self, value: bool) -> None:
        self._is_init = value

    def init_weights(self) -> None:
        """Initialize the parameters, those of this module first and then those of its children.

        A pretrained checkpoint of this module is loaded last, so that children do not overwrite
        it. Runs once: a second call warns and changes nothing. The outermost call logs how each
        parameter was initialized.
        """
        if self._is_init:
            print_log(
                f"init_weights of {type(self).__name__} has already run: nothing is changed.",
                logger="current",
                level=logging.WARNING,
            )
            return
        configs = [self.init_cfg] if isinstance(self.init_cfg, Mapping) else self.init_cfg or []
        pretrained = [cfg for cfg in configs if _is_pretrained(cfg)]
        others = [cfg for cfg in configs if not _is_pretrained(cfg)]
        with recorded_initialization(self, self._dump_init_info):
            if others:
                initialize(self, others)
            for child in self.children():
                _init_child(child)
            if pretrained:
                initialize(self, pretrained)
        self._is_init = True

    def _dump_init_info(self) -> None:
        """Log how each parameter was initialized: only to the log file, if it exists."""
        log_record(self)

    @override
    def __repr__(self) -> str:
        text = super().__repr__()
        return f"{text}\ninit_cfg={self.init_cfg}" if self.init_cfg else text


def _is_pretrained(cfg: object) -> bool:
    kind = cfg.get("type") if isinstance(cfg, Mapping) else None
    return kind in ("Pretrained", "PretrainedInit", PretrainedInit)


def _init_child(child: nn.Module) -> None:
    """Initialize a child that has ``init_weights``, itself or inside a data parallel wrapper."""
    if not hasattr(child, "init_weights"):
        child = getattr(child, "module", child)
    init_weights = getattr(child, "init_weights", None)
    if init_weights is None or getattr(child, "is_init", False):
        return
    init_weights()
    if not isinstance(child, BaseModule) or type(child).init_weights is not BaseModule.init_weights:
        update_init_info(child, f"init_weights of {type(child).__name__}")


@MODELS.register_module()
class Sequential(BaseModule, nn.Sequential):
    """:class:`torch.nn.Sequential` with an ``init_cfg``.

    Args:
        *args: The modules.
        init_cfg: See :class:`BaseModule`. Defaults to None.
    """

    def __init__(self, *args: Any, init_cfg: InitConfig = None) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.Sequential.__init__(self, *args)


@MODELS.register_module()
class ModuleList(BaseModule, nn.ModuleList):
    """:class:`torch.nn.ModuleList` with an ``init_cfg``.

    Args:
        modules: The modules. Defaults to none.
        init_cfg: See :class:`BaseModule`. Defaults to None.
    """

    def __init__(
        self, modules: Iterable[nn.Module] | None = None, init_cfg: InitConfig = None
    ) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleList.__init__(self, modules)


@MODELS.register_module()
class ModuleDict(BaseModule, nn.ModuleDict):
    """:class:`torch.nn.ModuleDict` with an ``init_cfg``.

    Args:
        modules: The modules by name. Defaults to none.
        init_cfg: See :class:`BaseModule`. Defaults to None.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module] | None = None, init_cfg: InitConfig = None
    ) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleDict.__init__(self, modules)

"""Test a model on several augmentations of each sample."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from torch import nn

from eng.dataset import has_named_loaders
from eng.registry import HOOKS, MODELS, RUNNERS, PartConfig
from eng.utils import override

from .errors import HookAssertionError, HookTypeError
from .hook import Hook
from .protocol import HookRunner

__all__ = ["PrepareTTAHook", "build_runner_with_tta"]


@HOOKS.register_module()
class PrepareTTAHook(Hook):
    """Wraps the model for test-time augmentation while it is tested.

    Args:
        tta_cfg: Config of the model, a :class:`eng.model.BaseTTAModel` without its ``module``.

    Raises:
        TypeError: If it is not a dict.
    """

    def __init__(self, tta_cfg: PartConfig) -> None:
        if not isinstance(tta_cfg, Mapping):
            raise HookTypeError(
                f"PrepareTTAHook: tta_cfg must be the config of a model, got {tta_cfg!r}"
            )
        self.tta_cfg = tta_cfg
        self._model: nn.Module | None = None

    @override
    def before_test(self, runner: HookRunner) -> None:
        """Wrap the model."""
        if self._model is None:
            self._model = runner.model
            runner.model = MODELS.build({**self.tta_cfg, "module": runner.model})

    @override
    def after_test(self, runner: HookRunner) -> None:
        """Unwrap the model."""
        if self._model is not None:
            runner.model, self._model = self._model, None

    def after_interrupted_test(self, runner: HookRunner) -> None:
        """See :meth:`after_test`."""
        self.after_test(runner)


def build_runner_with_tta(cfg: Mapping[str, Any]) -> Any:
    """Build a runner that tests with test-time augmentation.

    Args:
        cfg: Config of the run with ``tta_model``, the config of its model, and ``tta_pipeline``,
            the transforms of the test data. It is not changed.

    Returns:
        The runner, of the class that ``runner_type`` names.

    Raises:
        AssertionError: If one of them is missing, or ``test_dataloader``.
    """
    for key in ("tta_model", "tta_pipeline", "test_dataloader"):
        if cfg.get(key) is None:
            raise HookAssertionError(
                f"test-time augmentation needs {key!r} in the config; it has {sorted(cfg)}"
            )
    cfg = copy.deepcopy(cfg)
    loader = cfg["test_dataloader"]
    for each in loader.values() if has_named_loaders(loader) else [loader]:
        _set_pipeline(each["dataset"], cfg["tta_pipeline"])
    runner = RUNNERS.build(cfg)
    runner.register_hook(PrepareTTAHook(tta_cfg=copy.deepcopy(cfg["tta_model"])))
    return runner


def _set_pipeline(dataset: MutableMapping[str, Any], pipeline: object) -> None:
    """Replace the transforms of a dataset, or of the datasets inside of a wrapper."""
    inner = dataset.get("datasets", dataset.get("dataset")) if "pipeline" not in dataset else None
    if isinstance(inner, MutableMapping):
        _set_pipeline(inner, pipeline)
    elif isinstance(inner, (list, tuple)):
        for each in inner:
            _set_pipeline(each, pipeline)
    else:
        dataset["pipeline"] = pipeline

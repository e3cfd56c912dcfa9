"""The base of inferencers."""

from __future__ import annotations

import logging
import os
import re
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from eng.checkpoint import CheckpointLoader, load_state_dict, model_state
from eng.config import Config, ConfigDict
from eng.dataset import pseudo_collate
from eng.device import get_device
from eng.hub import (
    MODULE2PACKAGE,
    find_model_folder,
    list_metafile_models,
    names_of_model,
)
from eng.logging import print_log
from eng.registry import FUNCTIONS, MODELS, VISUALIZERS, DefaultScope
from eng.structures import BaseDataElement, InstanceData
from eng.utils import ProgressBar
from eng.vis import Visualizer

from . import kwargs as step_kwargs
from .inputs import list_inputs, take_chunks
from .sources import config_of_checkpoint, copy_config, find_in_metafiles, read_config

__all__ = [
    "BaseInferencer",
    "ConfigType",
    "ImgType",
    "InferencerMeta",
    "InputType",
    "InputsType",
    "InstanceList",
    "ModelType",
    "ResType",
]

ConfigType: TypeAlias = Config | ConfigDict
ModelType: TypeAlias = dict[str, Any] | ConfigType | str
InputType: TypeAlias = str | np.ndarray | Tensor
InputsType: TypeAlias = InputType | Sequence[InputType]
ImgType: TypeAlias = np.ndarray | Sequence[np.ndarray]
InstanceList: TypeAlias = list[InstanceData]
ResType: TypeAlias = dict[str, Any] | BaseDataElement | InstanceData | InstanceList


#: Names of weights lose the prefix of a wrapper for several devices.
REVISE = [(r"^module\.", "")]


class InferencerMeta(ABCMeta):
    """Checks the names of arguments of each inferencer when it is defined.

    Raises:
        AssertionError: If ``preprocess_kwargs``, ``forward_kwargs``, ``visualize_kwargs`` or
            ``postprocess_kwargs`` is not a set, or two of them share a name.
    """

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        step_kwargs.check_names(cls)


class BaseInferencer(metaclass=InferencerMeta):
    """Predicts for inputs of any kind: preprocess, forward, visualize, postprocess.

    A subclass makes the pipeline, draws pictures and arranges the results. It names the arguments
    that a call may have in four sets, by the step that gets them.

    Args:
        model: The model: path of a config file, ``'package::path'`` of a config of a package, a
            name in the metafiles of the scope's package, or a config, which is copied. Defaults
            to None: the config is read from the checkpoint.
        weights: Path or address of a checkpoint. Defaults to None: that of the metafiles.
        device: Where the model runs. Defaults to None, see :func:`eng.device.get_device`.
        scope: Scope of the registries. Defaults to None, the ``default_scope`` of the model's
            config, and where it names none, the current one.
        show_progress: Whether to show a progress bar. Defaults to True.

    Raises:
        TypeError: If the model is of another type.
        ValueError: If neither a model nor weights are given, or no model has the name.
    """

    preprocess_kwargs: ClassVar[set[str]] = set()
    forward_kwargs: ClassVar[set[str]] = set()
    visualize_kwargs: ClassVar[set[str]] = set()
    postprocess_kwargs: ClassVar[set[str]] = set()

    def __init__(
        self,
        model: ModelType | None = None,
        weights: str | None = None,
        device: str | None = None,
        scope: str | None = None,
        show_progress: bool = True,
    ) -> None:
        current = DefaultScope.get_current_instance()
        self.scope = current.scope_name if scope is None and current is not None else scope
        cfg, weights = self._find_model(model, weights)
        self.device = get_device() if device is None else device
        if scope is None:  # the model's own says more than that of whatever ran before
            self.scope = cfg.get("default_scope") or self.scope
        with DefaultScope.overwrite_default_scope(self.scope):
            self.model = self._init_model(cfg, weights, self.device)
            self.pipeline = self._init_pipeline(cfg)
            self.collate_fn = self._init_collate(cfg)
            self.visualizer = self._init_visualizer(cfg)
        self.cfg = cfg
        self.show_progress = show_progress

    def __call__(
        self,
        inputs: InputsType,
        return_datasamples: bool = False,
        batch_size: int = 1,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Predict.

        Args:
            inputs: An input, such as an array or the path of a file, a list of inputs, or the path
                of a folder of files.
            return_datasamples: Whether the predictions stay as the model makes them. Defaults to
                False.
            batch_size: Inputs that the model gets at once. Defaults to 1.
            **kwargs: Arguments of the steps, by the names in the four sets.

        Returns:
            What :meth:`postprocess` makes of it.

        Raises:
            ValueError: If an argument belongs to no step, or the batch size is below 1.
        """
        before, during, drawing, after = self._dispatch_kwargs(**kwargs)
        listed = self._inputs_to_list(inputs)
        batches = self.preprocess(listed, batch_size=batch_size, **before)
        preds: list[Any] = []
        bar = ProgressBar(_length(listed)) if self.show_progress else None
        for batch in batches:
            found = list(self.forward(batch, **during))
            preds.extend(found)
            if bar is not None and found:
                bar.update(len(found))
        if bar is not None:
            bar.finish()
        visualization = self.visualize(listed, preds, **drawing)
        return self.postprocess(preds, visualization, return_datasamples, **after)

    def preprocess(self, inputs: InputsType, batch_size: int = 1, **kwargs: Any) -> Iterator[Any]:
        """Put inputs through the pipeline and into batches.

        Args:
            inputs: The inputs.
            batch_size: Inputs of a batch. Defaults to 1.
            **kwargs: Arguments that ``preprocess_kwargs`` names.

        Yields:
            The batches.
        """
        yield from map(
            self.collate_fn, self._get_chunk_data(map(self.pipeline, inputs), batch_size)
        )

    @torch.no_grad()
    def forward(self, inputs: dict[str, Any] | tuple[Any, ...], **kwargs: Any) -> Any:
        """Run the model on a batch, without gradients.

        Args:
            inputs: The batch.
            **kwargs: Arguments that ``forward_kwargs`` names.

        Returns:
            The predictions of the batch, one for each input.
        """
        return self.model.test_step(inputs)  # type: ignore[operator]

    @abstractmethod
    def visualize(
        self, inputs: list[Any], preds: Any, show: bool = False, **kwargs: Any
    ) -> list[np.ndarray] | None:
        """Draw predictions.

        Args:
            inputs: The inputs.
            preds: The predictions of all of them.
            show: Whether to show them in a window. Defaults to False.
            **kwargs: Arguments that ``visualize_kwargs`` names.

        Returns:
            The pictures, or None if nothing was to be drawn.
        """

    @abstractmethod
    def postprocess(
        self,
        preds: Any,
        visualization: list[np.ndarray] | None,
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Arrange the results of a call.

        Args:
            preds: The predictions.
            visualization: The pictures.
            return_datasample: Whether the predictions stay as the model makes them. Defaults to
                False.
            **kwargs: Arguments that ``postprocess_kwargs`` names.

        Returns:
            The results, as a rule ``predictions`` and ``visualization``.
        """

    @abstractmethod
    def _init_pipeline(self, cfg: ConfigType) -> Callable[[Any], Any]:
        """Make what turns an input into data of the model.

        Args:
            cfg: The config.

        Returns:
            The pipeline.
        """

    def _init_model(self, cfg: ConfigType, weights: str | None, device: str = "cpu") -> nn.Module:
        """Build the model with its weights. An empty config is filled from the checkpoint."""
        checkpoint = None
        if weights is not None:
            checkpoint = CheckpointLoader.load_checkpoint(weights, map_location="cpu")
        if not cfg:
            if checkpoint is None:
                raise AssertionError(
                    "the config is empty, and there are no weights to read it from"
                )
            cfg.update(config_of_checkpoint(checkpoint))
        if not isinstance(cfg.get("model"), Mapping):
            raise ValueError(
                f"the config needs 'model', the config of the model, not {cfg.get('model')!r}; "
                f"it has {sorted(cfg)}"
            )
        cfg.model.pop("pretrained", None)  # the weights of the backbone alone
        model: nn.Module = MODELS.build(cfg.model)
        model.cfg = cfg  # type: ignore[assignment]
        self._load_weights_to_model(model, checkpoint, cfg)
        return model.to(device).eval()

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict[str, Any] | None, cfg: ConfigType | None
    ) -> None:
        """Load the weights of a checkpoint; without one, warn."""
        if checkpoint is None:
            warnings.warn(
                "no checkpoint is loaded: the weights of the model are random", stacklevel=2
            )
            return
        load_state_dict(model, model_state(checkpoint, "the checkpoint", REVISE), logger="current")

    def _init_collate(self, cfg: ConfigType) -> Callable[[list[Any]], Any]:
        """Find what makes a batch of samples, as the test data loader of the config has it."""
        loader = cfg.get("test_dataloader")
        given = loader.get("collate_fn") if isinstance(loader, Mapping) else None
        given = given or "pseudo_collate"
        settings = {"type": given} if not isinstance(given, Mapping) else dict(given)
        function, scope = settings.pop("type"), settings.pop("_scope_", self.scope)
        if function == "pseudo_collate":
            function = pseudo_collate
        elif isinstance(function, str):
            function = FUNCTIONS.type_of({"type": function, "_scope_": scope})
        if not callable(function):
            raise TypeError(f"collate_fn must be a function or the name of one, not {function!r}")
        return partial(function, **settings) if settings else function

    def _init_visualizer(self, cfg: ConfigType) -> Visualizer | None:
        """Build the visualizer of the config, under a name that no other has."""
        if not isinstance(cfg.get("visualizer"), Mapping):
            return cfg.get("visualizer")  # none, or one that is built
        now = str(datetime.now().timestamp())
        name = cfg.visualizer.get("name", now)
        if _is_taken(cfg.visualizer, name):
            name = f"{name}-{now}"
        cfg.visualizer.name = name
        return VISUALIZERS.build(cfg.visualizer)

    def _inputs_to_list(self, inputs: InputsType) -> list[Any]:
        """List inputs: the items of a list or tuple, the files of a folder, or the input itself."""
        return list_inputs(inputs)

    def _get_chunk_data(self, inputs: Iterable[Any], chunk_size: int) -> Iterator[list[Any]]:
        """Cut inputs into lists of a size."""
        yield from take_chunks(inputs, chunk_size)

    def _dispatch_kwargs(self, **kwargs: Any) -> tuple[dict[str, Any], ...]:
        """Split the arguments of a call by step: preprocess, forward, visualize, postprocess."""
        names = {step: getattr(self, f"{step}_kwargs") for step in step_kwargs.STEPS}
        return step_kwargs.dispatch(kwargs, names)

    def _find_model(self, model: Any, weights: str | None) -> tuple[ConfigType, str | None]:
        """The config of a model, and the weights that are given or that its name stands for."""
        if isinstance(model, (str, os.PathLike)):
            found = read_config(os.fspath(model))
            if found is not None:
                return found, weights
            cfg, named = self._load_model_from_metafile(os.fspath(model))
            return cfg, named if weights is None else weights
        if isinstance(model, (Config, dict)):
            return copy_config(model), weights
        if model is not None:
            raise TypeError(
                "model must be a path, the name of a model, a config, a dict or None, not "
                f"{type(model).__name__}"
            )
        if weights is None:
            raise ValueError("either model or weights must be given, but both are None")
        return ConfigDict(), weights

    def _load_model_from_metafile(self, model: str) -> tuple[Config, str | None]:
        """Find a model by its name, without regard to case, in the package of the scope."""
        _check_package(self.scope, f"{model!r} is not an existing config file; ")
        return find_in_metafiles(model, str(self.scope))

    @staticmethod
    def _get_repo_or_mim_dir(scope: str) -> str:
        """The folder that the configs and metafiles of a package are relative to."""
        return str(find_model_folder(scope))

    @staticmethod
    def _get_models_from_metafile(dir: str) -> Iterator[dict[str, Any]]:
        """The entries of all models that the index of a folder leads to."""
        yield from list_metafile_models(dir)

    @staticmethod
    def list_models(scope: str | None = None, patterns: str = ".*") -> list[str]:
        """List the names of models in the metafiles of a package, and log them.

        Args:
            scope: The package. Defaults to None, the current default scope.
            patterns: Regular expression that the beginning of a name or alias matches. Defaults to
                all.

        Returns:
            The names and aliases.

        Raises:
            AssertionError: If no scope is given and none is current, or the scope is unknown.
            ImportError: If the package is not installed.
        """
        if scope is None:
            current = DefaultScope.get_current_instance()
            scope = None if current is None else current.scope_name
        _check_package(scope)
        entries = list_metafile_models(find_model_folder(str(scope)))
        names = [name for entry in entries for name in names_of_model(entry)]
        matching = [name for name in names if re.match(patterns, name)]
        print_log("\n".join([f"Models of {scope}:", *matching]), "current", logging.INFO)
        return matching


def _check_package(scope: str | None, before: str = "") -> None:
    if scope not in MODULE2PACKAGE:
        known = ", ".join(sorted(MODULE2PACKAGE))
        raise AssertionError(
            f"{before}models have names in the scopes {known}, but the scope is {scope!r}"
        )


def _is_taken(cfg: Mapping[str, Any], name: str) -> bool:
    """Whether a visualizer of the type that a config names has the name already."""
    found = VISUALIZERS.type_of(cfg)
    owner = found if isinstance(found, type) and issubclass(found, Visualizer) else Visualizer
    return owner.check_instance_created(name)


def _length(inputs: Any) -> int:
    return len(inputs) if hasattr(inputs, "__len__") else 0

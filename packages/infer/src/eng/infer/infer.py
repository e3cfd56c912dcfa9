"""Base class of inferencers."""

from __future__ import annotations

import logging
import os
import re
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from eng.checkpoint import CheckpointLoader, complete_weights, load_state_dict, model_state
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
from eng.registry import FUNCTIONS, MODELS, VISUALIZERS, DefaultScope, PartConfig
from eng.utils import DataBatch, DataSample, ProgressBar, StateDict
from eng.vis import Visualizer

from . import kwargs as step_kwargs
from .config_loader import find_loader
from .inputs import ItemT, list_inputs, take_chunks
from .sources import config_of_checkpoint, copy_config, find_in_metafiles, read_config
from .types import (
    Arguments,
    ConfigType,
    ImgType,
    InputsType,
    InputType,
    InstanceList,
    ModelType,
    Predictions,
    ResType,
    Results,
)

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

#: Strip the prefix of a data parallel wrapper from the names of weights.
REVISE = [(r"^module\.", "")]


class InferencerMeta(ABCMeta):
    """Checks the argument names of each inferencer when its class is defined.

    Raises:
        AssertionError: If ``preprocess_kwargs``, ``forward_kwargs``, ``visualize_kwargs`` or
            ``postprocess_kwargs`` is not a set, or two of them share a name.
    """

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, object], **kwargs: object
    ) -> None:
        super().__init__(name, bases, namespace, **kwargs)
        step_kwargs.check_names(cls)


class BaseInferencer(metaclass=InferencerMeta):
    """Runs a model on inputs of any kind: preprocess, forward, visualize, postprocess.

    A subclass builds the pipeline, draws visualizations and formats the results. It declares the
    arguments of a call in four sets, by the step that receives them.

    Args:
        model: The model: path of a config file, ``'package::path'`` of a config of a package, a
            name in the metafiles of the scope's package, or a config, which is copied. Defaults
            to None: the config is read from the checkpoint.
        weights: Path or URL of a checkpoint. Defaults to None: that of the metafiles.
        device: Device of the model. Defaults to None, see :func:`eng.device.get_device`.
        scope: Scope of the registries. Defaults to None, the ``default_scope`` of the model's
            config or else the current one.
        show_progress: Whether to show a progress bar. Defaults to True.

    Raises:
        TypeError: If the model has another type.
        ValueError: If both model and weights are None, or the name of the model is unknown.
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
        if scope is None:  # the model's own takes precedence over that of an earlier run
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
        **kwargs: object,
    ) -> Results:
        """Predict.

        Args:
            inputs: An input, such as an array or the path of a file, a list of inputs, or the path
                of a directory of files.
            return_datasamples: Whether to return the predictions unchanged as data samples.
                Defaults to False.
            batch_size: Number of inputs per batch. Defaults to 1.
            **kwargs: Arguments of the steps, by the names in the four sets.

        Returns:
            Output of :meth:`postprocess`.

        Raises:
            ValueError: If an argument is unknown to all steps, or the batch size is below 1.
        """
        before, during, drawing, after = self._dispatch_kwargs(**kwargs)
        listed = self._inputs_to_list(inputs)
        batches = self.preprocess(listed, batch_size=batch_size, **before)
        preds: list[DataSample] = []
        bar = ProgressBar(_count(listed)) if self.show_progress else None
        for batch in batches:
            found = list(self.forward(batch, **during))
            preds.extend(found)
            if bar is not None and found:
                bar.update(len(found))
        if bar is not None:
            bar.finish()
        visualization = self.visualize(listed, preds, **drawing)
        return self.postprocess(preds, visualization, return_datasamples, **after)

    def preprocess(
        self, inputs: InputsType, batch_size: int = 1, **kwargs: Any
    ) -> Iterator[DataBatch]:
        """Apply the pipeline to inputs and collate them to batches.

        Args:
            inputs: The inputs.
            batch_size: Number of inputs per batch. Defaults to 1.
            **kwargs: Arguments in ``preprocess_kwargs``.

        Yields:
            The batches.
        """
        yield from map(
            self.collate_fn, self._get_chunk_data(map(self.pipeline, inputs), batch_size)
        )

    @torch.no_grad()
    def forward(self, inputs: DataBatch, **kwargs: Any) -> Predictions:
        """Run the model on a batch, without gradients.

        Args:
            inputs: The batch.
            **kwargs: Arguments in ``forward_kwargs``.

        Returns:
            The predictions of the batch, one for each input.
        """
        return self.model.test_step(inputs)  # type: ignore[operator]

    @abstractmethod
    def visualize(
        self, inputs: list[InputType], preds: Predictions, show: bool = False, **kwargs: Any
    ) -> list[np.ndarray] | None:
        """Visualize predictions.

        Args:
            inputs: The inputs.
            preds: The predictions of all inputs.
            show: Whether to show them in a window. Defaults to False.
            **kwargs: Arguments in ``visualize_kwargs``.

        Returns:
            The images, or None if nothing is drawn.
        """

    @abstractmethod
    def postprocess(
        self,
        preds: Predictions,
        visualization: list[np.ndarray] | None,
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> Results:
        """Format the results of a call.

        Args:
            preds: The predictions.
            visualization: The images.
            return_datasample: Whether to return the predictions unchanged as data samples.
                Defaults to False.
            **kwargs: Arguments in ``postprocess_kwargs``.

        Returns:
            The results, as a rule ``predictions`` and ``visualization``.
        """

    @abstractmethod
    def _init_pipeline(self, cfg: ConfigType) -> Callable[[InputType], DataSample]:
        """Build the pipeline, which converts an input to data of the model.

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
                    "the config is empty, and without weights it cannot be read from a checkpoint"
                )
            cfg.update(config_of_checkpoint(checkpoint))
        if not isinstance(cfg.get("model"), Mapping):
            raise ValueError(
                f"the config needs the key 'model', a dict, not {cfg.get('model')!r}; "
                f"it has {sorted(cfg)}"
            )
        cfg.model.pop("pretrained", None)  # would download weights that the checkpoint overwrites
        model: nn.Module = MODELS.build(cfg.model)
        model.cfg = cfg  # type: ignore[assignment]
        self._load_weights_to_model(model, checkpoint, cfg)
        return model.to(device).eval()

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: StateDict | None, cfg: ConfigType | None
    ) -> None:
        """Load the weights of a checkpoint; without one, warn."""
        if checkpoint is None:
            warnings.warn(
                "no checkpoint is loaded: the weights of the model are random", stacklevel=2
            )
            return
        checkpoint = complete_weights(model, checkpoint, "the checkpoint", "current")
        load_state_dict(model, model_state(checkpoint, "the checkpoint", REVISE), logger="current")

    def _init_collate(self, cfg: ConfigType) -> Callable[[list[DataSample]], DataBatch]:
        """Find the collate function of the test data loader in the config."""
        loader = find_loader(cfg, "test_dataloader")
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
        """Build the visualizer of the config, under a unique name."""
        if not isinstance(cfg.get("visualizer"), Mapping):
            return cfg.get("visualizer")  # None, or an instance
        now = str(datetime.now().timestamp())
        name = cfg.visualizer.get("name", now)
        if _is_taken(cfg.visualizer, name):
            name = f"{name}-{now}"
        cfg.visualizer.name = name
        return VISUALIZERS.build(cfg.visualizer)

    def _inputs_to_list(self, inputs: InputsType) -> list[InputType]:
        """List the items of a list or tuple, the files of a directory, or the input itself."""
        return list_inputs(inputs)

    def _get_chunk_data(self, inputs: Iterable[ItemT], chunk_size: int) -> Iterator[list[ItemT]]:
        """Split inputs into lists of a size."""
        yield from take_chunks(inputs, chunk_size)

    def _dispatch_kwargs(self, **kwargs: object) -> tuple[Arguments, ...]:
        """Split the arguments of a call by step: preprocess, forward, visualize, postprocess."""
        names = {step: getattr(self, f"{step}_kwargs") for step in step_kwargs.STEPS}
        return step_kwargs.dispatch(kwargs, names)

    def _find_model(
        self, model: ModelType | os.PathLike[str] | None, weights: str | None
    ) -> tuple[ConfigType, str | None]:
        """Find the config of a model, and its weights unless they are set."""
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
            raise ValueError("set model or weights: both are None")
        return ConfigDict(), weights

    def _load_model_from_metafile(self, model: str) -> tuple[Config, str | None]:
        """Find a model by its case-insensitive name in the package of the scope."""
        _check_package(self.scope, f"{model!r} is not an existing config file; ")
        return find_in_metafiles(model, str(self.scope))

    @staticmethod
    def _get_repo_or_mim_dir(scope: str) -> str:
        """Return the directory that the configs and metafiles of a package are relative to."""
        return str(find_model_folder(scope))

    @staticmethod
    def _get_models_from_metafile(dir: str) -> Iterator[StateDict]:
        """Yield the entries of all models in the index of a directory."""
        yield from list_metafile_models(dir)

    @staticmethod
    def list_models(scope: str | None = None, patterns: str = ".*") -> list[str]:
        """List the names of models in the metafiles of a package, and log them.

        Args:
            scope: The package. Defaults to None, the current default scope.
            patterns: Regular expression to match at the start of a name or alias. Defaults to all.

        Returns:
            The names and aliases.

        Raises:
            AssertionError: If the scope is unknown, or None without a current default scope.
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
            f"{before}to find a model by its name, scope must be one of {known}, not {scope!r}"
        )


def _is_taken(cfg: PartConfig, name: str) -> bool:
    """Whether a visualizer of the type in a config already has the name."""
    found = VISUALIZERS.type_of(cfg)
    owner = found if isinstance(found, type) and issubclass(found, Visualizer) else Visualizer
    return owner.check_instance_created(name)


def _count(inputs: object) -> int:
    return len(inputs) if hasattr(inputs, "__len__") else 0

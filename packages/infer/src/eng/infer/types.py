"""Types of inputs, models, predictions and results of inferencers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from eng.config import Config, ConfigDict
from eng.structures import BaseDataElement, InstanceData

__all__ = [
    "Arguments",
    "ConfigType",
    "ImgType",
    "InputType",
    "InputsType",
    "InstanceList",
    "ModelType",
    "Predictions",
    "ResType",
    "Results",
]

#: Arguments of a step of a call, by name.
Arguments: TypeAlias = dict[str, Any]

#: Results of a call by name, as a rule ``predictions`` and ``visualization``.
Results: TypeAlias = dict[str, Any]

ConfigType: TypeAlias = Config | ConfigDict
ModelType: TypeAlias = dict[str, Any] | ConfigType | str
InputType: TypeAlias = str | np.ndarray | Tensor
InputsType: TypeAlias = InputType | Sequence[InputType]
ImgType: TypeAlias = np.ndarray | Sequence[np.ndarray]
InstanceList: TypeAlias = list[InstanceData]
ResType: TypeAlias = Results | BaseDataElement | InstanceData | InstanceList

#: Predictions of a model: whatever its ``test_step`` returns, which differs between tasks.
Predictions: TypeAlias = Any

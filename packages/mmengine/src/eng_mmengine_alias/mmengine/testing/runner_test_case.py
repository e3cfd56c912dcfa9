"""Names of mmengine.testing.runner_test_case, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.dist import is_distributed as is_distributed
    from eng.evaluator import BaseMetric as BaseMetric
    from eng.logging import MMLogger as MMLogger
    from eng.logging import MessageHub as MessageHub
    from eng.model import BaseModel as BaseModel
    from eng.registry import DATASETS as DATASETS
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import METRICS as METRICS
    from eng.registry import MODELS as MODELS
    from eng.runner import Runner as Runner
    from eng.runner.testing import RunnerTestCase as RunnerTestCase
    from eng.runner.testing import ToyDataset as ToyDataset
    from eng.runner.testing import ToyMetric as ToyMetric
    from eng.runner.testing import ToyModel as ToyModel
    from eng.vis import Visualizer as Visualizer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config",
        "eng.dist": "is_distributed",
        "eng.evaluator": "BaseMetric",
        "eng.logging": "MMLogger MessageHub",
        "eng.model": "BaseModel",
        "eng.registry": "DATASETS DefaultScope METRICS MODELS",
        "eng.runner": "Runner",
        "eng.runner.testing": "RunnerTestCase ToyDataset ToyMetric ToyModel",
        "eng.vis": "Visualizer",
    },
)

"""Names of mmengine.runner.loops, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import autocast as autocast
    from eng.evaluator import Evaluator as Evaluator
    from eng.logging import HistoryBuffer as HistoryBuffer
    from eng.logging import print_log as print_log
    from eng.registry import LOOPS as LOOPS
    from eng.runner import BaseLoop as BaseLoop
    from eng.runner import EpochBasedTrainLoop as EpochBasedTrainLoop
    from eng.runner import IterBasedTrainLoop as IterBasedTrainLoop
    from eng.runner import TestLoop as TestLoop
    from eng.runner import ValLoop as ValLoop
    from eng.runner import calc_dynamic_intervals as calc_dynamic_intervals
    from eng.runner.older_names import _InfiniteDataloaderIterator as _InfiniteDataloaderIterator
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "autocast",
        "eng.evaluator": "Evaluator",
        "eng.logging": "HistoryBuffer print_log",
        "eng.registry": "LOOPS",
        "eng.runner": "BaseLoop EpochBasedTrainLoop IterBasedTrainLoop TestLoop ValLoop calc_dynamic_intervals",
        "eng.runner.older_names": "_InfiniteDataloaderIterator",
        "eng.structures": "BaseDataElement",
        "eng.utils": "is_list_of",
    },
)

"""Hooks: actions at the stages of a run."""

from typing import TYPE_CHECKING

from .batch_hash import hash_batch
from .batch_record_hook import BatchRecordHook
from .best_checkpoint import BestCheckpoint, BestCheckpoints, find_best_checkpoint
from .best_rule import infer_rule
from .checkpoint_hook import CheckpointHook
from .early_stopping_hook import EarlyStoppingHook
from .ema_hook import EMAHook
from .empty_cache_hook import EmptyCacheHook
from .freeze_hook import FreezeHook
from .hook import Hook
from .iter_timer_hook import IterTimerHook
from .logger_hook import LoggerHook
from .model_statistics_hook import ModelStatisticsHook
from .naive_visualization_hook import NaiveVisualizationHook
from .param_scheduler_hook import ParamSchedulerHook
from .parameter_report_hook import ParameterReportHook
from .prepare_tta_hook import PrepareTTAHook, build_runner_with_tta
from .priority import Priority, get_priority
from .profiler_hook import ProfilerHook
from .protocol import CheckpointWriter, HookRunner, HookRunState, HookTrainLoop
from .record import read_record
from .run_id import run_id_of
from .runtime_info_hook import RuntimeInfoHook
from .sampler_seed_hook import DistSamplerSeedHook
from .slow_rank_hook import SlowRankHook
from .sync_buffer_hook import SyncBuffersHook
from .throughput_hook import ThroughputHook
from .trained_only_hook import TrainedOnlyHook
from .values import scalar_of

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "BatchRecordHook",
    "BestCheckpoint",
    "BestCheckpoints",
    "CheckpointHook",
    "CheckpointWriter",
    "DistSamplerSeedHook",
    "EMAHook",
    "EarlyStoppingHook",
    "EmptyCacheHook",
    "FreezeHook",
    "Hook",
    "HookRunState",
    "HookRunner",
    "HookTrainLoop",
    "IterTimerHook",
    "LoggerHook",
    "ModelStatisticsHook",
    "NaiveVisualizationHook",
    "ParamSchedulerHook",
    "ParameterReportHook",
    "PrepareTTAHook",
    "Priority",
    "ProfilerHook",
    "RuntimeInfoHook",
    "SlowRankHook",
    "SyncBuffersHook",
    "ThroughputHook",
    "TrainedOnlyHook",
    "build_runner_with_tta",
    "find_best_checkpoint",
    "get_priority",
    "hash_batch",
    "infer_rule",
    "read_record",
    "run_id_of",
    "scalar_of",
]

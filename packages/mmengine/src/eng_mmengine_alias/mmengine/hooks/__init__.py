"""Names of mmengine.hooks, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import CheckpointHook as CheckpointHook
    from eng.hooks import DistSamplerSeedHook as DistSamplerSeedHook
    from eng.hooks import EMAHook as EMAHook
    from eng.hooks import EarlyStoppingHook as EarlyStoppingHook
    from eng.hooks import EmptyCacheHook as EmptyCacheHook
    from eng.hooks import Hook as Hook
    from eng.hooks import IterTimerHook as IterTimerHook
    from eng.hooks import LoggerHook as LoggerHook
    from eng.hooks import NaiveVisualizationHook as NaiveVisualizationHook
    from eng.hooks import ParamSchedulerHook as ParamSchedulerHook
    from eng.hooks import PrepareTTAHook as PrepareTTAHook
    from eng.hooks import ProfilerHook as ProfilerHook
    from eng.hooks import RuntimeInfoHook as RuntimeInfoHook
    from eng.hooks import SyncBuffersHook as SyncBuffersHook

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "CheckpointHook DistSamplerSeedHook EMAHook EarlyStoppingHook EmptyCacheHook Hook IterTimerHook LoggerHook NaiveVisualizationHook ParamSchedulerHook PrepareTTAHook ProfilerHook RuntimeInfoHook SyncBuffersHook",
    },
    missing={
        "NPUProfilerHook": "use ProfilerHook",
    },
    modules="checkpoint_hook early_stopping_hook ema_hook empty_cache_hook hook iter_timer_hook logger_hook naive_visualization_hook param_scheduler_hook profiler_hook runtime_info_hook sampler_seed_hook sync_buffer_hook test_time_aug_hook",
)

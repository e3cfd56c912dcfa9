"""Settings of a data loader that the runner reads itself, beside the arguments of torch."""

from __future__ import annotations

__all__ = ["LOADER_SETTINGS"]

#: What the builder of data loaders reads or builds itself.
LOADER_SETTINGS = (
    "dataset",
    "sampler",
    "batch_sampler",
    "collate_fn",
    "worker_init_fn",
    "num_batch_per_epoch",
    "disable_subprocess_warning",
    "prefetch_to_device",
)

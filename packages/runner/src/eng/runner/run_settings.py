"""Settings of a run's config that are not arguments of the runner, and some of its parts."""

from __future__ import annotations

__all__ = ["RUN_SETTINGS"]

#: Dotted names in a config, with what they do.
RUN_SETTINGS = {
    "activation_checkpointing": "Recompute modules in the backward pass, which needs less memory.",
    "compile": "Compile the training step, the model or its blocks by torch.compile.",
    "custom_imports": "Modules to import first, which register parts.",
    "efficient_conv_bn_eval": "Fold batch norms in evaluation mode into convolutions.",
    "find_unused_parameters": "Train parts of a model in turn, in several processes.",
    "interruption": "What happens at a signal or a time limit: save and end.",
    "keep_global_batch": "Accumulate to keep the samples of an update on other processes.",
    "model_wrapper_cfg": "How a model is wrapped for several processes.",
    "nan_loss": "Stop, skip the update or go back at losses that are NaN, infinite or spikes.",
    "on_oom": "'shrink' goes on in micro-batches when memory runs out.",
    "optim_wrapper.accumulative_counts": "Accumulate the gradients of several iterations.",
    "optim_wrapper.closure": "Train by an optimizer whose step takes a closure, such as SAM.",
    "optim_wrapper.loss_normalizer": "Average losses over the samples or tokens of an update.",
    "parallel": "Spread the model over processes: replicas, shards, split layers, recomputation.",
    "progress_bar": "Show a progress bar on a terminal.",
    "resume_schedule": "Follow the schedule of the checkpoint or of the config after a resume.",
    "runner_type": "Class of the runner.",
    "sync_bn": "Synchronise batch norms over processes.",
    "test_dataloader.<name>": "Test on several sets by name, whose metrics get it as prefix.",
    "val_cfg.loss": "Make the losses of the model metrics of validation.",
    "val_dataloader.<name>": "Validate on several sets by name, whose metrics get it as prefix.",
}

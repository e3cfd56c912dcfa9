# Train a small language model on the licence of the project:
#     eng train examples/language_model/config.py
custom_imports = dict(imports=["small_transformer"])
default_scope = "eng"

length = 64
model = dict(type="SmallTransformer", width=64, depth=2, heads=4, length=length)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(type="TextWindows", split="train", length=length),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
    drop_last=True,
)
val_dataloader = dict(
    batch_size=8,
    dataset=dict(type="TextWindows", split="val", length=length),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=0.003, weight_decay=0.01, foreach=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=20),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=20),
]
train_cfg = dict(by_epoch=False, max_iters=120, val_interval=40)
val_cfg = dict(loss=True)
val_evaluator = dict(type="Perplexity")
default_hooks = dict(
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=40, max_keep_ckpts=2),
    logger=dict(type="LoggerHook", interval=10, log_metric_by_epoch=False),
)
log_processor = dict(by_epoch=False)
randomness = dict(seed=0)
work_dir = "work_dirs/language_model/plain"

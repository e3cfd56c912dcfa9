# Train a small convolutional network on handwritten digits:
#     eng train examples/digits/config.py
_base_ = "base.py"
custom_imports = dict(imports=["digits"])

max_epochs = 15
batch_size = 64

model = dict(type="DigitsNet", channels=32)

train_dataloader = dict(
    batch_size=batch_size,
    num_workers=0,
    dataset=dict(type="DigitsDataset", split="train"),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=0,
    dataset=dict(type="DigitsDataset", split="val"),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
test_dataloader = val_dataloader

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=3e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=5.0),
)
param_scheduler = [
    # Warm up over the first iterations ...
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    # ... and fall along a cosine, given in epochs and done by iterations.
    dict(
        type="CosineAnnealingLR",
        T_max=max_epochs,
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]

train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
val_evaluator = dict(type="Accuracy")
test_evaluator = val_evaluator

# How eng predict reads images. It is imported only then.
inferencer = dict(type="inferencer.DigitsInferencer")

custom_hooks = [dict(type="EMAHook", momentum=0.05)]
randomness = dict(seed=0)

# Settings of train_text.py; change them on the command line by --cfg-options.
epochs = 6
batch_size = 32  # of all processes together
samples = 640
seed = 0

model = dict(width=48)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=5e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=20),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=20, T_max=100),
]
evaluator = [dict(type="Accuracy"), dict(type="ConfusionMatrix")]

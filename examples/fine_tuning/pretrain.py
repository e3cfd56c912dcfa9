# Train the whole network on the digits 0 to 4:
#     eng train examples/fine_tuning/pretrain.py
custom_imports = dict(imports=["small_resnet"])
default_scope = "eng"

digits = [0, 1, 2, 3, 4]
model = dict(
    type="ImageClassifier",
    backbone=dict(type="SmallResNet", width=16),
    features=64,
    num_classes=len(digits),
)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(type="SomeDigits", digits=digits, split="train"),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
val_dataloader = dict(
    batch_size=256,
    dataset=dict(type="SomeDigits", digits=digits, split="val"),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=0.003))
param_scheduler = dict(type="CosineAnnealingLR", convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=6)
val_cfg = dict()
val_evaluator = dict(type="Accuracy")
randomness = dict(seed=0)
work_dir = "work_dirs/fine_tuning/pretrain"

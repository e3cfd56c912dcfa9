"""The config of these pages."""

custom_imports = dict(imports=["tiny"])  # registers Digits, Net and Accuracy

model = dict(type="Net", width=32)
train_dataloader = dict(
    batch_size=20,
    dataset=dict(type="Digits", split="train"),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
val_dataloader = dict(
    batch_size=50,
    dataset=dict(type="Digits", split="val"),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
val_evaluator = dict(type="Accuracy")
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=0.01))
train_cfg = dict(by_epoch=True, max_epochs=3)
val_cfg = dict()
test_dataloader, test_evaluator, test_cfg = val_dataloader, val_evaluator, val_cfg
randomness = dict(seed=0)
work_dir = "runs/tiny"

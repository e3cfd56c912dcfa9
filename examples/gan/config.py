# Train a generator and a discriminator, each with an optimizer of its own:
#     eng train examples/gan/config.py
custom_imports = dict(imports=["gan"])
default_scope = "eng"

model = dict(type="GAN")
train_dataloader = dict(
    batch_size=128,
    dataset=dict(type="Ring", length=4096),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
val_dataloader = dict(
    batch_size=256,
    dataset=dict(type="Ring", length=1024),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
adam = dict(optimizer=dict(type="Adam", lr=1e-3, betas=(0.5, 0.9)))
optim_wrapper = dict(constructor="TwoOptimizers", generator=adam, discriminator=adam)
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=10)
val_cfg = dict()
val_evaluator = dict(type="RingCoverage")
default_hooks = dict(checkpoint=dict(type="CheckpointHook", interval=10, max_keep_ckpts=1))
custom_hooks = [dict(type="DrawPoints")]
randomness = dict(seed=0)
work_dir = "work_dirs/gan"

# The same fifty images without pretrained weights, and with all layers trained, to compare:
#     eng train examples/fine_tuning/scratch.py
_base_ = "config.py"

model = dict(backbone=dict(init_cfg=None))
custom_hooks = []
optim_wrapper = dict(optimizer=dict(lr=0.003), paramwise_cfg=None)
work_dir = "work_dirs/fine_tuning/scratch"

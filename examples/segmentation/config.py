# Find circles, squares and triangles, pixel by pixel:
#     eng train examples/segmentation/config.py
custom_imports = dict(imports=["shapes", "small_unet"])
default_scope = "eng"

model = dict(type="SmallUNet", width=16)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(type="ShapesDataset", length=500),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
val_dataloader = dict(
    batch_size=50,
    dataset=dict(type="ShapesDataset", length=50, seed=1),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
test_dataloader = dict(
    batch_size=8,
    dataset=dict(type="ShapesDataset", length=8, seed=2),
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
)
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=0.01))
param_scheduler = dict(type="CosineAnnealingLR", convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=8)
val_cfg = dict(loss=True)
test_cfg = dict()
val_evaluator = dict(type="MeanIoU")
test_evaluator = dict(type="MeanIoU", by_class=True)
default_hooks = dict(checkpoint=dict(type="CheckpointHook", save_best="mIoU", max_keep_ckpts=1))

# The samples of a test are drawn, and written as PNG files into the folder of its log.
visualizer = dict(
    type="SegmentationVisualizer", vis_backends=[dict(type="LocalVisBackend")], name="segmentation"
)
custom_hooks = [dict(type="NaiveVisualizationHook")]
randomness = dict(seed=0)
work_dir = "work_dirs/segmentation"

# Fine-tune it on the digits 5 to 9, of which there are ten images each:
#     eng train examples/fine_tuning/config.py
_base_ = "pretrain.py"

digits = [5, 6, 7, 8, 9]
model = dict(
    # Only the backbone is taken from the file; the head is for other classes and starts anew.
    backbone=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint="work_dirs/fine_tuning/pretrain/epoch_6.pth",
            prefix="backbone.",
        )
    )
)
train_dataloader = dict(batch_size=10, dataset=dict(digits=digits, shots=10))
val_dataloader = dict(dataset=dict(digits=digits))
custom_hooks = [
    # The early layers stay as they are, with the running statistics of their batch norms.
    dict(type="FreezeHook", modules=[r"backbone\.(conv1|bn1|layer1|layer2)"]),
    dict(type="ParameterReportHook"),
]
optim_wrapper = dict(
    optimizer=dict(lr=0.03),
    # A pretrained layer that trains moves a tenth as fast as the new head.
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}),
)
train_cfg = dict(max_epochs=10)
work_dir = "work_dirs/fine_tuning/config"

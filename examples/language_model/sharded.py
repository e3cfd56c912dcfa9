# The same training in two processes, each of which holds half of every parameter:
#     torchrun --nproc-per-node 2 -m eng.cli train examples/language_model/sharded.py
_base_ = "config.py"

launcher = "pytorch"
model_wrapper_cfg = dict(
    type="MMFullyShard",
    # A block is gathered when it is used, and let go again.
    fsdp_auto_wrap_policy=dict(
        type="transformer_auto_wrap_policy", transformer_layer_cls=["DecoderBlock"]
    ),
)
train_dataloader = dict(batch_size=16)  # of each process
work_dir = "work_dirs/language_model/sharded"

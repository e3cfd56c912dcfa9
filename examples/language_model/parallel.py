# The same training in several processes, each of which holds its part of every parameter:
#     torchrun --nproc-per-node 2 -m eng.cli train examples/language_model/parallel.py
_base_ = "config.py"

launcher = "pytorch"
parallel = dict(
    shard="rest",  # all processes hold a part; the mesh follows their number
    tensor=1,  # 2 splits the layers of the model's tensor_plan() as well
    wrap=["DecoderBlock"],  # a block is gathered when it is used, and let go again
)
train_dataloader = dict(batch_size=16)  # of each process: 32 in two
work_dir = "work_dirs/language_model/two"

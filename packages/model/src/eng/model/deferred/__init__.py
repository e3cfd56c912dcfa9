"""Build a model without the memory for its values, which are made once they are sharded.

It is for models larger than a device: large tensors are on the meta device while the model is
built, and what their values come from is recorded. After the model has been sharded, each process
makes the values of one tensor after the other, and keeps its shard.
"""

from .materialize import DeferredValues
from .operations import DeferralError
from .recording import Recording, has_no_values

__all__ = ["DeferralError", "DeferredValues", "Recording", "has_no_values"]

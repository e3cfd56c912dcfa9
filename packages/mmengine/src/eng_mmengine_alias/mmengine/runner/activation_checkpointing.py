"""Names of mmengine.runner.activation_checkpointing, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.runner import turn_on_activation_checkpointing as turn_on_activation_checkpointing
    from eng.runner.model_features import wrap_forward as wrap_forward

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.runner": "turn_on_activation_checkpointing",
        "eng.runner.model_features": "wrap_forward",
    },
)

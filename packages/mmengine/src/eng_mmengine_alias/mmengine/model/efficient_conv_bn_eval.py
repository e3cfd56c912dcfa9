"""Names of mmengine.model.efficient_conv_bn_eval, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import efficient_conv_bn_eval_control as efficient_conv_bn_eval_control
    from eng.model import efficient_conv_bn_eval_forward as efficient_conv_bn_eval_forward
    from eng.model import (
        efficient_conv_bn_eval_graph_transform as efficient_conv_bn_eval_graph_transform,
    )
    from eng.model import turn_on_efficient_conv_bn_eval as turn_on_efficient_conv_bn_eval
    from eng.model import (
        turn_on_efficient_conv_bn_eval_for_single_model as turn_on_efficient_conv_bn_eval_for_single_model,
    )

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "efficient_conv_bn_eval_control efficient_conv_bn_eval_forward efficient_conv_bn_eval_graph_transform turn_on_efficient_conv_bn_eval turn_on_efficient_conv_bn_eval_for_single_model",
    },
)

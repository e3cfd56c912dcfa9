"""Names of mmengine.analysis.complexity_analysis, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.analysis import ActivationAnalyzer as ActivationAnalyzer
    from eng.analysis import FlopAnalyzer as FlopAnalyzer
    from eng.analysis import JitModelAnalysis as JitModelAnalysis
    from eng.analysis import activation_count as activation_count
    from eng.analysis import flop_count as flop_count
    from eng.analysis import parameter_count as parameter_count
    from eng.analysis import parameter_count_table as parameter_count_table
    from eng.analysis.jit_handles import addmm_flop_jit as addmm_flop_jit
    from eng.analysis.jit_handles import batchnorm_flop_jit as batchnorm_flop_jit
    from eng.analysis.jit_handles import bmm_flop_jit as bmm_flop_jit
    from eng.analysis.jit_handles import conv_flop_jit as conv_flop_jit
    from eng.analysis.jit_handles import einsum_flop_jit as einsum_flop_jit
    from eng.analysis.jit_handles import elementwise_flop_counter as elementwise_flop_counter
    from eng.analysis.jit_handles import generic_activation_jit as generic_activation_jit
    from eng.analysis.jit_handles import linear_flop_jit as linear_flop_jit
    from eng.analysis.jit_handles import matmul_flop_jit as matmul_flop_jit
    from eng.analysis.jit_handles import norm_flop_counter as norm_flop_counter

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.analysis": "ActivationAnalyzer FlopAnalyzer JitModelAnalysis activation_count flop_count parameter_count parameter_count_table",
        "eng.analysis.jit_handles": "addmm_flop_jit batchnorm_flop_jit bmm_flop_jit conv_flop_jit einsum_flop_jit elementwise_flop_counter generic_activation_jit linear_flop_jit matmul_flop_jit norm_flop_counter",
    },
)

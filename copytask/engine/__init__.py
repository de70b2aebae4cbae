"""Runs a recurrent cell over a whole sequence as one differentiable operation, :func:`fused`.

Three engines compute it: ``kernels`` (compiled C, CPU, float32), ``graphs`` (CUDA graphs) and
``tensor_loops`` (torch operations, any device and type). :func:`reference` is the plain loop that
all of them are tested against.
"""

from copytask.engine.builds import compiled_kernels
from copytask.engine.function import fused
from copytask.engine.kernels import MISSING_KERNELS, has_kernels
from copytask.engine.operand_checks import check_tokens
from copytask.engine.reference import reference
from copytask.engine.unrolled import GATES, Operands, recalled_steps

__all__ = [
    "GATES",
    "MISSING_KERNELS",
    "Operands",
    "check_tokens",
    "compiled_kernels",
    "fused",
    "has_kernels",
    "recalled_steps",
    "reference",
]

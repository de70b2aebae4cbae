"""Recurrent cells over a whole sequence: as an equation, and as fast as the machine allows."""

from copytask.engine.checks import check_tokens
from copytask.engine.function import fused
from copytask.engine.kernels import MISSING_KERNELS, compiled_kernels, has_kernels
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

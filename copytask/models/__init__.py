"""The architectures. A new one is one file and one line in ``MODELS``, in registry.py."""

from copytask.models.cells import absolute_cell, is_same_cell
from copytask.models.check import check_cell, check_interface
from copytask.models.core import RecurrentCore, implementations
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CopyModel
from copytask.models.multiplicative import INITIALIZATIONS
from copytask.models.registry import (
    CORE_OPTIONS,
    MODELS,
    build_model,
    core_options,
    find_factory,
)

__all__ = [
    "CORE_OPTIONS",
    "INITIALIZATIONS",
    "MODELS",
    "CopyModel",
    "MultiplicativeGRU",
    "MultiplicativeLSTM",
    "RecurrentCore",
    "absolute_cell",
    "build_model",
    "check_cell",
    "check_interface",
    "core_options",
    "find_factory",
    "implementations",
    "is_same_cell",
]

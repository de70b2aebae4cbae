"""The architectures. A new one is one file and one line in ``MODELS``, in registry.py.

A *model* is the whole network, :class:`CopyModel`: an architecture, and a linear readout. An
*architecture* is a :class:`SequenceModel`: tokens in, outputs and a state out. A *cell*, a module
with the interface of torch.nn.GRU, is taken as one as well. A *factory* makes it: a class or
function called with the number of symbols, ``hidden_size`` and the architecture's own
hyperparameters, which are its keywords. The name of an architecture is a key of ``MODELS``, or says
where a user's own factory is: ``path/file.py:factory`` or ``package.module:factory``.
"""

from copytask.models.cell_checks import check_cell, check_interface
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CellAdapter, CopyModel, SequenceModel
from copytask.models.multiplicative import INITIALIZATIONS
from copytask.models.recurrent import RecurrentCell, implementations
from copytask.models.registry import (
    MODELS,
    architecture_keywords,
    build_model,
    check_architecture,
    find_factory,
    keyword_types,
)

__all__ = [
    "INITIALIZATIONS",
    "MODELS",
    "CellAdapter",
    "CopyModel",
    "MultiplicativeGRU",
    "MultiplicativeLSTM",
    "RecurrentCell",
    "SequenceModel",
    "architecture_keywords",
    "build_model",
    "check_architecture",
    "check_cell",
    "check_interface",
    "find_factory",
    "implementations",
    "keyword_types",
]

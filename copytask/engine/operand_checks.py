"""Checks shapes, devices and token ids once per sequence, because the engines do not."""

import torch
from torch import Tensor

from copytask.engine.unrolled import GATES, LSTMS, Operands


def check_operands(cell: str, operands: Operands, index: Tensor | None) -> None:
    """Check all operands of a sequence.

    The engines read and write memory by these shapes and ids without any check of their own.

    Args:
        cell: a key of ``GATES``.
        operands: see :class:`copytask.engine.Operands`.
        index: token ids, shape (L, B); None if ``operands.inputs`` is given by position.

    Raises:
        ValueError: an operand is missing, on another device, or of a shape that does not fit.
        IndexError: a token id is out of range.
    """
    weight = operands.weight_hh
    places = operands.inputs.shape[: 2 if index is None else 1]
    batch, H = len(operands.h), weight.shape[-1]
    required = {"c" if cell in LSTMS else "bias"}
    if any(t is not None for t in (operands.mx, operands.weight_mh, operands.weight_im)):
        required |= {"mx", "weight_mh"}
    shapes = {
        "inputs": (*places, GATES[cell] * H),
        "mx": (*places, H),
        "weight_hh": (GATES[cell] * H, H),
        "weight_mh": (H, H),
        "weight_im": (GATES[cell] * H, H),
        "bias": (H,),
        "h": (batch, H),
        "c": (batch, H),
    }
    for name, tensor in operands._asdict().items():
        if tensor is None:
            if name in required:
                raise ValueError(f"the cell {cell!r} needs {name}, which is None")
            continue
        if tensor.shape != shapes[name]:
            raise ValueError(
                f"{name} must have shape {shapes[name]}, but has {tuple(tensor.shape)}"
            )
        _check_device(name, tensor, weight)
    if index is not None:
        check_tokens(index, len(operands.inputs), weight)
    sequences = places if index is None else index.shape
    if len(sequences) != 2 or sequences[1] != batch:
        what = "inputs" if index is None else "tokens"
        raise ValueError(
            f"{what} of shape {tuple(sequences)} do not fit a state of batch {batch}; "
            "they must have shape (length, batch)"
        )


def check_tokens(tokens: Tensor, symbols: int, weight: Tensor) -> None:
    """Check that token ids are in 0..symbols - 1 and on the device of ``weight``.

    On a GPU torch checks the values where they are used; reading them here would wait for the GPU.

    Raises:
        ValueError: the ids are on another device.
        IndexError: an id is not in 0..symbols - 1.
    """
    _check_device("token ids", tokens, weight)
    if tokens.device.type == "cpu" and tokens.numel():
        low, high = torch.aminmax(tokens)
        if low < 0 or high >= symbols:
            raise IndexError(
                f"token ids must be in 0..{symbols - 1}, but are in {int(low)}..{int(high)}"
            )


def _check_device(name: str, tensor: Tensor, weight: Tensor) -> None:
    if tensor.device != weight.device:
        verb = "are" if name.endswith("s") else "is"
        raise ValueError(
            f"{name} {verb} on {tensor.device}, but the weights are on {weight.device}; "
            "move one to the other with .to(device)"
        )

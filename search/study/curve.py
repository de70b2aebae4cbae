"""A learning curve in little memory: a study keeps those of all its trials."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, overload

from studies.events import Point

NAMES = tuple(field.name for field in fields(Point))
OPTIONAL = tuple(index for index, field in enumerate(fields(Point)) if field.default is None)
"""Places of the fields that may be None; they are the last ones."""

FIRST = OPTIONAL[0]
WHOLE = tuple(index for index in OPTIONAL if fields(Point)[index].type == int | None)

_values = attrgetter(*NAMES)
# An optional field is a float: nan for None, and exact for whole numbers below 2**53.
_kinds = ["q" if field.type is int else "d" for field in fields(Point)]
_packed = struct.Struct("".join(_kinds))
_places = {name: index for index, name in enumerate(NAMES)}
_fields = {
    name: (struct.Struct(kind).unpack_from, 8 * index, index if index in OPTIONAL else None)
    for (name, index), kind in zip(_places.items(), _kinds, strict=True)
}


class Curve(Sequence[Point]):
    """The points of a trial's learning curve, 112 bytes each instead of 500.

    Points are made when they are asked for: two of the same place are equal, but not the same.
    A float that is None, as old tables may have it, becomes nan.
    """

    __slots__ = ("_bytes",)

    def __init__(self, points: Sequence[Point] = ()):
        self._bytes = b"".join(map(_pack, points))

    def append(self, point: Point) -> None:
        """Add a point at the end."""
        self._bytes += _pack(point)

    def copy(self) -> "Curve":
        """The curve as it is now."""
        copied = Curve()
        copied._bytes = self._bytes
        return copied

    def column(self, name: str) -> list[Any]:
        """The values of one field of its points, faster than through the points."""
        index = _places[name]
        values = [numbers[index] for numbers in _packed.iter_unpack(self._bytes)]
        return [_optional(index, value) for value in values] if index in OPTIONAL else values

    def value(self, place: int, name: str) -> Any:
        """One field of the point at this place, in a tenth of the time of the whole point."""
        unpack, offset, index = _fields[name]
        start = place * _packed.size + (0 if place >= 0 else len(self._bytes))
        (value,) = unpack(self._bytes, start + offset)
        return value if index is None else _optional(index, value)

    def __len__(self) -> int:
        return len(self._bytes) // _packed.size

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return _point(_packed.unpack_from(self._bytes, place * _packed.size))

    def __iter__(self) -> Iterator[Point]:
        return map(_point, _packed.iter_unpack(self._bytes))

    def __eq__(self, other: object) -> bool:
        return self._bytes == other._bytes if isinstance(other, Curve) else NotImplemented

    def __repr__(self) -> str:
        return f"Curve({list(self)})"


def _pack(point: Point) -> bytes:
    values = _values(point)
    try:
        return _packed.pack(*values[:FIRST], *map(_number, values[FIRST:]))
    except struct.error:  # one of the others is None, or no number at all
        pass
    try:
        return _packed.pack(*map(_number, values))
    except struct.error:
        raise TypeError(f"not a point of a curve: {point}") from None


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _point(numbers: tuple[Any, ...]) -> Point:
    point = Point(**dict(zip(NAMES, numbers, strict=True)))
    for index in OPTIONAL:
        object.__setattr__(point, NAMES[index], _optional(index, numbers[index]))
    return point


def _optional(index: int, value: float) -> float | None:
    if math.isnan(value):
        return None
    return int(value) if index in WHOLE else value

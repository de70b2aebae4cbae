"""The values of a training, of which each trial keeps only what differs from another one's."""

from collections.abc import Iterator, Mapping
from typing import Any


class SharedValues(Mapping[str, Any]):
    """The values of ``common``, but for its own ones.

    The trials at one T differ in their seed and in what is searched, five values of thirty.
    """

    __slots__ = ("_common", "_own")

    def __init__(self, common: Mapping[str, Any], own: Mapping[str, Any]):
        self._common = common
        self._own = own

    def __getitem__(self, name: str) -> Any:
        return self._own[name] if name in self._own else self._common[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._common)

    def __len__(self) -> int:
        return len(self._common)

    def __repr__(self) -> str:
        return repr(dict(self))


def shared(values: Mapping[str, Any], common: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same values in little memory, if ``common`` has the same names."""
    if list(values) != list(common):
        return values
    # Equal values of other types differ, also inside: 1 is not 1.0. The names are those in
    # ``common``, since a line of JSON has copies of them.
    own = {
        name: value
        for (name, other), value in zip(common.items(), values.values(), strict=True)
        if value is not other
        and (
            value != other
            or type(value) is not type(other)
            or (type(value) is dict and repr(value) != repr(other))
        )
    }
    return SharedValues(common, own)

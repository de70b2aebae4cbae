import dataclasses
import math

import pytest
from points import point

from search.study.curve import Curve
from studies.events import Point

POINTS = [point(1, 0.1), point(2, 1 / 3, tokens_to_solve=2**52 + 1, seconds_to_solve=0.1)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_points_come_back_as_they_were_to_the_last_bit_and_type(count):
    curve = Curve(POINTS[:1])
    curve = Curve()
    for one in POINTS[:count]:
        curve.append(one)
    assert list(curve) == POINTS[:count] == curve[:]
    for one, expected in zip(curve, POINTS, strict=False):
        assert repr(one) == repr(expected)  # 1 is not 1.0
    assert len(curve) == count


def test_it_is_read_as_a_list_is():
    curve = Curve(POINTS)
    assert (curve[0], curve[-1], curve[1:]) == (POINTS[0], POINTS[-1], POINTS[1:])
    for index in (2, -3):
        with pytest.raises(IndexError):
            curve[index]
    assert curve == Curve(POINTS) != Curve(POINTS[:1])


def test_what_an_old_table_lacks_is_nan_and_text_is_refused():
    (found,) = Curve([point(1, 0.1, training_loss=None)])
    assert math.isnan(found.training_loss)
    for damaged in ({"tokens": "soon"}, {"seconds": "soon"}, {"step": None}):
        with pytest.raises(TypeError, match="not a point of a curve"):
            Curve([point(1, 0.1, **damaged)])


def test_a_column_has_the_values_of_one_field():
    for name in (field.name for field in dataclasses.fields(Point)):
        assert Curve(POINTS).column(name) == [getattr(one, name) for one in POINTS]


def test_a_copy_does_not_grow_with_the_curve():
    curve = Curve(POINTS[:1])
    copied = curve.copy()
    curve.append(POINTS[1])
    assert (len(copied), len(curve)) == (1, 2)

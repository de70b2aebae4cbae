import inspect

import pytest

from search.study.listener import MOMENTS, Listener, Listeners


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_of_several_listeners_is_told_in_their_order(moment):
    class Noting(Listener):
        def __init__(self, name):
            self.name = name

    def note(self, *what):
        told.append((self.name, *what))

    setattr(Noting, moment, note)
    told = []
    what = range(len(inspect.signature(getattr(Listener, moment)).parameters) - 1)
    getattr(Listeners(Noting("first"), Noting("second")), moment)(*what)
    assert told == [("first", *what), ("second", *what)]

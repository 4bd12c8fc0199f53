import importlib
import inspect

import pytest

from server.jobs.kinds import EXPORTS, KINDS, Kind


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_each_kind_has_a_rendering_that_takes_its_files(kind: Kind) -> None:
    module = importlib.import_module(f"recorder.rendering.{kind.name}")
    render = module.render if kind.files else module.convert
    needed = [one for one in inspect.signature(render).parameters.values() if one.default is one.empty]
    assert len(needed) == 2 + len(kind.files)  # the lesson's folder, what to write, and whom to tell
    assert needed[-1].name == "progress"


def test_turns_are_in_the_order_the_kinds_are_listed_in_and_what_is_quick_comes_first() -> None:
    order = [kind.priority for kind in KINDS.values()]
    assert order == sorted(order, reverse=True)
    quick = [kind.quick for kind in KINDS.values()]
    assert quick == sorted(quick, reverse=True)
    assert {kind.name for kind in KINDS.values() if not kind.automatic} == set(EXPORTS)

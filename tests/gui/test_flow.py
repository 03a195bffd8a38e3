"""The way through the wizard."""

import pytest

from wizard.gui.flow import ORDER, Flow, Known, Step, is_complete, is_open


def test_the_pages_come_in_the_order_of_the_rail():
    names = [step.value for step in ORDER]
    assert names == ["service", "path", "ports", "origin", "test", "fix", "report"]


def test_back_leads_the_way_that_one_came():
    flow = Flow().go(Step.PATH).go(Step.TEST).go(Step.TEST)
    assert flow.back().current is Step.PATH
    assert flow.back().back().current is Step.SERVICE
    assert flow.back().back().back().current is Step.SERVICE


@pytest.mark.parametrize(
    ("known", "opened"),
    [
        (Known(), {Step.SERVICE}),
        (Known(chosen=True), {Step.SERVICE, Step.PATH, Step.PORTS, Step.ORIGIN, Step.TEST}),
        (Known(True, frozenset({Step.PORTS})), {Step.SERVICE, Step.PATH, Step.PORTS, Step.ORIGIN}),
        (Known(True, tested=True), set(Step)),
    ],
)
def test_a_page_opens_once_what_it_builds_on_is_there(known, opened):
    assert {step for step in Step if is_open(step, known)} == opened


def test_a_page_with_a_problem_is_not_complete():
    known = Known(True, frozenset({Step.PATH}))
    assert not is_complete(Step.PATH, known)
    assert is_complete(Step.PORTS, known)
    assert not is_complete(Step.TEST, known)
    assert not is_complete(Step.PORTS, Known())

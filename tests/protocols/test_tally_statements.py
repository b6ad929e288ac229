"""What processes state of their counts, and what is believed of it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.metrics import OTHER, REASONS, Metric, MetricType
from secondpost.mail.tally import SUM, Cell, Tally
from secondpost.protocols.role_questions import Garbled
from secondpost.protocols.tally_statements import StatedTally, read_tally, tally_line
from tests.test_tidy import ROOT

ACCEPTED = Cell(Metric.ACCEPTED, ("relay", "TLSv1.3"))


def line(role: str, cells: list[object], gauges: dict[str, object] | None = None) -> bytes:
    return json.dumps({"role": role, "cells": cells, "gauges": gauges or {}}).encode()


def test_what_was_counted_is_stated_once() -> None:
    tally = Tally()
    tally.count(Metric.ACCEPTED, "relay", "TLSv1.3")
    tally.count(Metric.ACCEPTED, "relay", "TLSv1.3", many=2)
    tally.observe(Metric.COMMITS, 0.004, "mail")
    tally.measure(Metric.LISTENING, lambda: 2)
    said = StatedTally("receive", tally.taken(), tally.measured())
    assert read_tally(tally_line(said)) == said
    assert said.counts == {
        ACCEPTED: 3,
        Cell(Metric.COMMITS, ("mail",), 2): 1,  # between 2.5 and 5 ms
        Cell(Metric.COMMITS, ("mail",), SUM): 4_000,
    }
    assert said.gauges == {Metric.LISTENING: 2}
    assert tally.taken() == {}


def test_a_word_that_no_list_has_makes_no_series() -> None:
    tally = Tally()
    for word in ("one", "two", "three"):
        tally.count(Metric.REFUSED, "rcpt", "permanent", word)
    assert tally.taken() == {Cell(Metric.REFUSED, ("rcpt", "permanent", OTHER)): 3}


@pytest.mark.parametrize(
    "cell",
    [
        ["attempts", ["relay", "delivered", "none"], 0, 5],  # of the deliver role
        ["role_restarts", ["deliver"], 0, 5],  # of supervisors
        ["smtp_listening", [], 0, 5],  # a gauge
        ["messages_accepted", ["relay"], 0, 5],  # a label is missing
        ["messages_accepted", ["relay", "none"], 1, 5],  # a counter has one cell
        ["store_commit_seconds", ["mail"], 99, 5],  # a bucket that does not exist
        ["unheard_of", [], 0, 5],
    ],
)
def test_a_role_states_metrics_of_its_own_alone(cell: list[object]) -> None:
    good = ["messages_accepted", ["relay", "TLSv1.3"], 0, 7]
    assert read_tally(line("receive", [cell, good])).counts == {ACCEPTED: 7}


def test_a_hijacked_role_cannot_make_series() -> None:
    cells: list[object] = [["messages_accepted", [f"lane{n}", f"tls{n}"], 0, 1] for n in range(2_000)]
    assert read_tally(line("receive", cells)).counts == {Cell(Metric.ACCEPTED, (OTHER, OTHER)): 2_000}


@pytest.mark.parametrize(
    "garbled",
    [
        line("postmaster", []),
        line("receive", [["messages_accepted", ["relay", "none"], 0, -1]]),
        line("receive", [["messages_accepted", ["relay", "none"], 0, 2**60]]),
        line("receive", [["messages_accepted", ["relay", "none"], 0, 1]] * 2_001),
        line("receive", [], {"smtp_listening": -1}),
        b"?",
    ],
)
def test_what_is_no_statement_is_garbled(garbled: bytes) -> None:
    with pytest.raises(Garbled):
        read_tally(garbled)


@given(st.binary(max_size=200))
def test_no_octets_do_more_harm_than_that(octets: bytes) -> None:
    try:
        read_tally(octets)
    except Garbled:
        return


def test_every_reason_of_a_refusal_is_in_the_list() -> None:
    """Each Defer and Reject of policy and receive is made with its word."""
    said: set[str] = set()
    source = ROOT / "src" / "secondpost"
    for path in [*(source / "policy").glob("*.py"), *(source / "receive").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if re.search(r"\b(Defer|Reject)\(", text) is not None:
            said |= set(re.findall(r'(?:\)|STORE_BUSY|_TOO_MANY), ?\n? *"([a-z0-9-]+)",?\n?\)', text))
    assert len(said) >= 14
    assert said - REASONS == set()


def test_names_are_those_that_prometheus_advises() -> None:
    """Base units and no _total, which the format adds; help is a sentence."""
    for metric in Metric:
        name = metric.value.name
        assert re.fullmatch(r"[a-z][a-z_]+", name) is not None
        assert not name.endswith("_total")
        assert name.endswith("_seconds") or metric.value.type is not MetricType.HISTOGRAM
        assert metric.value.text.endswith(".")
        assert len(metric.value.labels) == len(metric.value.words)

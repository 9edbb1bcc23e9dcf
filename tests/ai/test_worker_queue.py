"""Which request goes next, and with which others."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st

from reader_app.ai.worker_queue import PATIENCE_SECONDS, Kind, Priority, Request, RequestQueue

requests = st.lists(
    st.tuples(st.sampled_from(Priority), st.sampled_from(Kind), st.booleans()), min_size=1, max_size=40
)


def filled(wanted: list[tuple[Priority, Kind, bool]], *, seconds: float = 0.01) -> RequestQueue:
    queue = RequestQueue()
    for kind in Kind:
        queue.took(kind, 1, seconds)
    for priority, kind, alone in wanted:
        queue.put(Request(int(priority), queue.number(), kind, Future(), alone=alone))
    return queue


def batches(queue: RequestQueue, number: int) -> list[list[Request]]:
    found: list[list[Request]] = []
    while sum(map(len, found)) < number:
        found.append(queue.take())
    return found


@given(requests)
def test_every_request_is_taken_once_and_none_before_a_more_urgent_one(
    wanted: list[tuple[Priority, Kind, bool]],
) -> None:
    taken = batches(filled(wanted), len(wanted))
    assert sorted(each.number for batch in taken for each in batch) == list(range(len(wanted)))
    urgencies = [each.priority for batch in taken for each in batch]
    assert urgencies == sorted(urgencies)


@given(requests)
def test_a_batch_is_of_one_kind_and_who_runs_alone_is_alone(
    wanted: list[tuple[Priority, Kind, bool]],
) -> None:
    for batch in batches(filled(wanted), len(wanted)):
        assert len({(each.kind, each.priority) for each in batch}) == 1
        assert len(batch) == 1 or not any(each.alone for each in batch)


@given(requests)
def test_requests_of_one_kind_and_urgency_keep_their_order(wanted: list[tuple[Priority, Kind, bool]]) -> None:
    seen: dict[tuple[int, Kind, bool], int] = {}
    for batch in batches(filled(wanted), len(wanted)):
        for each in batch:
            key = (each.priority, each.kind, each.alone)
            assert seen.get(key, -1) < each.number
            seen[key] = each.number


@given(st.floats(1e-5, 30.0))
def test_a_batch_keeps_the_networks_from_a_case_on_screen_for_no_longer_than_patience(seconds: float) -> None:
    queue = filled([(Priority.BATCH, Kind.GRADE, False)] * 80, seconds=seconds)
    taken = queue.take()
    assert len(taken) == 1 or len(taken) * seconds <= PATIENCE_SECONDS


def test_while_nobody_knows_how_long_the_networks_take_a_batch_is_small() -> None:
    queue = RequestQueue()
    for _ in range(10):
        queue.put(Request(int(Priority.BATCH), queue.number(), Kind.GRADE, Future()))
    assert len(queue.take()) == 2


def test_films_between_joints_do_not_cut_batches_short() -> None:
    wanted = [(Priority.BATCH, kind, False) for kind in (Kind.GRADE, Kind.LOCATE) * 4]
    queue = filled(wanted)
    assert [each.kind for each in queue.take()] == [Kind.GRADE] * 4
    assert [each.kind for each in queue.take()] == [Kind.LOCATE] * 4


def test_a_size_that_was_lost_is_not_tried_again() -> None:
    queue = filled([(Priority.BATCH, Kind.GRADE, False)] * 30)
    queue.failed(Kind.GRADE, 16)
    assert queue.limit(Kind.GRADE) == 8
    queue.failed(Kind.GRADE, 1)
    assert queue.limit(Kind.GRADE) == 1
    assert queue.limit(Kind.LOCATE) > 8, "the films had no part in it"


def test_closing_wakes_who_waits_and_gives_back_what_is_left() -> None:
    queue = RequestQueue()
    woken: list[list[Request]] = []
    waiting = threading.Thread(target=lambda: woken.append(queue.take()))
    waiting.start()
    assert queue.close()
    waiting.join()
    assert woken == [[]]
    assert not queue.close(), "it was closed before"
    assert not queue.put(Request(0, 0, Kind.GRADE, Future()))
    left = filled([(Priority.BATCH, Kind.GRADE, False)] * 3)
    left.close()
    assert len(left.left()) == 3
    assert left.left() == []


def test_waiting_for_a_request_has_an_end() -> None:
    queue = RequestQueue()
    assert not queue.wait(0.0)
    queue.put(Request(0, 0, Kind.GRADE, Future()))
    assert queue.wait(0.0)

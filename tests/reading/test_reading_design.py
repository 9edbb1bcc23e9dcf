"""Who reads what in which order: reproducible, stable, and telling nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.reading.ordering import FilmPlace, blinded_letters, build_cases
from reader_app.reading.worklist import Progress, ReadingState, WorklistEntry
from tests.plain_worklists import next_entry, progress_of

SEEDS = st.integers(0, 2**31)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 100), unique=True, min_size=1, max_size=6), SEEDS, st.integers(1, 1000))
def test_every_reader_gets_one_letter(accounts: list[int], seed: int, case_id: int) -> None:
    letters = blinded_letters(accounts, seed=seed, case_id=case_id, viewer="x")
    assert set(letters) == set(accounts)
    assert sorted(letters.values()) == [chr(ord("A") + place) for place in range(len(accounts))]
    assert blinded_letters(accounts[::-1], seed=seed, case_id=case_id, viewer="x") == letters


def test_letters_are_drawn_anew_for_each_case() -> None:
    first = [blinded_letters([1, 2], seed=3, case_id=case, viewer="x")[1] for case in range(400)]
    assert 140 < first.count("A") < 260


FILMS = [
    FilmPlace(radiograph_id=10 * participant + visit, participant_id=participant, visit_order=visit)
    for participant in range(1, 41)
    for visit in (0, 1)
]


def test_single_presentation_makes_a_case_of_each_film() -> None:
    cases = build_cases(FILMS, Presentation.SINGLE, seed=1)
    assert sorted(cases) == sorted((film.radiograph_id,) for film in FILMS)


def test_paired_presentation_in_known_order_goes_by_visit() -> None:
    cases = build_cases(reversed(FILMS), Presentation.PAIRED_ORDERED, seed=1)
    assert cases == tuple((10 * participant, 10 * participant + 1) for participant in range(1, 41))


def test_paired_blinded_presentation_does_not_give_the_order_away() -> None:
    cases = build_cases(FILMS, Presentation.PAIRED_BLINDED, seed=1)
    assert [sorted(case) for case in cases] == [
        list(case) for case in build_cases(FILMS, Presentation.PAIRED_ORDERED, seed=1)
    ]
    in_order = sum(case[0] < case[1] for case in cases)
    assert 8 <= in_order <= 32
    assert build_cases(reversed(FILMS), Presentation.PAIRED_BLINDED, seed=1) == cases
    assert build_cases(FILMS, Presentation.PAIRED_BLINDED, seed=2) != cases


def test_the_hash_of_a_design_changes_with_every_part_of_it() -> None:
    hashes = {
        ReadingDesign(presentation, arm, seed, readers).sha256
        for presentation in Presentation
        for arm in Arm
        for seed in (1, 2)
        for readers in (1, 2)
    }
    assert len(hashes) == len(Presentation) * len(Arm) * 4


def entries(*states: ReadingState) -> tuple[WorklistEntry, ...]:
    return tuple(WorklistEntry(100 + place, place, state) for place, state in enumerate(states, start=1))


def test_the_next_case_is_the_first_that_is_not_locked_going_round() -> None:
    waiting, opened, locked = ReadingState.WAITING, ReadingState.OPEN, ReadingState.LOCKED
    listed = entries(opened, locked, waiting, locked)
    assert next_entry(listed) == listed[0]
    assert next_entry(listed, after=101) == listed[2]
    assert next_entry(listed, after=103) == listed[0]
    assert next_entry(entries(locked, locked), after=101) is None
    assert next_entry(()) is None
    assert progress_of(listed) == Progress(locked=2, open=1, total=4)
    assert (progress_of(listed).share, progress_of(()).share) == (0.5, 0.0)

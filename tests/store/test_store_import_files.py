"""What the store knows of files on disk: kept once, corrected only while they wait, told in the journal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reader_app.imaging.radiograph import FileStamp
from reader_app.store import cases, films, import_commits, import_files, journal
from reader_app.store.import_records import FileState, LookedAt, PlanCounts, ReadFile
from tests.store.conftest import Study, film, refused_file

STAMP = FileStamp(100, 5)


def planned(path: str, participant: str = "P0001", *missing: str) -> LookedAt:
    plan = {"participant": participant, "missing": list(missing), "visit": "Baseline"}
    return LookedAt(path, STAMP, FileState.PLANNED, plan=plan)


def keep(study: Study, *files: LookedAt) -> list[int]:
    """Keep files; return their numbers."""
    import_files.keep_files(study.db, study.coordinator, files)
    known = import_files.known_files(study.db, study.coordinator, [file.path for file in files])
    return [known[file.path].id for file in files]


def test_a_file_is_kept_once_under_one_number(study: Study) -> None:
    (number,) = keep(study, planned("/a", "P0001", "side"))
    (again,) = keep(study, refused_file("/a", "cut off"))
    known = import_files.known_files(study.db, study.coordinator, ["/a", "/b"])
    assert number == again
    assert (known["/a"].state, known["/a"].reason, known["/a"].plan) == (FileState.REFUSED, "cut off", None)
    assert set(known) == {"/a"}


def test_of_the_same_file_twice_the_newest_counts(study: Study) -> None:
    keep(study, refused_file("/a", "first"), refused_file("/a", "second"))
    assert [each.reason for each in import_files.refused_files(study.db, study.coordinator)] == ["second"]


def test_files_of_any_number_are_found_again(study: Study) -> None:
    paths = [f"/films/{number}" for number in range(1203)]
    import_files.keep_files(study.db, study.coordinator, [planned(path) for path in paths])
    assert len(import_files.known_files(study.db, study.coordinator, paths)) == len(paths)
    seen: list[str] = []
    while some := import_files.waiting_files(study.db, study.coordinator, offset=len(seen), limit=500):
        seen += [file.path for file in some]
    assert seen == paths
    last = import_files.next_planned(study.db, study.coordinator, after=1200, limit=10)
    assert [file.path for file in last] == paths[1200:]


def test_what_waits_is_counted(study: Study) -> None:
    a, b, c = keep(study, planned("/a"), planned("/b", "P0001", "side"), planned("/c", "P0001", "view"))
    import_files.change_plans(
        study.db, study.coordinator, {c: {"missing": ["view"]}}, what={}, state=FileState.LEFT_OUT
    )
    assert import_files.plan_counts(study.db, study.coordinator) == PlanCounts(2, 1, 1)
    incomplete = import_files.waiting_files(study.db, study.coordinator, incomplete_only=True)
    assert [file.id for file in incomplete] == [b, c]
    assert [file.id for file in import_files.waiting_by_id(study.db, study.coordinator, [a, c, 99])] == [a, c]


def test_only_what_waits_is_changed(study: Study) -> None:
    waits, refused = keep(study, planned("/a"), refused_file("/b", "cut off"))
    plans: dict[int, dict[str, object]]
    plans = {waits: {"missing": [], "side": "L"}, refused: {"missing": []}, 99: {"missing": []}}
    assert import_files.change_plans(study.db, study.coordinator, plans, what={"side": "L"}) == 1
    known = import_files.known_files(study.db, study.coordinator, ["/a", "/b"])
    assert (known["/a"].plan or {})["side"] == "L"
    assert known["/b"].state is FileState.REFUSED
    entry = journal.entries(study.db, study.coordinator, after=0, limit=1000)[-1]
    assert (entry.verb, entry.payload["side"]) == ("import.correct", "L")


def test_forgetting_takes_only_what_waits(study: Study) -> None:
    keep(study, planned("/a"), planned("/b"), refused_file("/c", "cut off"))
    assert import_files.forget_waiting(study.db, study.coordinator) == 2
    assert set(import_files.known_files(study.db, study.coordinator, ["/a", "/b", "/c"])) == {"/c"}
    before = journal.verify_chain(study.db)
    assert import_files.forget_waiting(study.db, study.coordinator) == 0
    assert journal.verify_chain(study.db) == before


def test_the_waiting_files_of_a_participant_are_found(study: Study) -> None:
    a, _, c = keep(study, planned("/a", "P-1"), planned("/b", "P-11"), planned("/c", "P-1"))
    found = import_files.waiting_of(study.db, study.coordinator, ["P-1", "P-2"])
    assert [file.id for file in found] == [a, c]


@pytest.mark.parametrize("name", ["Jörg", "50%", "a_b", "back\\slash", 'quo"te', "1/2"])
def test_a_participant_is_found_by_any_name(study: Study, name: str) -> None:
    one, _ = keep(study, planned("/a", name), planned("/b", "another"))
    (found,) = import_files.waiting_of(study.db, study.coordinator, [name])
    assert found.id == one
    assert import_files.waiting_of(study.db, study.coordinator, ["a1b", "5"]) == ()


# What reading brings ----------------------------------------------------------------------------


def test_a_chunk_becomes_films_and_files_together(study: Study) -> None:
    one, two = film("P0001"), film("P0002")
    a, b, c = keep(study, planned("/a"), planned("/b"), planned("/c"))
    read = [
        ReadFile(a, STAMP, replace(one, path="/a")),
        ReadFile(b, STAMP, reason="cut off"),
        ReadFile(c, STAMP, replace(two, path="/c"), remembered={"day": "x"}),
    ]
    outcomes = import_commits.commit_files(study.db, study.coordinator, read)
    assert [(each.state, each.added) for each in outcomes] == [
        (FileState.IMPORTED, True),
        (FileState.REFUSED, False),
        (FileState.IMPORTED, True),
    ]
    known = import_files.known_files(study.db, study.coordinator, ["/a", "/b", "/c"])
    assert [known[path].radiograph_id for path in ("/a", "/b", "/c")] == [
        outcomes[0].radiograph_id,
        None,
        outcomes[2].radiograph_id,
    ]
    assert known["/a"].film_path == "/a"
    assert known["/c"].plan == {"day": "x"}
    assert cases.counts(study.db, study.coordinator).faults == 1
    visits = import_files.visits_of(study.db, study.coordinator, ["P0002", "P0009"])
    assert [(visit.participant, visit.remembered) for visit in visits] == [("P0002", {"day": "x"})]


def test_a_film_is_in_the_study_once_whatever_brings_it(study: Study) -> None:
    first = film("P0001")
    other = replace(film("P0002"), pixel_sha256=first.pixel_sha256)
    numbers = keep(study, *(planned(f"/{name}") for name in "abcd"))
    same_chunk = [ReadFile(numbers[0], STAMP, first), ReadFile(numbers[1], STAMP, other)]
    outcomes = import_commits.commit_files(study.db, study.coordinator, same_chunk)
    assert [each.state for each in outcomes] == [FileState.IMPORTED, FileState.DUPLICATE]
    assert outcomes[0].radiograph_id == outcomes[1].radiograph_id
    assert outcomes[1].shared
    later = [ReadFile(numbers[2], STAMP, first), ReadFile(numbers[3], STAMP, known_as=1)]
    outcomes = import_commits.commit_files(study.db, study.coordinator, later)
    assert [(each.state, each.added, each.radiograph_id) for each in outcomes] == [
        (FileState.IMPORTED, False, 1),
        (FileState.IMPORTED, False, 1),
    ]
    assert len(films.all_radiographs(study.db, study.coordinator)) == 1
    (duplicate,) = import_files.duplicate_files(study.db, study.coordinator)
    assert "radiograph 1 of P0001" in duplicate.reason


@pytest.mark.parametrize(("blank", "rows", "added"), [(True, 0, 2), (False, 0, 1), (False, 1, 2)])
def test_equal_pixels_count_only_with_a_picture_and_in_one_shape(
    study: Study, blank: bool, rows: int, added: int
) -> None:
    first = film("P0001")
    other = replace(film("P0002"), pixel_sha256=first.pixel_sha256, rows=first.rows + rows)
    numbers = keep(study, planned("/a"), planned("/b"))
    read = [ReadFile(n, STAMP, one, blank=blank) for n, one in zip(numbers, (first, other), strict=True)]
    outcomes = import_commits.commit_files(study.db, study.coordinator, read)
    assert sum(each.added for each in outcomes) == added


def test_sizes_tell_which_files_may_be_known(study: Study) -> None:
    (number,) = keep(study, planned("/a"))
    assert import_commits.same_size_known(study.db, study.coordinator, [100, 7]) == frozenset()
    import_commits.commit_files(study.db, study.coordinator, [ReadFile(number, STAMP, film("P0001"))])
    assert import_commits.same_size_known(study.db, study.coordinator, [100, 7]) == {100}
    # Of a film that came without a file, nobody knows the size: every file may be its own.
    films.add_radiographs(study.db, study.coordinator, [film("P0002")])
    assert import_commits.same_size_known(study.db, study.coordinator, [100, 7]) == {100, 7}


def test_a_copy_made_again_takes_the_place_of_the_lost_one_and_of_no_other(study: Study) -> None:
    lost = film("P0001")
    films.add_radiographs(study.db, study.coordinator, [lost])
    new = {"path": "images/x", "file_sha256": "9" * 64}
    assert not films.restore_copy(study.db, study.coordinator, 1, replaces="0" * 64, **new)
    assert films.restore_copy(study.db, study.coordinator, 1, replaces=lost.file_sha256, **new)
    record = films.radiograph(study.db, study.coordinator, 1)
    assert (record.path, record.file_sha256) == ("images/x", "9" * 64)
    assert films.by_source(study.db, study.coordinator, [lost.file_sha256])[lost.file_sha256].id == 1
    assert journal.verify_chain(study.db).ok

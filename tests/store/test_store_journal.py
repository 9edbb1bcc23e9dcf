"""The journal: nothing can be changed, taken out, moved or cut off without being found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from reader_app.errors import NotAllowed
from reader_app.store import journal
from reader_app.store.canonical import canonical, sha256_of
from reader_app.store.database import open_database
from reader_app.store.records import Role
from tests.store.conftest import KL, Study, film, set_grade


def test_an_untouched_journal_is_whole(written: Study) -> None:
    report = journal.verify_chain(written.db)
    assert report.ok
    assert report.entries > 12
    assert (report.first_broken, report.reason) == (None, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET payload = '{}' WHERE sequence = 3",
        "DELETE FROM journal WHERE sequence = 3",
        "DELETE FROM journal_head",
        "UPDATE journal_head SET sequence = sequence - 1",
        "UPDATE journal_head SET sequence = sequence + 1",
        "INSERT INTO journal SELECT sequence + 100, at, account_id, verb, payload, previous_hash, hash "
        "FROM journal WHERE sequence = 3",
        "INSERT INTO journal SELECT sequence, at, account_id, verb, '{}', previous_hash, hash "
        "FROM journal WHERE sequence = 3 ON CONFLICT (sequence) DO UPDATE SET payload = '{}'",
    ],
)
def test_the_database_refuses_to_change_the_journal(written: Study, statement: str) -> None:
    with pytest.raises(IntegrityError, match="only be appended"), written.db.writing() as connection:
        connection.exec_driver_sql(statement)
    assert journal.verify_chain(written.db).ok


_SWAP = [
    "UPDATE journal SET sequence = -1 WHERE sequence = 4",
    "UPDATE journal SET sequence = 4 WHERE sequence = 5",
    "UPDATE journal SET sequence = 5 WHERE sequence = -1",
]


@pytest.mark.parametrize(
    ("statements", "first_broken", "word"),
    [
        (["UPDATE journal SET payload = '{}' WHERE sequence = 6"], 6, "changed"),
        (["UPDATE journal SET at = '2020' WHERE sequence = 6"], 6, "changed"),
        (["UPDATE journal SET account_id = 2 WHERE sequence = 6"], 6, "changed"),
        (["UPDATE journal SET verb = 'other' WHERE sequence = 6"], 6, "changed"),
        (["UPDATE journal SET hash = 'abc' WHERE sequence = 6"], 6, "changed"),
        (["UPDATE journal SET previous_hash = 'abc' WHERE sequence = 6"], 6, "follow"),
        (["DELETE FROM journal WHERE sequence = 6"], 6, "missing"),
        (["DELETE FROM journal WHERE sequence = 1"], 1, "missing"),
        (_SWAP, 4, "follow"),
        (["DELETE FROM journal WHERE sequence > 9"], 10, "missing"),
        (["DELETE FROM journal"], 1, "missing"),
        (["DELETE FROM journal_head"], None, "end"),
        (["UPDATE journal_head SET sequence = 3"], 3, "end"),
        (["UPDATE journal_head SET hash = 'abc'"], None, "end"),
    ],
)
def test_tampering_is_found_and_named(
    written: Study, statements: list[str], first_broken: int | None, word: str
) -> None:
    written.past_the_store(*statements)
    report = journal.verify_chain(written.db)
    assert not report.ok
    assert word in report.reason
    if first_broken is not None:
        assert report.first_broken == first_broken


def test_an_entry_forged_with_a_right_hash_breaks_the_next_one(written: Study) -> None:
    with written.db.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM journal WHERE sequence = 6").one()
    forged = journal.entry_hash(
        6, at=row.at, account_id=row.account_id, verb=row.verb, payload="{}", previous=row.previous_hash
    )
    written.past_the_store(f"UPDATE journal SET payload = '{{}}', hash = '{forged}' WHERE sequence = 6")
    assert journal.verify_chain(written.db).first_broken == 7


def test_a_journal_without_end_takes_no_more_entries(written: Study) -> None:
    written.past_the_store("DELETE FROM journal_head")
    with pytest.raises(Exception, match="journal is missing"):
        written.person("Someone new", Role.READER)


def test_the_chain_goes_on_after_reopening(written: Study) -> None:
    before = journal.verify_chain(written.db).entries
    written.db.close()
    with open_database(written.place) as again:
        assert journal.verify_chain(again).entries == before
        study = Study(again, written.clock, written.coordinator)
        study.add_cases(film("P0009"))
        report = journal.verify_chain(again)
    assert report.ok
    assert report.entries == before + 2


def test_who_may_read_the_journal(written: Study) -> None:
    auditor = written.person("Ada", Role.AUDITOR)
    everything = journal.entries(written.db, auditor)
    assert [entry.sequence for entry in everything] == list(range(1, len(everything) + 1))
    assert journal.entries(written.db, auditor, after=3, limit=2) == everything[3:5]
    verbs = {entry.verb for entry in journal.entries(written.db, written.coordinator)}
    assert "case.add" in verbs
    assert not any(verb.startswith(("reading.", "adjudication.")) for verb in verbs)
    for name, role in (("Rita", Role.READER), ("Adam", Role.ADJUDICATOR)):
        with pytest.raises(NotAllowed):
            journal.entries(written.db, written.person(name, role))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.text(), _JSON))
def test_the_canonical_form_does_not_depend_on_order(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical(backwards) == canonical(value)
    assert canonical(value).isascii()
    assert sha256_of(value) == sha256_of(backwards)


def test_every_verb_of_a_reading_is_journaled_with_what_was_before(written: Study) -> None:
    reader = written.person("Rolf", Role.READER)
    written.assign(reader)
    opened = written.open(reader)
    joint = opened.case.joints[0].id
    written.commit(reader, opened, set_grade(joint, KL, 1))
    written.commit(reader, opened, set_grade(joint, KL, 2, before=1))
    written.lock(reader, opened)
    auditor = written.person("Ada", Role.AUDITOR)
    told = [entry for entry in journal.entries(written.db, auditor) if entry.account_id == reader.account_id]
    assert [entry.verb for entry in told] == [
        "reading.open",
        "reading.set-grade",
        "reading.set-grade",
        "reading.lock",
    ]
    assert told[2].payload["grades"] == [{"joint": joint, "item": "kl", "before": 1, "after": 2}]
    assert told[3].payload["reading"] == opened.reading_id

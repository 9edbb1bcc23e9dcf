"""What the database itself refuses, whoever asks: the journal is only appended to, what is signed stays.

Both engines get the same triggers from the same list; PostgreSQL is told besides not to empty such a table as
a whole (TRUNCATE), which asks no row. A revision that has been used keeps its list as it is; a later one
brings its own.

Whoever owns the tables can drop the triggers; that nothing was done meanwhile is for the journal to prove.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reader_app.store.frozen_words import FROZEN as _FROZEN

_APPEND_ONLY = "the journal can only be appended to"
_WHOLE = "this table cannot be emptied"
_SIGNED = "a locked reading cannot be changed"
_KEPT = "this can only be appended to"
_SINCE = "CASE WHEN verb = 'study.freeze' THEN at END"

MOVED = "this study has moved to"
"""How an embedded database refuses to be written after its study went to a server."""

WRITTEN_WHILE_FROZEN = (
    "study.unfreeze",
    "account.log-in",
    "account.lock",
    "account.unlock",
    "account.password",
    "export.report",
    "export.consensus",
    "export.journal",
)
"""What the journal still takes of a frozen study: nothing that changes a grade, a film or who reads what."""


@dataclass(frozen=True)
class Trigger:
    """One refusal.

    Attributes
    ----------
    verb
        INSERT, UPDATE or DELETE; each row is asked before it happens.
    when
        SQL over NEW and OLD, with ``IS DISTINCT FROM`` where None counts; empty refuses always.
    sentence
        What the engine says.
    """

    name: str
    table: str
    verb: str
    when: str
    sentence: str


def triggers_0001() -> tuple[Trigger, ...]:
    """Return the triggers that make the journal append-only and a locked reading unchangeable."""
    found = [
        Trigger("journal_no_update", "journal", "UPDATE", "", _APPEND_ONLY),
        Trigger("journal_no_delete", "journal", "DELETE", "", _APPEND_ONLY),
        Trigger(
            "journal_in_order",
            "journal",
            "INSERT",
            "NEW.sequence <> (SELECT sequence FROM journal_head) + 1 "
            "OR NEW.previous_hash <> (SELECT hash FROM journal_head)",
            _APPEND_ONLY,
        ),
        Trigger("journal_head_no_delete", "journal_head", "DELETE", "", _APPEND_ONLY),
        Trigger(
            "journal_head_forward",
            "journal_head",
            "UPDATE",
            "NEW.sequence <> OLD.sequence + 1 OR NEW.id <> OLD.id "
            "OR NEW.hash IS DISTINCT FROM (SELECT hash FROM journal WHERE sequence = NEW.sequence)",
            _APPEND_ONLY,
        ),
        Trigger("reading_locked_update", "reading", "UPDATE", "OLD.locked_at IS NOT NULL", _SIGNED),
        Trigger("reading_locked_delete", "reading", "DELETE", "OLD.locked_at IS NOT NULL", _SIGNED),
    ]
    for table in ("grade", "reading_box", "exclusion"):
        found.extend(_locked(table))
    return tuple(found)


def triggers_0003() -> tuple[Trigger, ...]:
    """Return the triggers that keep what is signed, amended or decided, and a frozen study frozen."""
    found = list(_locked("measurement"))
    for table in ("signature", "amendment", "display_check", "exclusion_check", "qualification", "design"):
        found += [
            Trigger(f"{table}_no_{verb.lower()}", table, verb, "", _KEPT) for verb in ("UPDATE", "DELETE")
        ]
    frozen = "(SELECT frozen_at FROM study_state WHERE id = 1) IS NOT NULL"
    for table in (
        "reading",
        "grade",
        "reading_box",
        "exclusion",
        "measurement",
        "amendment",
        "exclusion_check",
        "settlement",
        "assignment",
    ):
        found += [
            Trigger(f"{table}_frozen_{verb.lower()}", table, verb, frozen, _FROZEN)
            for verb in ("INSERT", "UPDATE", "DELETE")
        ]
    told = "(SELECT {} FROM journal WHERE sequence = (SELECT sequence FROM journal_head))"
    allowed = ", ".join(f"'{verb}'" for verb in WRITTEN_WHILE_FROZEN)
    found += [
        Trigger("journal_frozen", "journal", "INSERT", f"{frozen} AND NEW.verb NOT IN ({allowed})", _FROZEN),
        Trigger(
            "study_state_told",
            "study_state",
            "UPDATE",
            f"{told.format('verb')} NOT IN ('study.freeze', 'study.unfreeze') "
            f"OR NEW.frozen_at IS DISTINCT FROM {told.format(_SINCE)}",
            _KEPT,
        ),
        Trigger("study_state_no_delete", "study_state", "DELETE", "", _KEPT),
    ]
    return tuple(found)


def all_triggers() -> tuple[Trigger, ...]:
    """Return what a database of the newest revision must have."""
    return triggers_0001() + triggers_0003()


def statements(triggers: Iterable[Trigger], dialect: str) -> tuple[str, ...]:
    """Return the SQL that makes the triggers in one dialect, "sqlite" or "postgresql"."""
    make = {"sqlite": _sqlite, "postgresql": _postgresql}[dialect]
    return tuple(statement for trigger in triggers for statement in make(trigger))


def forgetting(triggers: Iterable[Trigger]) -> tuple[str, ...]:
    """Return the SQL that drops what PostgreSQL keeps of triggers whose tables are gone."""
    names = {name for trigger in triggers for name in (trigger.name, _emptied(trigger.table))}
    return tuple(f"DROP FUNCTION IF EXISTS {name}()" for name in sorted(names))


def moved_to(server: str) -> str:
    """Return the SQL after which an embedded database takes no more entries into its journal."""
    quoted = server.replace("'", "''")
    return (
        "CREATE TRIGGER journal_moved BEFORE INSERT ON journal "
        f"BEGIN SELECT RAISE(ABORT, '{MOVED} {quoted}'); END"
    )


def _locked(table: str) -> tuple[Trigger, ...]:
    """Nothing of a locked reading comes, changes or goes."""
    locked = "(SELECT locked_at FROM reading WHERE id = {row}.reading_id) IS NOT NULL"
    return tuple(
        Trigger(
            f"{table}_locked_{verb.lower()}",
            table,
            verb,
            " OR ".join(locked.format(row=row) for row in rows),
            _SIGNED,
        )
        for verb, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",)))
    )


def _sqlite(trigger: Trigger) -> tuple[str, ...]:
    # Before version 3.39, SQLite knows the comparison under its own name only.
    when = f"WHEN {trigger.when} ".replace("IS DISTINCT FROM", "IS NOT") if trigger.when else ""
    return (
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.verb} ON {trigger.table} "
        f"{when}BEGIN SELECT RAISE(ABORT, '{trigger.sentence}'); END",
    )


def _postgresql(trigger: Trigger) -> tuple[str, ...]:
    row = "OLD" if trigger.verb == "DELETE" else "NEW"
    refuse = f"RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{trigger.sentence}';"
    body = f"IF {trigger.when} THEN {refuse} END IF;" if trigger.when else refuse
    made = [
        _function(trigger.name, f"{body} RETURN {row};"),
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.verb} ON {trigger.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {trigger.name}()",
    ]
    if trigger.verb == "DELETE":
        # Another list may have refused it for the same table already.
        name = _emptied(trigger.table)
        made += [
            _function(name, refuse.replace(trigger.sentence, _WHOLE)),
            f"CREATE OR REPLACE TRIGGER {name} BEFORE TRUNCATE ON {trigger.table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ]
    return tuple(made)


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$refusal$ BEGIN {body} END $refusal$"
    )


def _emptied(table: str) -> str:
    return f"{table}_no_truncate"

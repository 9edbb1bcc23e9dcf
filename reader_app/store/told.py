"""What the journal tells of every table but those of readings: folded into what must be stored.

Each strand is one table, or those of its columns that matter. The readings have their own replay (`replay`),
and so have the corrections of films (`film_replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[Any, ...]
Values = dict[str, Any]
Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry of the journal, its payload opened."""

    sequence: int
    at: str
    account_id: int | None
    verb: str
    payload: Payload


@dataclass
class Row:
    """What one row must hold, and the entry that told so last."""

    values: Values
    sequence: int


@dataclass
class Strand:
    """One table as the journal tells it.

    Attributes
    ----------
    title, plural
        What a row of it is, and what several are, in words.
    verbs
        By verb, how an entry changes what is told.
    rows
        What is told so far.
    """

    title: str
    plural: str
    verbs: Mapping[str, Callable[[Strand, Entry], None]]
    rows: dict[Key, Row] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Take one entry in, if it concerns this table."""
        tell = self.verbs.get(entry.verb)
        if tell is not None:
            tell(self, entry)

    def put(self, key: Key, entry: Entry, **values: Any) -> None:
        """A row is as these values say, whatever it was before."""
        self.rows[key] = Row(values, entry.sequence)

    def change(self, key: Key, entry: Entry, **values: Any) -> None:
        """Some values of a row change; a row that was never told begins with them."""
        known = self.rows.setdefault(key, Row({}, entry.sequence))
        known.values |= values
        known.sequence = entry.sequence

    def drop(self, key: Key) -> None:
        """A row is gone."""
        self.rows.pop(key, None)


def strands() -> dict[str, Strand]:
    """Return all strands, empty, by the name of their table."""
    return {
        "account": Strand("account", "accounts", {"account.create": _created, "account.close": _closed}),
        "radiograph": Strand(
            "radiograph",
            "radiographs",
            {"import.radiographs": _imported, "import.restored": _refiled, "film.box_out": _refiled},
        ),
        "case_film": Strand(
            "case", "places of radiographs in cases", {"case.add": _cased, "case.withdraw": _cases_taken_back}
        ),
        "assignment": Strand(
            "place on a worklist",
            "places on worklists",
            {"case.assign": _assigned, "case.swap": _swapped, "case.withdraw": _taken_back},
        ),
        "design": Strand("reading design", "reading designs", {"design.set": _designed}),
        "pregrade": Strand(
            "pre-grade", "pre-grades", {"pregrade.save": _pregraded, "pregrade.withdraw": _withdrawn}
        ),
        "settlement": Strand(
            "settled grade",
            "settled grades",
            {"adjudication.settle": _settled, "adjudication.reopen": _reopened},
        ),
        "exclusion_check": Strand(
            "check of an exclusion", "checks of exclusions", {"exclusion.check": _exclusion_checked}
        ),
        "qualification": Strand(
            "qualification of a reader", "qualifications of readers", {"qualification.judge": _judged}
        ),
        "display_check": Strand(
            "check of a screen", "checks of screens", {"display.check": _display_checked}
        ),
        "signature": Strand("signature", "signatures", {"reading.lock": _signed}),
        "amendment": Strand("amendment", "amendments", {"reading.amend": _amended}),
        "study_state": Strand(
            "freeze of the study",
            "freezes of the study",
            {"study.freeze": _frozen, "study.unfreeze": _unfrozen},
        ),
    }


# People and films -------------------------------------------------------------------------------


def _created(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put((told["account"],), entry, name=told["name"], role=told["role"], active=True)


def _closed(strand: Strand, entry: Entry) -> None:
    strand.change((entry.payload["account"],), entry, active=False)


def _imported(strand: Strand, entry: Entry) -> None:
    # Studies of before the facts were told have the hash of the file alone.
    facts: Payload = entry.payload.get("facts", {})
    pixels: Payload = entry.payload.get("pixels", {})
    for sha256, film in entry.payload["radiographs"].items():
        strand.put((film,), entry, file_sha256=sha256)
        if str(film) in facts:
            strand.change((film,), entry, facts=facts[str(film)], pixel_sha256=pixels[str(film)])


def _refiled(strand: Strand, entry: Entry) -> None:
    if "file" not in entry.payload:
        return
    film = (entry.payload["radiograph"],)
    strand.change(film, entry, file_sha256=entry.payload["file"]["after"])
    # A box-out blanks pixels; that the new file is as it was made, its own hash says.
    if entry.verb == "film.box_out":
        strand.rows[film].values.pop("pixel_sha256", None)


# Cases and worklists ----------------------------------------------------------------------------


def _cased(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    for case, films in told["cases"].items():
        for place, film in enumerate(films):
            strand.put(
                (int(case), place),
                entry,
                radiograph_id=film,
                presentation=told["presentation"],
                purpose=told.get("purpose", "live"),
            )


def _assigned(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    if "entries" not in told:
        # As studies of before the designs told it: one arm, places counting on.
        for place, case in enumerate(told["cases"], start=told["first_place"]):
            strand.put((told["reader"], case, 1), entry, place=place, arm=told["arm"])
        return
    for one in told["entries"]:
        strand.put(
            (told["reader"], one["case"], one["pass"]),
            entry,
            after=tuple(one["after"]) if one["after"] else None,
            **{
                name: one[name]
                for name in ("place", "arm", "purpose", "period", "block", "mirrored", "after_days")
            },
        )


def _cases_taken_back(strand: Strand, entry: Entry) -> None:
    if entry.payload["cases"]:
        strand.rows.clear()


def _taken_back(strand: Strand, _entry: Entry) -> None:
    strand.rows.clear()


def _swapped(strand: Strand, entry: Entry) -> None:
    reader, (first, second) = entry.payload["reader"], entry.payload["places"]
    moved = [
        row for key, row in strand.rows.items() if key[0] == reader and row.values["place"] in (first, second)
    ]
    if len(moved) == 2:
        # The cases change places; a block belongs to its places and stays there.
        one, other = (row.values for row in moved)
        for name in ("place", "block"):
            one[name], other[name] = other[name], one[name]
    for row in moved:
        row.sequence = entry.sequence


def _designed(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put(
        (len(strand.rows) + 1,), entry, sha256=told["sha256"], content=told["content"], reason=told["reason"]
    )


# What the AI and the adjudicators said ----------------------------------------------------------


def _pregraded(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    hashes: Payload = told.get("sha256s", {})
    for item, code in told["codes"].items():
        key = (told["joint"], told["bundle_sha256"], item)
        strand.put(key, entry, code=code)
        if item in hashes:
            strand.change(key, entry, content=hashes[item])


def _withdrawn(strand: Strand, entry: Entry) -> None:
    for told in entry.payload["pregrades"]:
        strand.drop((told["joint"], told["bundle_sha256"], told["item"]))


def _settled(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put(
        (told["joint"], told["item"]),
        entry,
        case_id=told["case"],
        account_id=entry.account_id,
        code=told["code"],
        third_code=told["third_code"],
        method=told["method"],
        rationale=told["rationale"],
        participants=tuple(told.get("participants", ())),
    )


def _reopened(strand: Strand, entry: Entry) -> None:
    strand.drop((entry.payload["joint"], entry.payload["item"]))


# What was signed, checked and judged ------------------------------------------------------------


def _exclusion_checked(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put(
        (told["reading"], told["joint"]),
        entry,
        account_id=entry.account_id,
        confirmed=told["confirmed"],
        note=told["note"],
    )


def _judged(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put((told["reader"], told["attempt"]), entry, passed=told["passed"], result=told["result"])


def _display_checked(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put(
        (len(strand.rows) + 1,),
        entry,
        account_id=entry.account_id,
        passed=told["passed"],
        screen=told["screen"],
    )


def _signed(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    if "meaning" not in told:
        # Locked before signatures were kept apart.
        return
    strand.put(
        (told["reading"],),
        entry,
        account_id=entry.account_id,
        at=entry.at,
        display=told["display"],
        **{
            name: told[name]
            for name in (
                "meaning",
                "software",
                "protocol_sha256",
                "design_sha256",
                "content_sha256",
                "password_asked",
            )
        },
    )


def _amended(strand: Strand, entry: Entry) -> None:
    told = entry.payload
    strand.put(
        (len(strand.rows) + 1,),
        entry,
        account_id=entry.account_id,
        **{name: told[name] for name in ("reading", "joint", "item", "before", "after", "reason")},
    )


def _frozen(strand: Strand, entry: Entry) -> None:
    strand.put((1,), entry, frozen_at=entry.at)


def _unfrozen(strand: Strand, _entry: Entry) -> None:
    strand.drop((1,))

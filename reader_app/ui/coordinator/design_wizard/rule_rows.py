"""The rules of disagreement as a table: one row a feature, one column a trigger, then how it is resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from reader_app.protocols.model import AdjudicationRule, Protocol, Resolution, Scale, Trigger, TriggerKind
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_rules import rule_for


class Column(Enum):
    """What a row says, in the order of the table; each value is the column's title."""

    FEATURE = "Feature"
    ANY_DIFFERENCE = "Any difference"
    ABOVE = "Further apart than"
    CUT = "Across the cut"
    DIRECTION = "Direction of change"
    RESOLUTION = "Then"


@dataclass(frozen=True)
class Choice:
    """One value that a cell can have, and how the table names it."""

    value: object
    words: str


@dataclass(frozen=True)
class RuleRow:
    """What becomes of differences on one feature.

    Attributes
    ----------
    above
        A difference of more grades than this calls the adjudicator; None for no such trigger.
    cut
        The last code below the cut; None for no such trigger.
    resolution
        None where the readings stand side by side.
    further
        Triggers that the columns have no room for, such as a second cut; they stay with the rule.
    """

    feature_id: str
    any_difference: bool = False
    above: int | None = None
    cut: int | None = None
    direction: bool = False
    resolution: Resolution | None = None
    further: tuple[Trigger, ...] = ()

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers that are set."""
        found = [Trigger(TriggerKind.ANY_DIFFERENCE)] if self.any_difference else []
        if self.above is not None:
            found.append(Trigger(TriggerKind.DIFFERENCE_ABOVE, above=self.above))
        if self.cut is not None:
            found.append(Trigger(TriggerKind.ACROSS_CUT, cut=self.cut))
        if self.direction:
            found.append(Trigger(TriggerKind.DIRECTION_OF_CHANGE))
        return (*found, *self.further)

    @property
    def fault(self) -> str:
        """What is wrong with the row, in words; empty if nothing."""
        if self.resolution is not None and not self.triggers:
            return f"{self.feature_id}: choose at least one difference that counts."
        return ""


RESOLUTIONS = {
    Resolution.THIRD_FINAL: "third reader is final",
    Resolution.THIRD_IF_MATCH: "third if a match, else consensus",
    Resolution.LIVE_CONSENSUS: "live consensus",
    Resolution.MEDIAN: "median",
    Resolution.MAJORITY: "majority, else third reader",
    Resolution.WORST: "worst",
}
_SIDE_BY_SIDE = Choice(None, "stand side by side")
_SWITCH = (Choice(False, "–"), Choice(True, "yes"))
_ATTRIBUTE = {
    Column.ANY_DIFFERENCE: "any_difference",
    Column.ABOVE: "above",
    Column.CUT: "cut",
    Column.DIRECTION: "direction",
    Column.RESOLUTION: "resolution",
}


def rows_of(design: ReadingDesign, protocol: Protocol) -> tuple[RuleRow, ...]:
    """Return the rules that hold under a design, one row a feature in the protocol's order."""
    return tuple(_row(feature.id, rule_for(design, protocol, feature.id)) for feature in protocol.features)


def is_of_protocol(row: RuleRow, protocol: Protocol) -> bool:
    """Return whether a row says what the protocol says anyway."""
    return row == _row(row.feature_id, protocol.rule_for(row.feature_id))


def choices(protocol: Protocol, row: RuleRow, column: Column) -> tuple[Choice, ...]:
    """Return what a cell can hold; nothing for the feature's own name."""
    scale = protocol.feature(row.feature_id).scale
    codes = [level.code for level in scale.levels]
    match column:
        case Column.FEATURE:
            return ()
        case Column.ANY_DIFFERENCE | Column.DIRECTION:
            return _SWITCH
        case Column.ABOVE:
            widest = codes[-1] - codes[0]
            return (Choice(None, "–"), *(Choice(n, _grades(n)) for n in range(1, widest)))
        case Column.CUT:
            return (Choice(None, "–"), *(Choice(code, _cut_words(scale, code)) for code in codes[:-1]))
        case Column.RESOLUTION:
            own = tuple(Choice(each, words) for each, words in RESOLUTIONS.items())
            # A design replaces the protocol's rule of a feature; it cannot take it away.
            return own if protocol.rule_for(row.feature_id) is not None else (_SIDE_BY_SIDE, *own)


def cell(row: RuleRow, column: Column) -> object:
    """Return the value of a cell; the feature's id in the first column."""
    return row.feature_id if column is Column.FEATURE else getattr(row, _ATTRIBUTE[column])


def words_of(protocol: Protocol, row: RuleRow, column: Column) -> str:
    """Return what the table shows in a cell."""
    if column is Column.FEATURE:
        return protocol.feature(row.feature_id).title
    value = cell(row, column)
    found = (choice.words for choice in choices(protocol, row, column) if choice.value == value)
    words = next(found, _unlisted(value))
    scale = protocol.feature(row.feature_id).scale
    more = [_cut_words(scale, trigger.cut) for trigger in row.further if trigger.cut is not None]
    return " and ".join([words, *more]) if column is Column.CUT else words


def changed(row: RuleRow, column: Column, value: object) -> RuleRow:
    """Return a row with another value in a cell, made whole where the rest must follow."""
    if column is Column.FEATURE:
        return row
    values: dict[str, Any] = {_ATTRIBUTE[column]: value}
    if column is Column.ANY_DIFFERENCE and value:
        # It takes in every distance and every cut.
        values |= {"above": None, "cut": None, "further": ()}
    elif column in (Column.ABOVE, Column.CUT):
        values |= {"further": ()} | ({"any_difference": False} if value is not None else {})
    new = replace(row, **values)
    if column is Column.RESOLUTION and value is None:
        return RuleRow(row.feature_id)
    if new.triggers and new.resolution is None:
        return replace(new, resolution=Resolution.THIRD_FINAL)
    if column is Column.RESOLUTION and not new.triggers:
        return replace(new, any_difference=True)
    return new


def like(protocol: Protocol, row: RuleRow, other: RuleRow) -> RuleRow:
    """Return a row with another's rule, as far as its own scale has those grades."""
    values: dict[str, Any] = {"further": ()}
    for column, name in _ATTRIBUTE.items():
        value = cell(other, column)
        fits = any(choice.value == value for choice in choices(protocol, row, column))
        if fits or column is not Column.RESOLUTION:
            values[name] = value if fits else None
    new = replace(row, **values)
    # On a scale of two grades every difference is the widest.
    return replace(new, any_difference=True) if new.resolution is not None and not new.triggers else new


def with_rows(design: ReadingDesign, protocol: Protocol, rows: Sequence[RuleRow]) -> ReadingDesign:
    """Return the design with these rules: those that are the protocol's anyway are not written down."""
    before = {row.feature_id: row for row in rows_of(design, protocol)}
    if all(before[row.feature_id] == row for row in rows):
        return design
    grouped: dict[tuple[tuple[Trigger, ...], Resolution], list[str]] = {}
    for row in rows:
        if not is_of_protocol(row, protocol) and row.resolution is not None:
            grouped.setdefault((row.triggers, row.resolution), []).append(row.feature_id)
    rules = tuple(
        AdjudicationRule(tuple(features), triggers, resolution)
        for (triggers, resolution), features in grouped.items()
    )
    return replace(design, adjudication=replace(design.adjudication, rules=rules))


def _row(feature_id: str, rule: AdjudicationRule | None) -> RuleRow:
    if rule is None:
        return RuleRow(feature_id)
    kinds: dict[TriggerKind, Trigger] = {}
    for trigger in rule.triggers:
        kinds.setdefault(trigger.kind, trigger)
    above, cut = kinds.get(TriggerKind.DIFFERENCE_ABOVE), kinds.get(TriggerKind.ACROSS_CUT)
    return RuleRow(
        feature_id,
        any_difference=TriggerKind.ANY_DIFFERENCE in kinds,
        above=above.above if above else None,
        cut=cut.cut if cut else None,
        direction=TriggerKind.DIRECTION_OF_CHANGE in kinds,
        resolution=rule.resolution,
        further=tuple(trigger for trigger in rule.triggers if trigger != kinds[trigger.kind]),
    )


def _grades(number: int) -> str:
    return "1 grade" if number == 1 else f"{number} grades"


def _cut_words(scale: Scale, code: int) -> str:
    codes = [level.code for level in scale.levels]
    below, above = [c for c in codes if c <= code], [c for c in codes if c > code]
    return f"{_span(below)} | {_span(above)}"


def _span(codes: Sequence[int]) -> str:
    return str(codes[0]) if len(codes) == 1 else f"{codes[0]}-{codes[-1]}"


def _unlisted(value: object) -> str:
    return "–" if value is None or value is False else str(value)

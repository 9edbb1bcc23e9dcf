"""What must fit together in a design, and with the protocol, beyond the form of each value.

Every check looks at the tables as the layout read them, where whatever was invalid is left out, and yields
faults; `CHECKS` lists them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from reader_app.protocols.checks import tables, trigger_faults
from reader_app.protocols.model import Arm, Presentation, Protocol, TriggerKind
from reader_app.protocols.schema import INVALID, Fault, nearest, one_of, quoted

Document = dict[str, Any]
Check = Callable[[Document, Protocol], Iterator[Fault]]

_BESIDE_ANY = (TriggerKind.DIRECTION_OF_CHANGE,)


def overlap_needs_readers(document: Document, _: Protocol) -> Iterator[Fault]:
    """Cases can only be shared by more than one reader."""
    readers, overlap = document.get("readers_per_case"), document.get("overlap_percent")
    if readers == 1 and overlap is not None and overlap < 100:
        yield Fault("overlap_percent", "100, since one reader reads a case", str(overlap))
    if readers is not None and readers != 1 and overlap == 0:
        yield Fault(
            "overlap_percent", "1 to 100, or readers_per_case = 1 where no case is shared", str(overlap)
        )


def washout_belongs_to_a_crossover(document: Document, _: Protocol) -> Iterator[Fault]:
    """A crossover has a washout, and nothing else has."""
    arm, days = document.get("arm"), document.get("washout_days")
    if arm is None or days is None:
        return
    if arm is Arm.CROSSOVER and days <= 0:
        yield Fault("washout_days", "more than 0 days between the two readings of a crossover", f"{days:g}")
    if arm is not Arm.CROSSOVER and days > 0:
        yield Fault("washout_days", f"0 with the arm {arm}; only a crossover has a washout", f"{days:g}")


def crossover_has_no_rereads(document: Document, _: Protocol) -> Iterator[Fault]:
    """In a crossover every case is read twice as it is: a third time would be known again."""
    percent = (document.get("rereads") or {}).get("percent")
    if document.get("arm") is Arm.CROSSOVER and percent:
        yield Fault("rereads.percent", "0 in a crossover, where every case is read twice", str(percent))


def mirrored_rereads_have_decoys(document: Document, _: Protocol) -> Iterator[Fault]:
    """As many first readings are mirrored as re-reads: there must be enough that are not read again."""
    rereads = document.get("rereads") or {}
    if rereads.get("mirrored") and rereads.get("percent", 0) > 50:
        yield Fault(
            "rereads.percent",
            "at most 50 with mirrored re-reads, as one first reading of another case is mirrored for each",
            str(rereads["percent"]),
        )


def calibration_has_cases(document: Document, protocol: Protocol) -> Iterator[Fault]:
    """A gate and controls need calibration cases, and the gate's features are graded."""
    calibration = document.get("calibration") or {}
    number = calibration.get("cases")
    if number == 0:
        for name in ("min_kappa", "control_every", "features"):
            if calibration.get(name):
                yield Fault("calibration.cases", f"1 or more, since there is calibration.{name}", "0")
    known = [feature.id for feature in protocol.features]
    names = calibration.get("features", [])
    for place, name in enumerate(names):
        if name is not INVALID and name not in known:
            yield Fault(f"calibration.features[{place}]", one_of(known), quoted(name), nearest(name, known))
    yield from _twice([(f"calibration.features[{place}]", name) for place, name in enumerate(names)])


def rules_fit_the_protocol(document: Document, protocol: Protocol) -> Iterator[Fault]:
    """Rules are about features that are graded, and their numbers lie on the scales."""
    judging = document.get("adjudication") or {}
    known = {feature.id: feature for feature in protocol.features}
    places = []
    for where, rule in tables(judging, "rules", "adjudication"):
        scales = []
        for place, name in enumerate(rule.get("features", ())):
            if name is INVALID:
                continue
            key = f"{where}.features[{place}]"
            places.append((key, name))
            if name in known:
                scales.append([level.code for level in known[name].scale.levels])
            else:
                yield Fault(key, one_of(known), quoted(name), nearest(name, known))
        # Several features often share a scale: the same fault is told once.
        faults: dict[Fault, None] = {}
        for key, trigger in tables(rule, "triggers", where):
            for codes in scales or [[]]:
                faults |= dict.fromkeys(trigger_faults(key, trigger, codes))
        yield from faults
    yield from _twice(places, "a feature that no rule has yet")


def triggers_add_to_each_other(document: Document, _: Protocol) -> Iterator[Fault]:
    """Of one kind one trigger is enough, and beside "any difference" no distance between grades counts."""
    for where, rule in tables(document.get("adjudication") or {}, "rules", "adjudication"):
        found = [(key, each["kind"]) for key, each in tables(rule, "triggers", where) if "kind" in each]
        kinds = Counter(kind for _, kind in found)
        for place, (key, kind) in enumerate(found):
            if kind in [before for _, before in found[:place]]:
                yield Fault(f"{key}.kind", "a kind that the rule has not named yet", quoted(kind))
            elif kinds[TriggerKind.ANY_DIFFERENCE] and kind not in (TriggerKind.ANY_DIFFERENCE, *_BESIDE_ANY):
                yield Fault(
                    f"{key}.kind",
                    f"at most {one_of(_BESIDE_ANY).removeprefix('one of ')} beside "
                    f"{TriggerKind.ANY_DIFFERENCE}, which takes in every difference",
                    quoted(kind),
                )


def change_needs_visits(document: Document, _: Protocol) -> Iterator[Fault]:
    """The direction of change is judged within a case, which then holds the visits."""
    if document.get("presentation") is not Presentation.SINGLE:
        return
    for where, rule in tables(document.get("adjudication") or {}, "rules", "adjudication"):
        for key, trigger in tables(rule, "triggers", where):
            if trigger.get("kind") is TriggerKind.DIRECTION_OF_CHANGE:
                yield Fault(
                    f"{key}.kind",
                    f"presentation {Presentation.PAIRED_ORDERED} or {Presentation.PAIRED_BLINDED} with it, "
                    "so that the visits of a participant are one case",
                    f"presentation {Presentation.SINGLE}",
                )


def one_reader_differs_from_nobody(document: Document, _: Protocol) -> Iterator[Fault]:
    """Where one reader reads a case, there is nothing for the design to adjudicate."""
    rules = (document.get("adjudication") or {}).get("rules")
    if document.get("readers_per_case") == 1 and rules:
        yield Fault("adjudication.rules", "no rules, since one reader reads a case", f"{len(rules)}")


def _twice(places: list[tuple[str, Any]], what: str = "a feature named once") -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for key, name in places:
        if name is INVALID:
            continue
        first = seen.setdefault(name, key)
        if first != key:
            yield Fault(key, what, f"{quoted(name)}, which {first} has already")


CHECKS: tuple[Check, ...] = (
    overlap_needs_readers,
    washout_belongs_to_a_crossover,
    crossover_has_no_rereads,
    mirrored_rereads_have_decoys,
    calibration_has_cases,
    rules_fit_the_protocol,
    triggers_add_to_each_other,
    change_needs_visits,
    one_reader_differs_from_nobody,
)

"""What must fit together in a protocol file beyond the form of each value.

Every check looks at the tables as the layout read them, where whatever was invalid is left out, and yields
faults; `CHECKS` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from reader_app.protocols.model import Combine
from reader_app.protocols.rules import Arm, TriggerKind
from reader_app.protocols.schema import INVALID, Fault, nearest, one_of, quoted

Document = dict[str, Any]
Check = Callable[[Document], Iterator[Fault]]


def tables(parent: Document, name: str, key: str = "") -> Iterator[tuple[str, Document]]:
    """Yield the dotted key and the content of every valid table in a list of tables."""
    for index, table in enumerate(parent.get(name) or ()):
        if table is not INVALID:
            yield f"{key}{'.' if key else ''}{name}[{index}]", table


def _codes(scale: Document | None) -> list[int]:
    """Return the codes of a scale, without those that are invalid."""
    return [level["code"] for _, level in tables(scale or {}, "levels") if "code" in level]


def _named(document: Document, name: str) -> dict[str, Document]:
    return {table["id"]: table for _, table in tables(document, name) if "id" in table}


def _scale_of(document: Document, feature: Document | None) -> Document | None:
    scale = _named(document, "scales").get((feature or {}).get("scale", ""))
    # A scale that is itself faulty says so once; what hangs on it is not judged by half its codes.
    complete = scale is not None and len(_codes(scale)) == len(scale.get("levels", ())) >= 2
    return scale if complete else None


def _doubled(places: Sequence[tuple[str, str]], what: str) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for key, text in places:
        first = seen.setdefault(text.casefold(), key)
        if first != key:
            yield Fault(key, what, f"{quoted(text)}, which {first} has already")


def _values(parent: Document, name: str, value: str, key: str = "") -> list[tuple[str, str]]:
    return [
        (f"{where}.{value}", table[value]) for where, table in tables(parent, name, key) if value in table
    ]


def ids_are_unique(document: Document) -> Iterator[Fault]:
    """Ids tell tables apart, also where capitals do not count, such as in file names."""
    for name in ("scales", "features", "exclusion_reasons", "cross_checks"):
        yield from _doubled(_values(document, name, "id"), "an id of its own")
    for where, feature in tables(document, "features"):
        yield from _doubled(_values(feature, "sites", "id", where), "an id of its own")
    views = [(f"views[{n}]", view) for n, view in enumerate(document.get("views", ())) if view is not INVALID]
    yield from _doubled(views, "a view named once")


def levels_are_ordered(document: Document) -> Iterator[Fault]:
    """Codes ascend, and a key or label belongs to one level."""
    for where, scale in tables(document, "scales"):
        coded = [
            (f"{key}.code", level["code"]) for key, level in tables(scale, "levels", where) if "code" in level
        ]
        for (_, before), (key, code) in pairwise(coded):
            if code <= before:
                yield Fault(key, f"a code above {before}, since codes ascend", str(code))
        yield from _doubled(_values(scale, "levels", "key", where), "a key of its own within the scale")
        yield from _doubled(_values(scale, "levels", "label", where), "a label of its own within the scale")


def features_fit_their_scale(document: Document) -> Iterator[Fault]:
    """Scale, threshold for "present" and help per level belong together."""
    scales = _named(document, "scales")
    for where, feature in tables(document, "features"):
        name = feature.get("scale")
        if name is not None and name not in scales:
            yield Fault(f"{where}.scale", one_of(scales), quoted(name), nearest(name, scales))
        scale = _scale_of(document, feature)
        if scale is None:
            continue
        codes = _codes(scale)
        present_from = feature.get("present_from")
        if present_from is not None and present_from not in codes[1:]:
            yield Fault(
                f"{where}.present_from", f"{one_of(codes[1:])}, a code above the lowest", str(present_from)
            )
        texts = feature.get("level_help", [])
        if texts and len(texts) != len(codes):
            yield Fault(
                f"{where}.level_help", f"{len(codes)} texts, one for each level", f"{len(texts)} texts"
            )


def sites_combine(document: Document) -> Iterator[Fault]:
    """Only sites can be combined."""
    for where, feature in tables(document, "features"):
        if "sites" in feature and not feature["sites"] and feature.get("combine") is Combine.MAX:
            yield Fault(f"{where}.combine", "sites to combine, or no such key", quoted(str(Combine.MAX)))


def _feature_fault(document: Document, key: str, name: str) -> Iterator[Fault]:
    known = _named(document, "features")
    if name not in known:
        yield Fault(key, one_of(known), quoted(name), nearest(name, known))


def _condition_faults(document: Document, where: str, condition: Document) -> Iterator[Fault]:
    if "feature" not in condition:
        return
    yield from _feature_fault(document, f"{where}.feature", condition["feature"])
    feature = _named(document, "features").get(condition["feature"])
    if feature is None:
        return
    sites = _named(feature, "sites")
    site = condition.get("site")
    if site is not None and site not in sites:
        yield Fault(f"{where}.site", one_of(sites), quoted(site), nearest(site, sites))
    elif "site" in condition and site is None and sites and feature.get("combine") is Combine.SEPARATE:
        yield Fault(f"{where}.site", f"{one_of(sites)}, since the sites stay separate", "nothing")
    scale = _scale_of(document, feature)
    if scale is not None and "code" in condition and condition["code"] not in _codes(scale):
        yield Fault(f"{where}.code", one_of(_codes(scale)), str(condition["code"]))


def conditions_name_what_is_graded(document: Document) -> Iterator[Fault]:
    """A cross-check speaks of features, sites and codes that exist, and of one unit."""
    features = _named(document, "features")
    for where, check in tables(document, "cross_checks"):
        units = set()
        for key, condition in tables(check, "conditions", where):
            yield from _condition_faults(document, key, condition)
            units.add(features.get(condition.get("feature", ""), {}).get("unit"))
        if len(units - {None}) > 1:
            yield Fault(
                f"{where}.conditions",
                "features of one unit",
                "a feature of the joint beside one of the participant",
            )


_PARAMETERS = {
    TriggerKind.ANY_DIFFERENCE: None,
    TriggerKind.DIFFERENCE_ABOVE: "above",
    TriggerKind.ACROSS_CUT: "cut",
    TriggerKind.DIRECTION_OF_CHANGE: None,
}


def trigger_faults(where: str, trigger: Document, codes: list[int]) -> Iterator[Fault]:
    """Yield what is wrong with a trigger for a feature with these codes; none are known for an empty list."""
    kind = trigger.get("kind")
    if kind is None:
        return
    wanted = _PARAMETERS[kind]
    for name in ("above", "cut"):
        value = trigger.get(name)
        if name != wanted and value is not None:
            yield Fault(f"{where}.{name}", f"no such key for {kind}", str(value))
        elif name == wanted and name in trigger and value is None:
            yield Fault(f"{where}.{name}", f"a whole number for {kind}", "nothing")
    above, cut = trigger.get("above"), trigger.get("cut")
    if not codes:
        return
    if wanted == "cut" and cut is not None and cut not in codes[:-1]:
        yield Fault(f"{where}.cut", f"{one_of(codes[:-1])}, the last code below the cut", str(cut))
    if wanted == "above" and above is not None and above >= codes[-1] - codes[0]:
        yield Fault(
            f"{where}.above", f"a number below {codes[-1] - codes[0]}, the widest difference", str(above)
        )


def adjudication_fits(document: Document) -> Iterator[Fault]:
    """A feature has one rule at most, and a rule's numbers lie on the scales of all its features."""
    places = []
    for where, rule in tables(document, "adjudication"):
        names = [(f"{where}.features[{n}]", name) for n, name in enumerate(rule.get("features", ()))]
        names = [(key, name) for key, name in names if name is not INVALID]
        places += names
        scales = []
        for key, name in names:
            yield from _feature_fault(document, key, name)
            scales.append(_scale_of(document, _named(document, "features").get(name)))
        faults: dict[Fault, None] = {}
        for key, trigger in tables(rule, "triggers", where):
            # Several features often share a scale: the same fault is told once.
            for scale in scales:
                faults |= dict.fromkeys(trigger_faults(key, trigger, _codes(scale)))
        yield from faults
    yield from _doubled(places, "a feature that no rule has yet")


def arm_has_a_bundle(document: Document) -> Iterator[Fault]:
    """An aided reading needs a pre-grade, and a pre-grade needs a bundle."""
    arm = (document.get("reading") or {}).get("arm")
    if arm in (Arm.AIDED, Arm.UNAIDED_THEN_AIDED) and "bundle" in document and document["bundle"] is None:
        yield Fault("reading.arm", f"{Arm.UNAIDED}, since the protocol names no bundle", str(arm))


CHECKS: tuple[Check, ...] = (
    ids_are_unique,
    levels_are_ordered,
    features_fit_their_scale,
    sites_combine,
    conditions_name_what_is_graded,
    adjudication_fits,
    arm_has_a_bundle,
)

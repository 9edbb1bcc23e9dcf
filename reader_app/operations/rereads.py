"""How well each reader repeats their own grades: agreement within readers, from the hidden re-reads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from reader_app.agreement.kappa import clustered_kappa, clustered_percent_agreement
from reader_app.agreement.ratings import Categories, Ratings
from reader_app.agreement.result import Result
from reader_app.agreement.weights import Weights
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.consensus import reader_finals
from reader_app.store import rereads
from reader_app.store.records import Actor


@dataclass(frozen=True)
class WithinReader:
    """One reader's agreement with themselves in one feature.

    Attributes
    ----------
    reader
        The name; a report gives it the label that the reader has there.
    grades, participants
        How many were given twice, and of how many participants.
    kappa, agreement
        With the protocol's weights, and the share of equal grades; intervals clustered by participant.
    """

    account_id: int
    reader: str
    feature_id: str
    title: str
    weights: Weights
    grades: int
    participants: int
    kappa: Result
    agreement: Result


@dataclass
class _Twice:
    first: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    clusters: list[int] = field(default_factory=list)


def within_readers(study: Study, actor: Actor, *, level: float = 0.95) -> tuple[WithinReader, ...]:
    """Return the agreement within readers, by reader and then by feature of the protocol.

    Sites that make one final grade are compared by it; where they stay separate each counts. A reader who has
    re-reads gets every feature that could have been graded, undefined ones with their reason.

    Raises
    ------
    NotAllowed
        Unless the actor is the auditor, or a coordinator of a frozen study.
    """
    protocol = study.protocol
    found: dict[tuple[int, str], dict[str, _Twice]] = {}
    for joint in rereads.pairs(study.database, actor):
        of_reader = found.setdefault((joint.account_id, joint.reader), defaultdict(_Twice))
        again = reader_finals(protocol, joint.side, joint.again)
        for item, code in reader_finals(protocol, joint.side, joint.first).items():
            _add(of_reader, item, code, again=again.get(item), cluster=joint.participant_id)
    return tuple(
        _within(study, account_id, reader, feature.id, of_reader[feature.id], level)
        for (account_id, reader), of_reader in found.items()
        for feature in protocol.features
        if feature.id in of_reader
    )


def _add(of_reader: dict[str, _Twice], item: Item, code: int, *, again: int | None, cluster: int) -> None:
    twice = of_reader[item.feature_id]
    if again is not None:
        twice.first.append(code)
        twice.again.append(again)
        twice.clusters.append(cluster)


def _within(
    study: Study, account_id: int, reader: str, feature_id: str, twice: _Twice, level: float
) -> WithinReader:
    feature = study.protocol.feature(feature_id)
    scale, weights = Categories(feature.scale.codes), Weights(feature.weights.value)
    pairs = Ratings.from_columns(scale, [twice.first, twice.again], clusters=twice.clusters).pair(0, 1)
    return WithinReader(
        account_id=account_id,
        reader=reader,
        feature_id=feature_id,
        title=feature.title,
        weights=weights,
        grades=len(twice.first),
        participants=len(set(twice.clusters)),
        kappa=clustered_kappa(pairs, weights, level=level),
        agreement=clustered_percent_agreement(pairs, level=level),
    )

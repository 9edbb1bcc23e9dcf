"""From the tables of a faultless protocol file to the values of the model."""

from __future__ import annotations

from typing import Any

from reader_app.protocols.model import Feature, Protocol, Site
from reader_app.protocols.rules import (
    AdjudicationRule,
    Condition,
    CrossCheck,
    ExclusionReason,
    ReadingDefaults,
    Trigger,
)
from reader_app.protocols.scale import Level, Scale


def build_protocol(document: dict[str, Any]) -> Protocol:
    """Build the protocol from tables that the layout has read and all checks have passed."""
    scales = {table["id"]: _scale(table) for table in document["scales"]}
    return Protocol(
        id=document["id"],
        version=document["version"],
        title=document["title"],
        joint=document["joint"],
        views=tuple(document["views"]),
        features=tuple(_feature(table, scales) for table in document["features"]),
        exclusion_reasons=tuple(ExclusionReason(**table) for table in document["exclusion_reasons"]),
        cross_checks=tuple(_cross_check(table) for table in document["cross_checks"]),
        bundle=document["bundle"],
        adjudication=tuple(_rule(table) for table in document["adjudication"]),
        reading=ReadingDefaults(**document["reading"]),
        source=document["source"],
    )


def _scale(table: dict[str, Any]) -> Scale:
    return Scale(table["id"], table["title"], tuple(Level(**level) for level in table["levels"]))


def _feature(table: dict[str, Any], scales: dict[str, Scale]) -> Feature:
    values = dict(table)
    values["scale"] = scales[table["scale"]]
    values["sites"] = tuple(Site(**site) for site in table["sites"])
    values["level_help"] = tuple(table["level_help"])
    return Feature(**values)


def _cross_check(table: dict[str, Any]) -> CrossCheck:
    conditions = tuple(
        Condition(
            feature_id=condition["feature"],
            site_id=condition["site"],
            comparison=condition["is"],
            code=condition["code"],
        )
        for condition in table["conditions"]
    )
    return CrossCheck(id=table["id"], title=table["title"], conditions=conditions, message=table["message"])


def _rule(table: dict[str, Any]) -> AdjudicationRule:
    return AdjudicationRule(
        feature_ids=tuple(table["features"]),
        triggers=tuple(Trigger(**trigger) for trigger in table["triggers"]),
        resolution=table["resolution"],
    )

"""Which adjudication rule a study follows: the design's, and where it is silent the protocol's."""

from __future__ import annotations

from reader_app.protocols.model import AdjudicationRule, Protocol
from reader_app.reading.design import ReadingDesign


def rule_for(design: ReadingDesign, protocol: Protocol, feature_id: str) -> AdjudicationRule | None:
    """Return the rule of a feature; None means that its readings stand side by side.

    Raises
    ------
    GradeError
        If the protocol has no such feature.
    """
    of_protocol = protocol.rule_for(feature_id)
    chosen = (rule for rule in design.adjudication.rules if feature_id in rule.feature_ids)
    return next(chosen, of_protocol)

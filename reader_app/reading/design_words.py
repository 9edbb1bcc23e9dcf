"""A reading design in plain sentences, for whoever has to agree to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reader_app.protocols.describe import rule_words
from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Presentation,
    Protocol,
    Trigger,
    TriggerKind,
)
from reader_app.reading.design import (
    ALL_READERS,
    DisplayPolicy,
    PasswordPolicy,
    ReadingDesign,
    WithinRule,
)
from reader_app.reading.design_rules import rule_for

ARM_WORDS = {
    Arm.UNAIDED: "Nothing of the AI is shown.",
    Arm.AIDED: "The reader sees the AI's pre-grade while grading.",
    Arm.UNAIDED_THEN_AIDED: (
        "Each case is first graded and locked without the AI; then the AI appears, and what the reader "
        "changes is kept as a second reading."
    ),
    Arm.CROSSOVER: "Each case is read twice, once with and once without the AI, after a washout.",
}
PRESENTATION_WORDS = {
    Presentation.SINGLE: "Each radiograph is a case of its own.",
    Presentation.PAIRED_ORDERED: "All visits of a participant are one case, in their known order.",
    Presentation.PAIRED_BLINDED: "All visits of a participant are one case, in a hidden random order.",
}
WITHIN_WORDS = {
    WithinRule.WORST: "Of grades that differ without calling anybody, the worst is final.",
    WithinRule.MEDIAN: "Of grades that differ without calling anybody, the median is final.",
    WithinRule.OPEN: "Grades that differ without calling anybody stand side by side.",
}
PASSWORD_WORDS = {
    PasswordPolicy.NEVER: "A lock asks no password.",
    PasswordPolicy.FIRST_OF_SESSION: "The first lock of a session asks the password.",
    PasswordPolicy.EACH_LOCK: "Every lock asks the password.",
}
DISPLAY_WORDS = {
    DisplayPolicy.NEVER: "The display is not checked.",
    DisplayPolicy.DAILY: "Readers check their display once a day.",
    DisplayPolicy.EACH_SESSION: "Readers check their display at each log-in.",
}

_ANY_DIFFERENCE = Trigger(TriggerKind.ANY_DIFFERENCE)


@dataclass(frozen=True)
class Topic:
    """One part of a design: its title, and what it says in sentences."""

    title: str
    sentences: tuple[str, ...]


def in_words(design: ReadingDesign, protocol: Protocol) -> tuple[Topic, ...]:
    """Return the whole design in sentences, topic by topic, in the order in which it is made."""
    return (
        Topic("Who reads what", tuple(_readers(design))),
        Topic("What of the AI", tuple(_arm(design))),
        Topic("Repeats", tuple(_repeats(design))),
        Topic("Calibration", tuple(_calibration(design))),
        Topic("Disagreements", tuple(_disagreements(design, protocol))),
        Topic("Signing", tuple(_signing(design))),
    )


def _readers(design: ReadingDesign) -> Iterator[str]:
    yield PRESENTATION_WORDS[design.presentation]
    who = _who(design.readers_per_case)
    if design.readers_per_case == 1 or design.overlap_percent == 100:
        yield f"Every case is read by {who}."
    else:
        yield f"{design.overlap_percent} % of the cases are read by {who}, each other case by one reader."
    blocks = f", in blocks of {design.block_size}" if design.block_size else ""
    yield f"Each reader has a random order of their own{blocks}; it follows from the seed {design.seed}."
    if design.participant_distance and design.presentation is Presentation.SINGLE:
        between = _count(design.participant_distance, "other case")
        yield f"At least {between} lie between two cases of one participant, where that can be done."


def _arm(design: ReadingDesign) -> Iterator[str]:
    yield ARM_WORDS[design.arm]
    if design.arm is Arm.CROSSOVER:
        yield f"The second reading of a case opens {_days(design.washout_days)} after the first was locked."


def _repeats(design: ReadingDesign) -> Iterator[str]:
    rereads = design.rereads
    if not rereads.percent:
        yield "There are no hidden re-reads."
        return
    yield f"{rereads.percent} % of a reader's cases come back unannounced."
    later = f" and {_days(rereads.min_days)}" if rereads.min_days else ""
    yield f"At least {_count(rereads.min_cases, 'other case')}{later} lie between the two readings."
    if rereads.mirrored:
        yield "They are shown mirrored, and as many first readings too: a mirrored film tells nothing."


def _calibration(design: ReadingDesign) -> Iterator[str]:
    calibration = design.calibration
    if not calibration.cases:
        yield "There are no calibration cases."
        return
    source = f" by “{calibration.source}”" if calibration.source else ""
    yield (
        f"Each reader begins with {_count(calibration.cases, 'case')} that have reference grades{source}; "
        "they are no part of the results."
    )
    if calibration.feedback:
        yield "After locking one, the reader sees the reference."
    if calibration.min_kappa is not None:
        names = ", ".join(calibration.features) or "every feature that has a reference"
        yield (
            f"Live reading opens once the lower bound of kappa reaches {calibration.min_kappa:.2f} for "
            f"{names} ({100 * calibration.confidence:.4g} % interval)."
        )
    else:
        yield "Live reading opens afterwards whatever the agreement."
    if calibration.control_every:
        between = _count(calibration.control_every, "live case")
        yield f"After every {between} one of them comes back unannounced."


def _disagreements(design: ReadingDesign, protocol: Protocol) -> Iterator[str]:
    grouped: dict[AdjudicationRule, list[str]] = {}
    without = []
    for feature in protocol.features:
        rule = rule_for(design, protocol, feature.id)
        if rule is None:
            without.append(feature.id)
        else:
            grouped.setdefault(AdjudicationRule((), rule.triggers, rule.resolution), []).append(feature.id)
    for rule, names in grouped.items():
        yield rule_words(AdjudicationRule(tuple(names), rule.triggers, rule.resolution))
    if without:
        yield f"{', '.join(without)}: never; the readings stand side by side."
    if any(_ANY_DIFFERENCE not in rule.triggers for rule in grouped):
        yield WITHIN_WORDS[design.adjudication.within]
    if grouped:
        blind = "before" if design.adjudication.third_blind else "after"
        shown = "sees" if design.adjudication.pregrade_shown else "does not see"
        yield f"The adjudicator grades {blind} seeing what the readers gave, and {shown} the AI's grade."


def _signing(design: ReadingDesign) -> Iterator[str]:
    signing = design.signing
    yield f"The signature says: “{signing.meaning}”"
    yield PASSWORD_WORDS[signing.password]
    yield DISPLAY_WORDS[signing.display_check]
    if design.session_minutes:
        yield f"The screen locks itself after {_count(design.session_minutes, 'idle minute')}."
    else:
        yield "The screen never locks itself."


def _who(readers_per_case: int) -> str:
    if readers_per_case == ALL_READERS:
        return "all readers"
    return _count(readers_per_case, "reader")


def _days(days: float) -> str:
    return f"{days:.4g} day" if days == 1 else f"{days:.4g} days"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"

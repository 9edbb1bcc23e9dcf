"""How a protocol file is laid out: its tables and keys, declared once."""

from __future__ import annotations

from reader_app.protocols.model import Combine, JointKind, Unit, Weights
from reader_app.protocols.rules import (
    Arm,
    Comparison,
    ExclusionScope,
    Presentation,
    Resolution,
    TriggerKind,
)
from reader_app.protocols.schema import Choice, Flag, Key, ListOf, Pattern, Table, Text, Whole

_ID = Pattern(
    r"[A-Za-z][A-Za-z0-9_-]{0,39}", "an id (a letter, then up to 39 letters, digits, hyphens or underscores)"
)
_VERSION = Pattern(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,19}", 'a version in quotes such as "1" or "1.2"')
_KEYSTROKE = Pattern(r"\S", "one printable character in quotes, not a space")
_CODE = Whole(0, 99)
_TITLE = Text(longest=120)
_SHORT = Text(longest=24)
_PROSE = Text(longest=2000, lines=True)

LEVEL = Table({"code": Key(_CODE), "label": Key(_TITLE), "key": Key(_KEYSTROKE)})

SCALE = Table({"id": Key(_ID), "title": Key(_TITLE), "levels": Key(ListOf(LEVEL, least=2, most=20))})

SITE = Table({"id": Key(_ID), "title": Key(_TITLE)})

FEATURE = Table(
    {
        "id": Key(_ID),
        "title": Key(_TITLE),
        "short_title": Key(_SHORT),
        "scale": Key(_ID),
        "sites": Key(ListOf(SITE, least=1, most=12), default=[]),
        "combine": Key(Choice(Combine), default=Combine.SEPARATE),
        "weights": Key(Choice(Weights)),
        "present_from": Key(_CODE, default=None),
        "unit": Key(Choice(Unit), default=Unit.JOINT),
        "help": Key(_PROSE),
        "level_help": Key(ListOf(_PROSE, most=20), default=[]),
    }
)

EXCLUSION_REASON = Table(
    {
        "id": Key(_ID),
        "title": Key(_TITLE),
        "scope": Key(Choice(ExclusionScope)),
        "needs_confirmation": Key(Flag()),
    }
)

CONDITION = Table(
    {
        "feature": Key(_ID),
        "site": Key(_ID, default=None),
        "is": Key(Choice(Comparison)),
        "code": Key(_CODE),
    }
)

CROSS_CHECK = Table(
    {
        "id": Key(_ID),
        "title": Key(_TITLE),
        "conditions": Key(ListOf(CONDITION, least=1, most=20)),
        "message": Key(Text(longest=400, lines=True)),
    }
)

TRIGGER = Table(
    {
        "kind": Key(Choice(TriggerKind)),
        "above": Key(_CODE, default=None),
        "cut": Key(_CODE, default=None),
    }
)

ADJUDICATION_RULE = Table(
    {
        "features": Key(ListOf(_ID, least=1)),
        "triggers": Key(ListOf(TRIGGER, least=1, most=10)),
        "resolution": Key(Choice(Resolution)),
    }
)

READING = Table(
    {
        "readers_per_case": Key(Whole(1, 50)),
        "presentation": Key(Choice(Presentation)),
        "arm": Key(Choice(Arm)),
        "block_size": Key(Whole(1, 10_000)),
        "reread_percent": Key(Whole(0, 100)),
    }
)

PROTOCOL = Table(
    {
        "id": Key(_ID),
        "version": Key(_VERSION),
        "title": Key(_TITLE),
        "joint": Key(Choice(JointKind)),
        "views": Key(ListOf(_ID, least=1, most=20)),
        "bundle": Key(_ID, default=None),
        "source": Key(_PROSE),
        "scales": Key(ListOf(SCALE, least=1)),
        "features": Key(ListOf(FEATURE, least=1)),
        "exclusion_reasons": Key(ListOf(EXCLUSION_REASON), default=[]),
        "cross_checks": Key(ListOf(CROSS_CHECK), default=[]),
        "adjudication": Key(ListOf(ADJUDICATION_RULE), default=[]),
        "reading": Key(READING),
    }
)

"""The protocol's own words about an item, for the reader who hesitates."""

from __future__ import annotations

from html import escape

from reader_app.protocols.model import Item, Protocol
from reader_app.ui.theme import Colour


def item_title(protocol: Protocol, item: Item) -> str:
    """Return the full name of an item: feature, and site if it has one."""
    feature = protocol.feature(item.feature_id)
    return f"{feature.title}, {feature.site(item.site_id).title.lower()}" if item.site_id else feature.title


def help_html(protocol: Protocol, item: Item, given: int | None) -> str:
    """Return what to look for and what each grade looks like, the grade given standing out."""
    feature = protocol.feature(item.feature_id)
    text = " ".join(feature.help.split())
    rows = []
    for level in feature.scale.levels:
        chosen = level.code == given
        ink = Colour.ACCENT.value if chosen else Colour.TEXT.value
        looks = escape(" ".join(feature.help_for(level.code).split()))
        muted = Colour.TEXT.value if chosen else Colour.MUTED.value
        rows.append(
            f'<tr><td style="padding:1px 8px 3px 0; color:{ink}"><b>{escape(level.key)}</b></td>'
            f'<td style="padding:1px 0 3px 0"><span style="color:{ink}"><b>{escape(level.label)}</b></span>'
            f'<span style="color:{muted}">{"  " + looks if looks else ""}</span></td></tr>'
        )
    return (
        f"<p><b>{escape(item_title(protocol, item))}</b></p>"
        f'<table cellspacing="0" cellpadding="0">{"".join(rows)}</table>'
        f'<p style="color:{Colour.MUTED.value}">{escape(text)}</p>'
    )

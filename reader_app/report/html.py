"""The report as one HTML file that opens anywhere: styles and figures inside, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reader_app.report import numbers, svg, tables
from reader_app.report.flowchart import flowchart
from reader_app.report.model import (
    Comparison,
    ComparisonKind,
    ConfusionMatrix,
    FeatureInfo,
    OperatingPoint,
    Report,
)
from reader_app.report.within_table import within_table
from reader_app.settings import resource_path

TEMPLATE = "report.html.j2"

# Lightness falls from paper to ink along one hue, so the heat reads in grey and to any eye.
_HEAT = ((247, 250, 253), (124, 183, 217), (8, 60, 108))


def render_html(report: Report) -> str:
    """Render the report.

    Raises
    ------
    MissingPart
        If this installation lacks the template.
    """
    folder = resource_path("report", TEMPLATE).parent
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = numbers.count
    environment.globals.update(
        heat=heat,
        ink=ink,
        pair_label=tables.pair_label,
        one_pair=tables.one_pair,
        scale_text=scale_text,
        moment=numbers.moment,
    )
    return environment.get_template(TEMPLATE).render(
        report=report,
        style=Markup(resource_path("report", "report.css").read_text(encoding="utf-8")),
        kinds=ComparisonKind,
        overview=overview(report),
        chart=chart(report),
        sections={kind.value: section(report, kind) for kind in ComparisonKind},
        distributions=[(feature, tables.distribution_table(report, feature)) for feature in report.features],
        provenance=tables.provenance_table(report),
        consensus=tables.consensus_table(report),
        exclusions=tables.exclusion_table(report),
        amendments=tables.amendment_table(report),
        ungraded=tables.ungraded_table(report),
        within=within_table(report) if report.within else None,
        shown_rows=tables.MAX_CONSENSUS_ROWS,
        percent_level=f"{100 * report.level:g} %",
    )


def chart(report: Report) -> Markup | None:
    """Draw the flow of the study; None where nobody counted."""
    if report.flow_numbers is None:
        return None
    return flowchart(report.flow_numbers, title=f"Flow of the study {report.study.title}")


def section(report: Report, kind: ComparisonKind) -> dict[str, object]:
    """Gather tables and figures of one kind of comparison."""
    comparisons = report.of_kind(kind)
    ai = kind in (ComparisonKind.AI_CONSENSUS, ComparisonKind.AI_READER)
    found: dict[str, object] = {
        "comparisons": comparisons,
        "finals": tables.finals(comparisons),
        "agreement": tables.agreement_table(comparisons, level=report.level),
        "rocs": roc_figures(comparisons) if ai else (),
    }
    if kind is not ComparisonKind.READERS:
        found["performance"] = tables.performance_table(comparisons, level=report.level, area=ai)
        found["grades"] = tables.grade_table(comparisons, level=report.level)
    return found


def overview(report: Report) -> Markup | None:
    """Draw the kappas of all final grades: readers among themselves, and the AI against the consensus."""
    shown = [
        comparison
        for kind in (ComparisonKind.READERS, ComparisonKind.AI_CONSENSUS)
        for comparison in tables.finals(report.of_kind(kind))
    ]
    if not shown:
        return None
    labels = list(dict.fromkeys(tables.pair_label(comparison) for comparison in shown))
    features = list(dict.fromkeys(comparison.target for comparison in shown))
    rows = [
        svg.ForestRow(
            target.label,
            tables.pair_label(comparison),
            labels.index(tables.pair_label(comparison)),
            comparison.protocol_kappa,
        )
        for target in features
        for comparison in shown
        if comparison.target == target
    ]
    return svg.forest(rows, title="Kappa of every final grade with its interval")


def roc_figures(comparisons: Sequence[Comparison]) -> tuple[Markup, ...]:
    """Draw one ROC panel per final grade that has a curve."""
    figures = []
    finals = tables.finals(comparisons)
    several = not tables.one_pair(finals)
    for target in dict.fromkeys(comparison.target for comparison in finals):
        curves: list[svg.RocCurve] = []
        points: list[OperatingPoint] = []
        for comparison in finals:
            performance = comparison.performance
            if comparison.target != target or performance is None or performance.auc is None:
                continue
            if performance.roc:
                label = comparison.first if several else ""
                curves.append(svg.RocCurve(label, performance.auc, performance.roc))
                points += performance.operating_points
        if curves:
            figures.append(svg.roc_panel(target.label, curves, points))
    return tuple(figures)


def heat(share_percent: float | None) -> str:
    """Background of a cell by its share of the row."""
    place = (share_percent or 0.0) / 100 * (len(_HEAT) - 1)
    step = min(int(place), len(_HEAT) - 2)
    pairs = zip(_HEAT[step], _HEAT[step + 1], strict=True)
    mixed = (round(pale + (deep - pale) * (place - step)) for pale, deep in pairs)
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def ink(share_percent: float | None) -> str:
    """Colour of the writing on a cell's background: where they cross, each has a contrast of 4.5."""
    return "#ffffff" if (share_percent or 0.0) >= 75 else "#000000"


def scale_text(matrix: ConfusionMatrix | FeatureInfo) -> str:
    """Spell out a scale: ``0 None · 1 Mild``."""
    return " · ".join(f"{level.code} {level.label}" for level in matrix.levels)

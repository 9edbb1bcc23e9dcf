from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, confusion_matrix, roc_auc_score

from reader_app.agreement.result import Estimate, Interval, Reason, Result, Undefined
from reader_app.agreement.weights import Weights
from reader_app.errors import GradeError, StudyError
from reader_app.report.build import build_report
from reader_app.report.inputs import ConsensusRow, GradeRow, PregradeRow, ReportInput
from reader_app.report.model import Comparison, ComparisonKind, FeatureInfo, Level, Report, StudyFacts

Simulate = Callable[..., ReportInput]


def value(result: Result | None) -> float:
    assert isinstance(result, Estimate)
    return result.value


def find(report: Report, kind: ComparisonKind, feature: str, site: str | None = None) -> Comparison:
    return next(
        found
        for found in report.of_kind(kind)
        if (found.target.feature, found.target.site) == (feature, site)
    )


def codes(given: ReportInput, reader: str, feature: str) -> list[int | None]:
    return [row.code for row in given.grades if (row.reader, row.feature) == (reader, feature)]


def test_figures_of_two_readers_are_those_of_an_independent_computation(study: Simulate) -> None:
    given = study()
    found = find(build_report(given), ComparisonKind.READERS, "KL")
    first, second = codes(given, "Reader 1", "KL"), codes(given, "Reader 2", "KL")
    scale = [0, 1, 2, 3, 4]
    assert found.n_joints == 160
    assert found.n_participants == 40
    assert value(found.kappa_linear) == pytest.approx(
        cohen_kappa_score(first, second, labels=scale, weights="linear")
    )
    assert value(found.kappa_quadratic) == pytest.approx(
        cohen_kappa_score(first, second, labels=scale, weights="quadratic")
    )
    assert found.protocol_kappa is found.kappa_quadratic
    assert np.array_equal(found.matrix.counts, confusion_matrix(first, second, labels=scale))
    assert value(found.percent_agreement) == pytest.approx(np.mean(np.array(first) == np.array(second)))


def test_intervals_are_clustered_by_participant(study: Simulate) -> None:
    found = find(build_report(study()), ComparisonKind.READERS, "JSN")
    assert isinstance(found.kappa_linear, Estimate)
    assert isinstance(found.kappa_linear.interval, Interval)
    assert found.kappa_linear.interval.method == "cluster_jackknife_t"
    assert found.kappa_linear.known["n_participants"] == 40


def test_the_worst_site_is_the_final_grade(study: Simulate) -> None:
    given = study()
    report = build_report(given)
    found = find(report, ComparisonKind.READERS, "FO")
    assert found.target.derived
    worst = []
    for reader in given.readers:
        rows = [row for row in given.grades if (row.reader, row.feature) == (reader, "FO")]
        half = len(rows) // 2
        assert {row.site for row in rows[:half]} == {"superior"}
        worst.append(
            [max(one.code or 0, other.code or 0) for one, other in zip(rows[:half], rows[half:], strict=True)]
        )
    assert value(found.kappa_linear) == pytest.approx(
        cohen_kappa_score(worst[0], worst[1], labels=[0, 1, 2, 3], weights="linear")
    )
    sites = [c.target for c in report.of_kind(ComparisonKind.READERS) if c.target.feature == "FO"]
    assert [(target.site, target.final) for target in sites] == [
        (None, True),
        ("superior", False),
        ("inferior", False),
    ]


def test_a_joint_with_an_ungraded_site_has_no_worst_site(study: Simulate) -> None:
    given = study()
    gone = next(row for row in given.grades if row.site == "superior")
    grades = tuple(replace(row, code=None, reason="cut off") if row is gone else row for row in given.grades)
    report = build_report(replace(given, grades=grades))
    assert find(report, ComparisonKind.READERS, "FO").n_joints == 159
    assert find(report, ComparisonKind.READERS, "FO", "inferior").n_joints == 160
    assert [(line.site, line.rater, line.reason) for line in report.ungraded] == [
        ("superior", gone.reader, "cut off")
    ]
    ungraded = {
        (found.target.site, found.rater): found.ungraded
        for found in report.distributions
        if found.target.feature == "FO"
    }
    assert ungraded[None, gone.reader] == 1
    assert ungraded["inferior", gone.reader] == 0


def test_the_ai_is_judged_by_the_consensus(study: Simulate) -> None:
    given = study()
    found = find(build_report(given), ComparisonKind.AI_CONSENSUS, "KL")
    truth = [row.code for row in given.consensus if row.feature == "KL"]
    rows = [row for row in given.pregrades if row.feature == "KL"]
    assert found.performance is not None
    assert value(found.performance.balanced_accuracy) == pytest.approx(
        balanced_accuracy_score(truth, [row.code for row in rows])
    )
    present = [code is not None and code >= 2 for code in truth]
    score = [sum(row.probabilities[2:]) for row in rows if row.probabilities is not None]
    assert value(found.performance.auc) == pytest.approx(roc_auc_score(present, score))
    assert [point.label for point in found.performance.operating_points] == ["Reader 1", "Reader 2"]
    assert found.performance.roc[0].threshold is None
    assert (found.first, found.second) == ("Consensus", "AI")


def test_rows_in_another_order_give_the_same_report(study: Simulate) -> None:
    given = study(12)
    shuffled = replace(
        given, grades=given.grades[::-1], consensus=given.consensus[::-1], pregrades=given.pregrades[::-1]
    )
    assert build_report(shuffled) == build_report(given)


def test_every_final_grade_says_who_gave_what(study: Simulate) -> None:
    given = study(10)
    report = build_report(given)
    assert len(report.consensus) == len(given.consensus)
    line = next(line for line in report.consensus if line.adjudicator)
    one, other = line.grades
    assert one != other
    assert line.final in (one, other)
    assert line.pregrade is not None
    counted = sum(found.count for found in report.provenance if found.method == "third reader")
    assert counted == sum(row.method == "third reader" for row in given.consensus)


def test_a_study_without_ai_has_no_ai_figures(study: Simulate) -> None:
    report = build_report(study(10, with_ai=False))
    assert {found.kind for found in report.comparisons} == {
        ComparisonKind.READERS,
        ComparisonKind.READER_CONSENSUS,
    }
    assert not any("AI" in sentence for sentence in report.methods)


def test_one_reader_has_nobody_to_agree_with(study: Simulate) -> None:
    report = build_report(study(10, readers=("Reader 1",)))
    assert {found.kind for found in report.comparisons} == {ComparisonKind.AI_READER}


def test_before_anything_is_locked_every_figure_is_undefined_with_its_reason(study: Simulate) -> None:
    report = build_report(replace(study(4), grades=(), consensus=(), pregrades=(), exclusions=()))
    assert len(report.of_kind(ComparisonKind.READERS)) == 4
    for found in report.comparisons:
        assert isinstance(found.kappa_linear, Undefined)
        assert found.kappa_linear.reason is Reason.NO_PAIRS
        assert found.n_joints == found.n_participants == 0
    nobody = build_report(replace(study(4), grades=(), consensus=(), pregrades=(), readers=()))
    assert nobody.comparisons == ()


def test_readers_without_a_joint_in_common_and_a_single_grade_are_undefined() -> None:
    feature = FeatureInfo("X", "Sign", (Level(0, "No"), Level(1, "Yes")), Weights.NONE, 1)
    given = ReportInput(
        study=_study(),
        flow=(),
        features=(feature,),
        readers=("A", "B", "C"),
        grades=(
            *(GradeRow("A", f"P{n}", "v", f"r{n}", "left", "X", None, 0) for n in range(3)),
            *(GradeRow("B", f"P{n}", "v", f"r{n}", "left", "X", None, 0) for n in range(3)),
            GradeRow("C", "P9", "v", "r9", "left", "X", None, 1),
        ),
    )
    same, *apart = build_report(given).comparisons
    assert isinstance(same.kappa, Undefined)
    assert same.kappa.reason is Reason.NO_VARIATION
    assert value(same.percent_agreement) == 1
    assert all(isinstance(found.kappa, Undefined) and found.n_joints == 0 for found in apart)


def test_pregrades_without_probabilities_have_no_area(study: Simulate) -> None:
    given = study(10)
    bare = tuple(replace(row, probabilities=None) for row in given.pregrades)
    found = find(build_report(replace(given, pregrades=bare)), ComparisonKind.AI_CONSENSUS, "KL")
    assert found.performance is not None
    assert isinstance(found.performance.auc, Undefined)
    assert "no probabilities" in found.performance.auc.sentence
    assert found.performance.roc == ()


def test_what_does_not_fit_the_protocol_is_refused(study: Simulate) -> None:
    given = study(3)
    row = given.grades[0]
    for wrong in (
        replace(row, feature="NOSE"),
        replace(row, site="anterior"),
        replace(row, code=7),
    ):
        with pytest.raises(GradeError):
            build_report(replace(given, grades=(wrong,)))
    with pytest.raises(ValueError, match="twice"):
        build_report(replace(given, grades=(row, row)))
    with pytest.raises(ValueError, match="same label"):
        build_report(replace(given, readers=("Reader 1", "Reader 1")))
    with pytest.raises(StudyError, match="called 'AI'"):
        build_report(replace(given, readers=("AI", "Reader 1", "Reader 2")))


def test_a_whole_cohort_is_built(many_joints: ReportInput) -> None:
    report = build_report(many_joints)
    pairs = report.of_kind(ComparisonKind.READERS)
    assert len(pairs) == 15
    assert all(found.n_joints == 15_364 and found.n_participants == 3841 for found in pairs)
    assert all(isinstance(found.kappa_linear, Estimate) for found in pairs)


def test_a_consensus_of_joints_that_nobody_read_is_kept() -> None:
    feature = FeatureInfo("X", "Sign", (Level(0, "No"), Level(1, "Yes")), Weights.NONE)
    given = ReportInput(
        study=_study(),
        flow=(),
        features=(feature,),
        readers=("A",),
        grades=(),
        consensus=(ConsensusRow("P1", "v", "r", "left", "X", None, None, "not gradable"),),
        pregrades=(PregradeRow("P1", "v", "r", "left", "X", None, 1, (0.2, 0.8)),),
    )
    report = build_report(given)
    assert report.consensus[0].grades == (None,)
    assert report.consensus[0].pregrade == 1
    assert report.ungraded[0].rater == "Consensus"
    found = find(report, ComparisonKind.AI_CONSENSUS, "X")
    assert found.performance is not None
    assert found.performance.auc is None


def _study() -> StudyFacts:
    return StudyFacts("t", "s", "p", "Protocol", "1", "0" * 64, "reader-app", "2026-01-01T00:00:00+00:00")

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reader_app.ai.bundle import BundleSpec, load_bundle
from reader_app.ai.bundle_spec import (
    Auxiliary,
    BundleHead,
    Decision,
    Distance,
    DistanceMethod,
    EnsembleRule,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    HeadKind,
    Landmarks,
    Localizer,
    LocalizerMethod,
    Member,
    ProtocolRef,
    TrainedOn,
    TrainingRecord,
)
from reader_app.ai.crop import Preprocessing
from reader_app.ai.pipeline import JointImage, prepare
from reader_app.ai.tables import from_table, to_table
from reader_app.errors import BundleError
from reader_app.imaging.geometry import Box
from tests.small_bundles import KL_HEAD, small_bundle, small_spec

SSD = LocalizerMethod.SSDLITE
NETWORKS = [method for method in LocalizerMethod if method.is_network]

NONSENSE: list[tuple[Callable[[], object], str]] = [
    (lambda: Localizer(SSD, size=320), "no .safetensors file"),
    (lambda: Localizer(SSD, "a/b.safetensors", size=320), "in its folder"),
    (lambda: Localizer(SSD, "..\\b.safetensors", size=320), "in its folder"),
    (lambda: Localizer(SSD, "l.safetensors", size=63), "size of 64 to 2048 pixels, not 63"),
    (lambda: Localizer(SSD, "l.safetensors", size=2049), "size of 64 to 2048"),
    (lambda: Localizer(SSD, "l.safetensors", size=320, classes=("prosthesis",)), "lack “joint”"),
    (lambda: Localizer(SSD, "l.safetensors", size=320, classes=("joint", "joint")), "class twice"),
    (lambda: Localizer(SSD, "l.safetensors", size=320, threshold=1.5), "threshold of 0 to 1"),
    (lambda: Localizer(SSD, "l.safetensors", size=320, threshold=float("nan")), "threshold of 0 to 1"),
    (lambda: Localizer(LocalizerMethod.SINGLE_JOINT, "l.safetensors"), "no network"),
    (lambda: Landmarks("l.pt", "", 128, 1.2, ("a", "b")), "no .safetensors file"),
    (lambda: Landmarks("l.safetensors", "", 32, 1.2, ("a", "b")), "size of 64 to 2048"),
    (lambda: Landmarks("l.safetensors", "", 128, 0.0, ("a", "b")), "margin of 0.1 to 10"),
    (lambda: Landmarks("l.safetensors", "", 128, 1.2, ("a",)), "two different points"),
    (lambda: Landmarks("l.safetensors", "", 128, 1.2, ("a", "a")), "two different points"),
    (lambda: Auxiliary("sex", ("female",)), "two different classes"),
    (lambda: Auxiliary("sex", ("x", "x")), "two different classes"),
    (lambda: Auxiliary("", ("x", "y")), "needs a name"),
    (lambda: BundleHead("KL", "", (0,), 1.0, Decision.LIKELIEST, HeadKind.CORN), "odd codes"),
    (lambda: BundleHead("KL", "", (0, 0), 1.0, Decision.LIKELIEST), "odd codes"),
    (lambda: BundleHead("KL", "", (0, 1), float("inf"), Decision.LIKELIEST), "temperature"),
    (lambda: BundleHead("KL", "", (1, 0), 1.0, Decision.LIKELIEST, HeadKind.CORN), "ascending"),
    (lambda: BundleHead("KL", "", (1, 0), 1.0, Decision.ROUNDED), "ascending"),
    (lambda: Member("resnet18", "m.safetensors", "", -1), "fold below 0"),
    (lambda: Distance(DistanceMethod.LOW_RANK_GAUSSIAN, "s.safetensors", "", 0.0), "threshold of unlikeness"),
    (lambda: small_spec(id="../knees"), "no plain name"),
    (lambda: small_spec(id="knees@1"), "no plain name"),
    (lambda: small_spec(version="newest"), "version “newest”"),
    (lambda: small_spec(version="1.0/2"), "version “1.0/2”"),
    (lambda: small_spec(members=()), "no members"),
    (lambda: small_spec(heads=(KL_HEAD, KL_HEAD)), "names an item twice"),
    (lambda: small_spec(auxiliary=(Auxiliary("sex", ("f", "m")),) * 2), "auxiliary task twice"),
    (
        lambda: small_spec(
            members=(Member("resnet18", "a.safetensors", ""), Member("resnet18", "a.safetensors", ""))
        ),
        "names a file twice",
    ),
    (
        lambda: small_spec(localizer=Localizer(SSD, "model.safetensors", size=320)),
        "names a file twice",
    ),
    (
        lambda: small_spec(
            members=(Member("resnet18", "a.safetensors", "", 1), Member("resnet18", "b.safetensors", ""))
        ),
        "some are of a fold",
    ),
]


@pytest.mark.parametrize(
    ("make", "told"), NONSENSE, ids=[f"{n}: {told}" for n, (_, told) in enumerate(NONSENSE)]
)
def test_what_makes_no_sense_is_refused_in_one_sentence(make: Callable[[], object], told: str) -> None:
    with pytest.raises(BundleError) as caught:
        make()
    assert told in caught.value.what
    assert caught.value.next_step
    assert "\n" not in caught.value.what


def test_classes_of_a_softmax_head_may_stand_in_any_order() -> None:
    head = BundleHead("KL", "", (1, 0), 1.0, Decision.LIKELIEST)
    assert head.outputs == 2
    assert BundleHead("KL", "", (0, 1, 2), 1.0, Decision.LIKELIEST, HeadKind.CORN).outputs == 2


def test_only_views_that_are_named_keep_all_their_grey_values() -> None:
    spec = small_spec(full_range_views=("ct-ap",), preprocessing=Preprocessing(low_percentile=1.0))
    assert spec.preprocessing_of("pelvis-ap") == spec.preprocessing
    ct = spec.preprocessing_of("ct-ap")
    assert (ct.low_percentile, ct.high_percentile) == (0.0, 100.0)
    assert ct.size == spec.preprocessing.size


@pytest.mark.parametrize("method", NETWORKS)
def test_every_file_of_a_bundle_is_hashed_and_a_changed_localizer_is_noticed(
    tmp_path: Path, method: LocalizerMethod
) -> None:
    bundle = small_bundle(
        tmp_path / "b",
        localizer=Localizer(method, "finder.safetensors", size=640),
        light_localizer=Localizer(SSD, "light.safetensors", size=320),
        landmarks=Landmarks("points.safetensors", "", 128, 1.2, ("a", "b")),
    )
    assert set(bundle.spec.files) == {
        "model.safetensors",
        "statistics.safetensors",
        "finder.safetensors",
        "light.safetensors",
        "points.safetensors",
    }
    for name in bundle.spec.files:
        file = bundle.folder / name
        before = file.read_bytes()
        file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(BundleError, match="SHA-256"):
            load_bundle(bundle.folder)
        file.write_bytes(before)
    assert load_bundle(bundle.folder).sha256 == bundle.sha256


words = st.text("aZ09 -_.:\"'\\#=[]“ä→\u2028\t", min_size=1, max_size=8)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
files = st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}\.safetensors", fullmatch=True)
positive = st.floats(0.01, 100.0)


@st.composite
def heads(draw: st.DrawFn) -> tuple[BundleHead, ...]:
    items = draw(
        st.lists(st.tuples(words, st.sampled_from(["", "medial"])), min_size=1, max_size=4, unique=True)
    )
    codes = st.lists(st.integers(-3, 9), min_size=2, max_size=6, unique=True).map(sorted).map(tuple)
    return tuple(
        BundleHead(
            feature,
            site,
            draw(codes),
            draw(positive),
            draw(st.sampled_from(Decision)),
            draw(st.sampled_from(HeadKind)),
        )
        for feature, site in items
    )


@st.composite
def localizers(draw: st.DrawFn, file: str) -> Localizer:
    method = draw(st.sampled_from(LocalizerMethod))
    if not method.is_network:
        return Localizer(method)
    others = draw(st.lists(words.filter(lambda word: word != "joint"), max_size=3, unique=True))
    return Localizer(
        method, file, draw(hashes), draw(st.integers(64, 2048)), ("joint", *others), draw(st.floats(0, 1))
    )


@st.composite
def specs(draw: st.DrawFn) -> BundleSpec:
    names = draw(st.lists(files, min_size=7, max_size=7, unique=True))
    folds = draw(st.booleans())
    points = st.lists(words, min_size=2, max_size=4, unique=True).map(tuple)
    return BundleSpec(
        format=2,
        id=draw(st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?", fullmatch=True)),
        version=draw(st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}(-rc[0-9])?", fullmatch=True)),
        title=draw(words),
        licence=draw(words),
        intended_use=draw(words),
        protocols=tuple(
            ProtocolRef(id, draw(hashes)) for id in draw(st.lists(words, min_size=1, max_size=2, unique=True))
        ),
        heads=draw(heads()),
        members=tuple(
            Member("resnet18", name, draw(hashes), number if folds else 0)
            for number, name in enumerate(names[:3], start=1)
        ),
        ensemble=EnsembleRule.MEAN_PROBABILITY,
        mirror_test=draw(st.booleans()),
        localizer=draw(localizers(names[3])),
        preprocessing=Preprocessing(
            size=draw(st.integers(16, 2048)),
            margin=draw(st.floats(0.1, 10.0)),
            mirror_side=draw(st.sampled_from(["L", "R", ""])),
            recipe="joint-crop/2",
            millimetres=draw(st.floats(0.0, 1000.0)),
            upright=draw(st.booleans()),
        ),
        explainer=Explainer(
            draw(st.sampled_from(ExplainMethod)), draw(st.sampled_from(ExplainTarget)), draw(st.booleans())
        ),
        distance=Distance(DistanceMethod.LOW_RANK_GAUSSIAN, names[4], draw(hashes), draw(positive)),
        training=TrainingRecord(
            draw(words),
            draw(words),
            draw(words),
            draw(words),
            draw(words),
            draw(st.dictionaries(words, st.integers(0, 10**6), max_size=2)),
            draw(st.dictionaries(words, st.dictionaries(words, positive, max_size=2), max_size=2)),
            draw(words),
        ),
        light_localizer=draw(st.none() | localizers(names[5])),
        landmarks=draw(
            st.none()
            | st.builds(
                Landmarks, st.just(names[6]), hashes, st.integers(64, 2048), st.floats(0.1, 10.0), points
            )
        ),
        auxiliary=draw(
            st.lists(
                st.builds(Auxiliary, words, st.lists(words, min_size=2, unique=True).map(tuple)),
                max_size=2,
                unique_by=lambda task: task.name,
            ).map(tuple)
        ),
        trained_on=draw(st.sampled_from(TrainedOn)),
        full_range_views=draw(st.lists(words, max_size=2).map(tuple)),
    )


@settings(max_examples=60, phases=(Phase.generate,))
@given(specs())
def test_a_description_goes_through_toml_and_comes_back_the_same(spec: BundleSpec) -> None:
    text = tomli_w.dumps(to_table(spec))
    assert from_table(BundleSpec, tomllib.loads(text), "bundle.toml") == spec


def test_a_projection_of_ct_keeps_its_brightest_and_darkest_pixels_and_a_radiograph_does_not(
    tmp_path: Path,
) -> None:
    pixels = np.full((100, 100), 100.0)
    pixels[:, ::2] = 200.0
    pixels[0, 0], pixels[99, 99] = -5000.0, 5000.0
    bundle = small_bundle(
        tmp_path / "b", full_range_views=("ct-ap",), preprocessing=Preprocessing(size=100, low_percentile=1.0)
    )
    film = JointImage(pixels, Box(0, 0, 100, 100), "R", "")
    radiograph = prepare(film, bundle).crop
    projection = prepare(replace(film, view="CT-AP"), bundle).crop
    assert (radiograph[50] == 0).any(), "clipped, the grey of most pixels spans from black to white"
    assert (radiograph[50] == 255).any()
    assert 100 < int(projection[50].min()) < int(projection[50].max()) < 155

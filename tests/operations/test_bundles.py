from __future__ import annotations

import os
import pickle
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reader_app.ai.bundle import Bundle, ProtocolRef, load_bundle, write_bundle
from reader_app.ai.bundle_search import bundles_in
from reader_app.ai.bundle_spec import BundleHead, Decision, TrainedOn
from reader_app.errors import BundleError, NotAllowed
from reader_app.operations.accounts import add_account
from reader_app.operations.bundle_install import install_bundle, install_for_study
from reader_app.operations.bundle_list import Origin, list_bundles, waiting_recipes
from reader_app.operations.bundle_remove import bundle_to_remove, remove_bundle, remove_for_study
from reader_app.operations.bundle_verify import check_tensors
from reader_app.operations.bundles import bundle_of, studys_bundles, users_bundles
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.phantom.cohort import write_phantom_study
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Item
from reader_app.store import journal
from reader_app.store.records import Actor, Role
from tests.small_bundles import small_bundle


def zipped(bundle: Bundle, file: Path, *, inside: str = "small-knees/") -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(bundle.folder.iterdir()):
            archive.write(path, f"{inside}{path.name}")
    return file


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "made" / "small-knees")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


@pytest.mark.parametrize("inside", ["", "small-knees/"])
def test_a_bundle_is_installed_from_a_folder_and_from_a_zip_file(
    made: Bundle, target: Path, tmp_path: Path, inside: str
) -> None:
    done = install_bundle(zipped(made, tmp_path / "b.zip", inside=inside), target)
    assert done.new
    assert done.bundle.folder == target / "small-knees-1.0.0"
    assert done.bundle.sha256 == made.sha256
    assert (done.bundle.folder / "MODEL_CARD.md").is_file()
    again = install_bundle(made.folder, target)
    assert not again.new
    assert again.bundle.folder == done.bundle.folder
    assert [path.name for path in target.iterdir()] == ["small-knees-1.0.0"]


def test_versions_lie_beside_each_other_and_another_bundle_of_the_same_version_is_refused(
    made: Bundle, target: Path, tmp_path: Path
) -> None:
    install_bundle(made.folder, target)
    newer = small_bundle(tmp_path / "newer", version="1.1.0")
    install_bundle(newer.folder, target)
    assert [placed.version for placed in bundles_in(target)] == ["1.1.0", "1.0.0"]
    other = small_bundle(tmp_path / "other", seed=1)
    with pytest.raises(BundleError, match="Another bundle “small-knees”"):
        install_bundle(other.folder, target)
    assert len(list(target.iterdir())) == 2, "nothing is left of the attempt"


def add(name: str, content: bytes = b"x", *, mode: int = 0) -> Callable[[Path], None]:
    def harm(file: Path) -> None:
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)

    return harm


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-400])


def no_zip(file: Path) -> None:
    file.write_bytes(b"PK but no zip file")


BAD_ZIPS: list[tuple[Callable[[Path], None], str]] = [
    (add("small-knees/extra.pt"), "pickle"),
    (add("small-knees/deep/extra.pkl"), "does not belong"),
    (add("../outside.toml"), "leads out"),
    (add("/outside.toml"), "leads out"),
    (add("small-knees/..\\outside.toml"), "leads out"),
    (add("C:outside.toml"), "leads out"),
    (add("small-knees/link.safetensors", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "link"),
    (add("small-knees/LICENSE", bytes(50_000_000)), "out of all proportion"),
    (add("other/bundle.toml"), "more than one bundle"),
    (add("small-knees/inner.zip"), "does not belong"),
    (cut_off, "no zip file that can be unpacked"),
    (no_zip, "no zip file that can be unpacked"),
]


IDS = [f"{number} {told}" for number, (_, told) in enumerate(BAD_ZIPS)]


@pytest.mark.parametrize(("harm", "told"), BAD_ZIPS, ids=IDS)
def test_a_bad_zip_file_is_refused_in_one_sentence_and_leaves_nothing(
    made: Bundle, target: Path, tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    file = zipped(made, tmp_path / "b.zip")
    harm(file)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleError) as caught:
        install_bundle(file, target)
    assert told in caught.value.what
    assert caught.value.next_step
    assert "\n" not in caught.value.what
    assert list(target.iterdir()) == []
    assert [path for path in sorted(tmp_path.rglob("*")) if path != target] == before


def test_a_size_that_the_archive_understates_is_noticed_while_unpacking(
    made: Bundle, target: Path, tmp_path: Path
) -> None:
    file = zipped(made, tmp_path / "b.zip")
    with zipfile.ZipFile(file) as archive:
        (info,) = [each for each in archive.infolist() if each.filename.endswith("model.safetensors")]
    stated = info.file_size.to_bytes(4, "little")
    assert file.read_bytes().count(stated) >= 2
    file.write_bytes(file.read_bytes().replace(stated, (info.file_size - 100).to_bytes(4, "little")))
    with pytest.raises(BundleError):
        install_bundle(file, target)
    assert list(target.iterdir()) == []


def add_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))


def add_link(folder: Path) -> None:
    (folder / "LICENSE").symlink_to("/etc/hostname")


def change_weights(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"!")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (add_pickle, "pickle"),
        (add_link, "is a link"),
        (change_weights, "SHA-256"),
        (lambda folder: (folder / "statistics.safetensors").unlink(), "lacks its file"),
        (lambda folder: (folder / "bundle.toml").unlink(), "no bundle"),
    ],
)
def test_a_bad_folder_is_refused_and_leaves_nothing(
    made: Bundle, target: Path, harm: Callable[[Path], object], told: str
) -> None:
    harm(made.folder)
    with pytest.raises(BundleError, match=told):
        install_bundle(made.folder, target)
    assert list(target.iterdir()) == []


def test_what_calls_itself_safetensors_and_is_a_pickle_is_refused(tmp_path: Path, target: Path) -> None:
    folder = tmp_path / "made"
    small_bundle(folder)
    spec = load_bundle(folder).spec
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    lying = write_bundle(folder, spec)  # its hashes are right
    with pytest.raises(BundleError, match="cannot be read"):
        check_tensors(lying)
    with pytest.raises(BundleError, match="cannot be read"):
        install_bundle(folder, target)


@pytest.mark.parametrize("phantom", [True, False])
def test_networks_that_never_saw_a_person_grade_no_person(
    study: Study, coordinator: Actor, tmp_path: Path, films: Path, phantom: bool
) -> None:
    source = films
    if phantom:
        source = tmp_path / "phantoms"
        write_phantom_study(source, participants=1, visits=1, seed=5, reduced=8)
    assert import_films(study, coordinator, source).added
    place = studys_bundles(study.folder) / "knee-kl"
    for trained_on in TrainedOn:
        shutil.rmtree(place, ignore_errors=True)
        small_bundle(place, id="knee-kl", trained_on=trained_on)
        if trained_on is TrainedOn.RADIOGRAPHS or (trained_on is TrainedOn.PHANTOMS and phantom):
            assert bundle_of(study).spec.trained_on is trained_on
            continue
        told = "random weights" if trained_on is TrainedOn.NOTHING else "learned from phantoms"
        with pytest.raises(BundleError, match=told) as caught:
            bundle_of(study)
        assert "reading works" in caught.value.next_step


def test_a_bundle_for_another_version_of_the_protocol_is_refused(study: Study) -> None:
    place = studys_bundles(study.folder) / "knee-kl"
    small_bundle(place, id="knee-kl", protocols=(ProtocolRef("knee-kl", "ab" * 32),))
    with pytest.raises(BundleError, match="another version of the protocol “knee-kl”"):
        bundle_of(study)
    (listed,) = [each for each in list_bundles(study) if each.origin is Origin.STUDY]
    assert "another version" in listed.coverage[0].fault
    assert listed.coverage[0].graded == ()


def test_the_list_says_what_is_covered_what_is_used_and_what_cannot_be(study: Study, tmp_path: Path) -> None:
    hip = find_protocol("hip-oarsi")
    head = BundleHead("FO", "", (0, 1, 2, 3), 1.0, Decision.LIKELIEST)
    small_bundle(
        users_bundles() / "hips", id="hips", protocols=(ProtocolRef(hip.id, hip.sha256),), heads=(head,)
    )
    small_bundle(users_bundles() / "knee-kl-9", id="knee-kl", version="9.0.0")
    small_bundle(users_bundles() / "knee-kl-8", id="knee-kl", version="8.0.0")
    change_weights(users_bundles() / "knee-kl-8")
    own = [listed for listed in list_bundles(study) if listed.origin is Origin.USER]
    hips, nine, eight = own
    (coverage,) = hips.coverage
    assert coverage.graded == (Item("FO", "superior"), Item("FO", "inferior")), "the whole covers its sites"
    assert Item("JSN", "medial") in coverage.not_graded
    assert len(coverage.graded) + len(coverage.not_graded) == len(hip.items)
    assert (nine.used, eight.used) == (True, False)
    assert nine.bundle is not None
    assert eight.bundle is None
    assert "SHA-256" in eight.fault


def test_a_recipe_waits_until_a_bundle_of_its_id_is_there(study: Study) -> None:
    waiting = {each.recipe.id: each.how for each in waiting_recipes(study)}
    assert "hip-oarsi" in waiting
    assert "3 networks" in waiting["hip-morphology"]
    hip = find_protocol("hip-oarsi")
    small_bundle(
        studys_bundles(study.folder) / "x", id="hip-oarsi", protocols=(ProtocolRef(hip.id, hip.sha256),)
    )
    assert "hip-oarsi" not in {each.recipe.id for each in waiting_recipes(study)}
    assert "hip-oarsi" in {each.recipe.id for each in waiting_recipes()}


def test_bundles_of_a_study_are_the_coordinators_and_stand_in_the_journal(
    study: Study, coordinator: Actor, made: Bundle
) -> None:
    add_account(study, coordinator, name="Ben", role=Role.READER, password="another long sentence")
    reader = log_in(study, "Ben", "another long sentence")
    with pytest.raises(NotAllowed):
        install_for_study(study, reader, made.folder)
    assert list(studys_bundles(study.folder).iterdir()) == []
    done = install_for_study(study, coordinator, made.folder)
    listed = bundle_to_remove("small-knees", study)
    with pytest.raises(NotAllowed):
        remove_for_study(study, reader, listed)
    assert done.bundle.folder.is_dir()
    remove_for_study(study, coordinator, listed)
    assert not done.bundle.folder.exists()
    entries = journal.entries(study.database, coordinator)
    told = [entry for entry in entries if entry.verb.startswith("bundle.")]
    assert [entry.verb for entry in told] == ["bundle.install", "bundle.remove"]
    assert all(made.sha256 in str(entry) for entry in told)
    assert journal.verify_chain(study.database).ok


def test_only_what_was_installed_is_removed(study: Study, made: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not installed for this user"):
        bundle_to_remove("small-knees")
    install_bundle(made.folder, users_bundles())
    install_bundle(small_bundle(tmp_path / "n", version="1.1.0").folder, users_bundles())
    with pytest.raises(BundleError, match="in several versions"):
        bundle_to_remove("small-knees")
    change_weights(users_bundles() / "small-knees-1.0.0")
    remove_bundle(bundle_to_remove("small-knees@1.0.0"))  # a damaged one can be got rid of
    assert [placed.version for placed in bundles_in(users_bundles())] == ["1.1.0"]
    with pytest.raises(BundleError, match="came with the software"):
        bundle_to_remove("knee-kl")


def test_an_attempt_that_was_cut_off_is_cleared_away_later(made: Bundle, target: Path) -> None:
    old, fresh = target / ".incoming-old", target / ".incoming-fresh"
    for left in (old, fresh):
        shutil.copytree(made.folder, left)
    os.utime(old, (1.0, 1.0))
    install_bundle(made.folder, target)
    assert not old.exists()
    assert fresh.exists(), "it may be another program's, at work this moment"

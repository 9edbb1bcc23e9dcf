from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reader_app.ai.bundle import Bundle, find_bundle, load_bundle
from reader_app.errors import BundleError


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.folder, tmp_path / "copy"))


def replace(folder: Path, old: str, new: str) -> None:
    file = folder / "bundle.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_bundle_reads_back_as_it_was_written(bundle: Bundle, folder: Path) -> None:
    again = load_bundle(folder)
    assert again.spec == bundle.spec
    assert again.sha256 == bundle.sha256
    assert [item.key for item in again.items] == ["KL", "FO:medial"]


def test_windows_line_ends_do_not_change_the_hash(bundle: Bundle, folder: Path) -> None:
    file = folder / "bundle.toml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_bundle(folder).sha256 == bundle.sha256


def flip_a_bit(folder: Path) -> None:
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (flip_a_bit, "SHA-256"),
    (lambda f: (f / "model.safetensors").unlink(), "lacks its file model.safetensors"),
    (lambda f: (f / "extra.pt").write_bytes(b"x"), "pickle"),
    (lambda f: (f / "weights.BIN").write_bytes(b"x"), "pickle"),
    (lambda f: (f / "run.py").write_text("print()"), "does not belong"),
    (lambda f: (f / "more.safetensors").write_bytes(b"x"), "does not belong"),
    (lambda f: (f / "bundle.toml").unlink(), "no bundle"),
    (lambda f: (f / "bundle.toml").write_text("= broken"), "not valid TOML"),
    (lambda f: replace(f, "format = 2\n", "format = 3\n"), "newer than this program"),
    (lambda f: replace(f, "format = 2\n", ""), "which bundle format"),
    (lambda f: replace(f, "mirror_test = true", 'mirror_test = "yes"'), "bundle.toml.mirror_test"),
    (lambda f: replace(f, "mirror_test = true", "mirror_test = true\nodd = 1"), "unknown key “odd”"),
    (lambda f: replace(f, "mirror_test = true\n", ""), "lacks the key “mirror_test”"),
    (lambda f: replace(f, '"grad-cam"', '"tea-leaves"'), "explainer.method"),
    (lambda f: replace(f, 'file = "model.safetensors"', 'file = "../model.safetensors"'), "in its folder"),
    (lambda f: replace(f, "temperature = 1.5", "temperature = 0"), "temperature"),
]


@pytest.mark.parametrize(("harm", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_a_harmed_bundle_is_refused_in_one_sentence(
    folder: Path, harm: Callable[[Path], object], told: str
) -> None:
    harm(folder)
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert told in caught.value.what
    assert caught.value.next_step
    assert "\n" not in caught.value.what


def test_only_its_own_protocol_is_accepted(bundle: Bundle) -> None:
    bundle.check_protocol("knee-test", "ab" * 32)
    with pytest.raises(BundleError, match="another version"):
        bundle.check_protocol("knee-test", "cd" * 32)
    with pytest.raises(BundleError, match="not for the protocol “hip”"):
        bundle.check_protocol("hip", "ab" * 32)


def test_a_bundle_is_found_by_its_id_and_its_absence_says_how_to_add_one(
    bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(bundle.folder, tmp_path / "any-name")
    assert find_bundle("test-bundle", tmp_path / "missing", tmp_path) == tmp_path / "any-name"
    with pytest.raises(BundleError) as caught:
        find_bundle("other", tmp_path)
    assert "not installed" in caught.value.what
    assert f"Copy its folder into {tmp_path}" in caught.value.next_step

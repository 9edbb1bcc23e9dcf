"""The table that comes with an import: every fault of it is told, and nothing of it is guessed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.errors import ManifestError
from reader_app.operations.importing.manifest import Manifest, read_manifest
from reader_app.operations.table import read_table, write_table
from reader_app.protocols.model import Item, Protocol
from reader_app.reading.case import JointSide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files that exist; a manifest does not look inside."""
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.png", "b.png"):
        (images / name).write_bytes(b"x")
    return images


def manifest(folder: Path, protocol: Protocol, text: str, *, encoding: str = "utf-8") -> Manifest:
    path = folder.parent / "table.csv"
    path.write_bytes(text.encode(encoding))
    return read_manifest(path, folder=folder, protocol=protocol)


def fault(folder: Path, protocol: Protocol, text: str, *, encoding: str = "utf-8") -> str:
    with pytest.raises(ManifestError) as caught:
        manifest(folder, protocol, text, encoding=encoding)
    return caught.value.what


def test_every_column_is_read(folder: Path, knee_kl: Protocol) -> None:
    table = manifest(
        folder,
        knee_kl,
        "Image,Participant,Visit,Side,Spacing,Sex,Age,Weight,KL\na.png,p1,V01,left,0.15,female,63,71.5,3\n",
    )
    row = table.rows[folder / "a.png"]
    assert (row.participant, row.visit, row.sides) == ("p1", "V01", (JointSide.LEFT,))
    assert (row.spacing_mm, row.sex, row.age, row.weight_kg) == (0.15, "F", 63.0, 71.5)
    assert [(each.side, each.item, each.code) for each in row.references] == [(JointSide.LEFT, Item("KL"), 3)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tables_of_any_spreadsheet_are_read(
    folder: Path, knee_kl: Protocol, delimiter: str, encoding: str, newline: str
) -> None:
    lines = [delimiter.join(("image", "participant")), delimiter.join(("a.png", "Mül")), "", ""]
    table = manifest(folder, knee_kl, newline.join(lines), encoding=encoding)
    assert table.rows[folder / "a.png"].participant == "Mül"
    assert len(table.rows) == 1


def test_a_bilateral_film_has_references_for_each_side(folder: Path, knee_kl: Protocol) -> None:
    table = manifest(folder, knee_kl, "image,side,ref_kl_r,kl_left\na.png,both,1,4\n")
    row = table.rows[folder / "a.png"]
    assert row.sides == (JointSide.RIGHT, JointSide.LEFT)
    assert {(each.side, each.code) for each in row.references} == {(JointSide.RIGHT, 1), (JointSide.LEFT, 4)}


def test_two_rows_for_the_two_sides_of_a_film_are_one_film(folder: Path, knee_kl: Protocol) -> None:
    table = manifest(folder, knee_kl, "image,side,kl\na.png,L,4\na.png,R,0\n")
    row = table.rows[folder / "a.png"]
    assert row.sides == (JointSide.RIGHT, JointSide.LEFT)
    assert {(each.side, each.code) for each in row.references} == {(JointSide.RIGHT, 0), (JointSide.LEFT, 4)}


def test_references_of_sites_are_found_by_feature_and_site(folder: Path, knee_oarsi: Protocol) -> None:
    item = next(item for item in knee_oarsi.items if item.site_id)
    column = f"{item.feature_id}_{item.site_id}".upper()
    table = manifest(folder, knee_oarsi, f"image,side,{column}\na.png,R,1\n")
    assert table.rows[folder / "a.png"].references[0].item == item


def test_all_faults_are_told_together(folder: Path, knee_kl: Protocol) -> None:
    what = fault(folder, knee_kl, "image,side,age,kl\ngone.png,R,1,1\na.png,middle,old,9\n,R,1,1\n")
    for expected in (
        "line 2: the image “gone.png” does not exist",
        "line 3: the side “middle” is none of R, L, B",
        "line 3: the age “old” is no sensible number",
        "line 3: the grade “9” in “kl” is outside its scale (0, 1, 2, 3, 4)",
        "line 4: no image is named",
    ):
        assert expected in what


def test_of_many_faults_the_first_are_told_and_the_rest_counted(folder: Path, knee_kl: Protocol) -> None:
    what = fault(folder, knee_kl, "image\n" + "".join(f"{number}.png\n" for number in range(12)))
    assert "“4.png”" in what
    assert "“5.png”" not in what
    assert what.endswith("and 7 more.")


@pytest.mark.parametrize("second", ["a.png,R", "./a.png,R", "a.png,", "a.png,B"])
def test_a_doubled_image_is_a_fault(folder: Path, knee_kl: Protocol, second: str) -> None:
    assert "is named twice" in fault(folder, knee_kl, f"image,side\na.png,R\n{second}\n")


@pytest.mark.parametrize("grade", ["5", "-1", "1.5", "nan", "inf", "1e400", "two"])
def test_a_grade_outside_its_scale_is_a_fault(folder: Path, knee_kl: Protocol, grade: str) -> None:
    assert f"the grade “{grade}” in “kl” is outside its scale" in fault(
        folder, knee_kl, f"image,kl\na.png,{grade}\n"
    )


def test_a_grade_may_be_written_as_a_spreadsheet_does(folder: Path, knee_kl: Protocol) -> None:
    assert manifest(folder, knee_kl, "image,kl\na.png,2.0\n").rows[folder / "a.png"].references[0].code == 2


def test_a_reference_on_a_bilateral_film_must_say_its_side(folder: Path, knee_kl: Protocol) -> None:
    assert "does not say for which side" in fault(folder, knee_kl, "image,side,kl\na.png,B,1\n")


@pytest.mark.parametrize("spacing", ["0", "-0.1", "nan", "1e9", "0,1,5"])
def test_a_spacing_that_cannot_be_is_a_fault(folder: Path, knee_kl: Protocol, spacing: str) -> None:
    assert "is no sensible number" in fault(folder, knee_kl, f"image;spacing\na.png;{spacing}\n")


def test_a_decimal_comma_is_understood(folder: Path, knee_kl: Protocol) -> None:
    table = manifest(folder, knee_kl, "image;spacing\na.png;0,143\n")
    assert table.rows[folder / "a.png"].spacing_mm == 0.143


def test_what_means_nothing_is_named_and_what_lies_elsewhere_is_counted(
    folder: Path, knee_kl: Protocol
) -> None:
    (folder.parent / "outside.png").write_bytes(b"x")
    table = manifest(folder, knee_kl, "image,colour\na.png,red\noutside.png,blue\n")
    assert table.ignored_columns == ("colour",)
    assert table.elsewhere == 1
    assert set(table.rows) == {folder / "a.png"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("file,side\na.png,R\n", "has no column “image”; its columns are file, side"),
        ("image,side,side\na.png,R,L\n", "has two columns “side”"),
        ('image\n"a.png\nb.png\n', "unexpected end of data"),
        ("image\n../../../etc/passwd\x00\n", "does not exist"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(
    folder: Path, knee_kl: Protocol, text: str, expected: str
) -> None:
    assert expected in fault(folder, knee_kl, text)


def test_a_table_in_another_encoding_is_refused(folder: Path, knee_kl: Protocol) -> None:
    assert "is not UTF-8" in fault(folder, knee_kl, "image,participant\na.png,Mül\n", encoding="latin-1")


def test_a_table_that_is_not_there_is_refused(folder: Path, knee_kl: Protocol) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(folder / "none.csv", folder=folder, protocol=knee_kl)


def test_the_columns_of_a_preview_are_understood_and_none_of_them_is_called_useless(
    folder: Path, knee_kl: Protocol
) -> None:
    table = manifest(
        folder,
        knee_kl,
        "image,pseudonym,participant,view,leave_out,body_part,rows,columns,missing,notes\n"
        "a.png,P-ABCD2345,,AP,yes,KNEE,1,1,side,\nb.png,P-ABCD2345,K 17,,,,,,,\n",
    )
    first, second = (table.rows[folder / name] for name in ("a.png", "b.png"))
    assert (first.pseudonym, first.view, first.left_out, first.in_study_words) == (
        "P-ABCD2345",
        "AP",
        True,
        True,
    )
    # Whom somebody named by hand is that person, whatever the preview wrote beside.
    assert (second.participant, second.left_out, second.in_study_words) == ("K 17", None, False)
    assert table.ignored_columns == ()


@given(
    cells=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1), min_size=1)
)
def test_a_table_gives_back_what_was_written_and_no_formula(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("table") / "table.csv"
    words = [" ".join(cell.split()) or "x" for cell in cells]
    assert write_table(path, ("word",), [(word,) for word in words]) == len(words)
    assert [row.get("word") for row in read_table(path, called="table").rows] == words
    with path.open(encoding="utf-8-sig", newline="") as stream:
        written = [row[0] for row in csv.reader(stream)][1:]
    for cell in written:
        assert cell[:1] not in set("=+-@") or re.fullmatch(r"[+-]?[0-9.]+", cell)


def test_a_table_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(ManifestError, match="cannot be written"):
        write_table(tmp_path / "table.csv", ("word",), [("x",)])
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]

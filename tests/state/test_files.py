"""Which files a page may open: nothing outside its folders, nothing too large, nothing of no known format."""

import os
from pathlib import Path

import pytest

from tests.toys import toy_jets
from workbench.data import parquet
from workbench.errors import DataError
from workbench.state.files import LISTED, UPLOADS, Files, Uploads


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "data"
    (inside / "runs").mkdir(parents=True)
    (inside / "top.parquet").write_bytes(b"content")
    (inside / "runs" / "QCD sample.h5").write_bytes(b"more content")
    (inside / ".secret").write_text("hidden")
    (tmp_path / "outside.txt").write_text("not for the page")
    (inside / "link out.txt").symlink_to(tmp_path / "outside.txt")
    (inside / "folder out").symlink_to(tmp_path)
    (inside / "link in.parquet").symlink_to(inside / "top.parquet")
    (inside / "round").symlink_to(inside)
    os.mkfifo(inside / "pipe")
    return inside


@pytest.mark.parametrize(
    "id",
    [
        "data/../outside.txt",
        "../outside.txt",
        "data/runs/../../outside.txt",
        "/etc/passwd",
        "//etc/passwd",
        "data//etc/../../outside.txt",
        "data/link out.txt",
        "data/folder out/outside.txt",
        "data/top.parquet\0.txt",
        "data\\..\\outside.txt",
        "\\\\host\\share\\file",
        "C:/Windows/system.ini",
        "~/secret",
        "data/.secret",
        "data/.git/config",
        "",
        ".",
        "..",
    ],
)
def test_what_leads_outside_is_refused_with_a_sentence(folder, id):
    with pytest.raises(DataError, match="is not below a folder of this page"):
        Files([folder]).path(id)


@pytest.mark.parametrize(
    ("id", "sentence"),
    [
        ("data", "is a folder"),
        ("data/runs", "is a folder"),
        ("data/pipe", "is not a file"),
        ("data/none.h5", "There is no file"),
        ("data/top.parquet/x", "There is no file"),
        ("data/" + "x" * 5000, "There is no file"),
    ],
)
def test_what_is_not_a_file_is_said(folder, id, sentence):
    with pytest.raises(DataError, match=sentence):
        Files([folder]).path(id)


def test_a_file_is_found_by_its_id_also_through_a_link_that_stays_inside(folder):
    files = Files([folder])
    assert files.path("data/runs/QCD sample.h5") == folder / "runs" / "QCD sample.h5"
    assert files.path("data/link in.parquet") == folder / "top.parquet"
    assert files.written("data/runs/QCD sample.h5") == f"{folder}/runs/QCD sample.h5"


def test_a_folder_lists_folders_first_with_sizes_and_nothing_hidden_or_leading_out(folder):
    files = Files([folder])
    assert [entry.id for entry in files.listing().entries] == ["data"]
    found = files.listing("data").entries
    assert [(e.name, e.size, e.folder) for e in found] == [
        ("runs", 0, True),
        ("link in.parquet", 7, False),
        ("top.parquet", 7, False),
    ]
    with pytest.raises(DataError, match="not a folder"):
        files.listing("data/top.parquet")


def test_a_search_finds_files_in_sub_folders_in_letters_of_either_case(folder):
    files = Files([folder])
    assert [entry.id for entry in files.search("qcd SAMPLE").entries] == ["data/runs/QCD sample.h5"]
    assert files.search("runs/").entries[0].size == 12
    assert files.search("outside").entries == ()


def test_a_long_folder_says_that_there_is_more(tmp_path):
    for number in range(LISTED + 1):
        (tmp_path / f"{number:04}").touch()
    listing = Files([tmp_path]).listing(tmp_path.name)
    assert len(listing.entries) == LISTED
    assert listing.more
    assert Files([tmp_path]).search("0").more


def test_folders_of_one_name_are_told_apart_and_a_missing_one_is_named(tmp_path):
    for parent in ("a", "b"):
        (tmp_path / parent / "data").mkdir(parents=True)
    (tmp_path / "b" / "data" / "x").touch()
    named = os.pathsep.join(str(tmp_path / p) for p in ("a/data", "b/data", "nowhere"))
    files = Files.configured({"WORKBENCH_DATA": named})
    assert list(files.folders) == ["data", "data-2"]
    assert files.path("data-2/x") == tmp_path / "b" / "data" / "x"
    assert "nowhere" in files.notice
    assert not Files.configured({})


def test_nothing_can_be_uploaded_unless_a_size_is_configured():
    for setting in ({}, {"WORKBENCH_UPLOAD": ""}, {"WORKBENCH_UPLOAD": "much"}, {"WORKBENCH_UPLOAD": "-3"},
                    {"WORKBENCH_UPLOAD": "inf"}, {"WORKBENCH_UPLOAD": "nan"}):  # fmt: skip
        uploads = Uploads.configured(setting)
        assert uploads.limit == 0
        with pytest.raises(DataError, match="Nothing can be uploaded here"):
            uploads.keep("jets.parquet", b"PAR1")


@pytest.fixture
def content(tmp_path):
    parquet.write(toy_jets(5, 1), tmp_path / "jets.parquet")
    return (tmp_path / "jets.parquet").read_bytes()


def test_an_upload_lies_in_the_sessions_own_folder_until_the_session_ends(content):
    uploads, other = Uploads(1), Uploads(1)
    path = uploads.keep("../../evil.parquet", content)
    assert path.name == "upload-1"
    assert path.read_bytes() == content
    assert other.keep("jets.parquet", content).parent != path.parent
    uploads.close()
    other.close()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.h5", b"", "'empty.h5' is empty"),
        ("large.h5", b"x" * 1_000_001, "has 1.0 MB and an upload at most 1 MB"),
        ("<img src=x>.txt", b"no physics here", "'<img src=x>.txt' is a text file"),
        ("zeros.root", b"\0" * 100, "of no known format"),
        ("broken.h5", b"\x89HDF\r\n\x1a\n" + b"x" * 50, "'broken.h5' cannot be read as HDF5"),
        ("model.pkl", b"\x80\x04\x95.\0", "of no known format"),
    ],
)
def test_a_wrong_empty_large_or_damaged_upload_is_refused_by_its_name_and_not_kept(name, content, sentence):
    uploads = Uploads(1)
    with pytest.raises(DataError) as refused:
        uploads.keep(name, content)
    assert sentence in str(refused.value)
    assert "upload-1" not in str(refused.value)
    assert uploads._folder is None or not list(Path(uploads._folder).iterdir())
    uploads.close()


def test_a_session_uploads_so_many_files_and_no_more(content):
    uploads = Uploads(1)
    for _ in range(UPLOADS):
        uploads.keep("jets.parquet", content)
    with pytest.raises(DataError, match="were uploaded already"):
        uploads.keep("jets.parquet", content)
    uploads.close()


def test_a_folder_that_may_not_be_read_hides_no_other_from_a_search(folder, monkeypatch):
    (folder / "closed").mkdir()
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    files = Files([folder])
    assert [entry.id for entry in files.search("qcd sample").entries] == ["data/runs/QCD sample.h5"]
    with pytest.raises(DataError, match="cannot be read"):
        files.listing("data/closed")

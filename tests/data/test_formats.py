"""Formats are recognised by content, and whatever is wrong is one sentence."""

import json
import shutil
import zipfile

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyhepmc
import pytest

from tests.real_files import needs_shared, real_file
from workbench.data import formats, parquet
from workbench.errors import DataError

from . import layouts
from .test_event_files import LHE, LHE_EVENT, hepmc_event, ig_text, olympics
from .test_jet_files import QG, jet_net, quark_gluon
from .test_parquet import jets_of


def write_hepmc(path):
    with pyhepmc.open(path, "w", format="hepmc3") as file:
        file.write(hepmc_event(1))
        file.write(hepmc_event(2))


def write_olympics(path):
    with h5py.File(path, "w") as file:
        file["events"] = olympics()


def write_showers(path):
    with h5py.File(path, "w") as file:
        file["incident_energies"], file["showers"] = np.full((2, 1), 1e4), np.ones((2, 6480))


def write_delphes(path):
    # uproot does not write branches within branches, so this is the file that Delphes wrote.
    name = "delphes/uproot-issue513.root"
    if not real_file(name).exists():
        pytest.skip(f"the real file {name} is neither beside the checkout nor in scikit-hep-testdata")
    shutil.copyfile(real_file(name), path)


def write_ig(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("Header", "ig")
        for number in (7, 8):
            file.writestr(f"Events/Run_198230/Event_{number}", json.dumps(ig_text(number)))


WRITERS = {
    "Workbench Parquet": lambda path: parquet.write(jets_of(5), path),
    "top-tagging reference HDF5": lambda path: layouts.top_tagging(
        path, layouts.four_momenta([3, 4]), [0, 1], "fixed"
    ),
    "JetClass": lambda path: layouts.root(
        path, "tree", layouts.jetclass_arrays(layouts.four_momenta([3, 4]))
    ),
    "quark/gluon npz": lambda path: quark_gluon(path, QG, [0, 1, 1]),
    "JetNet HDF5": jet_net,
    "flavour-tagging HDF5": layouts.ftag,
    "CaloChallenge HDF5": write_showers,
    "LHC Olympics HDF5": write_olympics,
    "Delphes ROOT": write_delphes,
    "NanoAOD": layouts.nanoaod,
    "HepMC": write_hepmc,
    "Les Houches events": lambda path: path.write_text(LHE.format(events=LHE_EVENT * 2)),
    "CMS event display (.ig)": write_ig,
}


def written(tmp_path, name):
    """A file of the format under a name that says something else."""
    first = tmp_path / ("first.npz" if "npz" in name else "first.hepmc" if name == "HepMC" else "first.root")
    WRITERS[name](first)
    return first.rename(tmp_path / "misnamed.txt")


def test_every_format_is_written_here():
    assert set(WRITERS) == {known.name for known in formats.FORMATS}


@pytest.mark.parametrize("name", WRITERS)
def test_a_format_is_recognised_under_a_wrong_name(tmp_path, name):
    path = written(tmp_path, name)
    assert formats.recognise(path).name == name
    sample = formats.read(path)
    assert len(sample) > 0
    if name != "Workbench Parquet":  # which keeps the origin that it was written with
        assert sample.origin.name == "misnamed.txt"
        assert sample.origin.settings["units"] in {"GeV", "MeV"}
        assert sample.origin.settings["rows"] == [0, len(sample)]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_one_sentence_or_whole_rows(tmp_path, name, share):
    path = written(tmp_path, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"misnamed\.txt") as caught:
        formats.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", WRITERS)
def test_rows_beyond_the_end_are_one_sentence(tmp_path, name):
    path = written(tmp_path, name)
    with pytest.raises(DataError, match="There are no .* from 999 to None in misnamed.txt, which has"):
        formats.read(path, start=999)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (
            b"some words\nof prose",
            "is a text file that begins with 'some words', of no known format; known are",
        ),
        (b"\x00\x01\x02", "is a binary file, of no known format"),
        (b"PAR1", "cannot be read as Parquet"),
        (b"root\x00\x00", "cannot be read as ROOT"),
        (b"\x1f\x8b\x08nonsense", "cannot be read as text"),
        (b"PK\x03\x04nonsense", "cannot be read as zip"),
    ],
)
def test_what_is_no_known_file_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        formats.read(tmp_path / "a")


def test_a_missing_file_and_a_folder_are_said(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        formats.read(tmp_path / "nothing.h5")
    with pytest.raises(DataError, match="is a folder"):
        formats.read(tmp_path)


def test_a_known_container_of_unknown_content_shows_what_is_inside(tmp_path):
    pq.write_table(pa.table({"apples": [1], "pears": [2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="is a Parquet file with apples, pears, of no known format"):
        formats.read(tmp_path / "a.parquet")


def test_units_of_a_format_that_fixes_them_cannot_be_declared(tmp_path):
    path = written(tmp_path, "JetClass")
    with pytest.raises(DataError, match="JetClass is in GeV by definition"):
        formats.read(path, units="MeV")
    assert len(formats.read(path, units="GeV")) == 2


def test_an_option_that_a_format_does_not_take_is_refused(tmp_path):
    with pytest.raises(DataError, match="takes no option 'geometri'; did you mean 'geometry'"):
        formats.read(written(tmp_path, "CaloChallenge HDF5"), geometri="x.xml")


def test_an_unknown_unit_names_the_known(tmp_path):
    with pytest.raises(DataError, match="Unknown energy unit 'keV'; known are GeV, MeV, TeV"):
        formats.read(written(tmp_path, "flavour-tagging HDF5"), units="keV")


REAL = {
    "jetclass2/JetClassII_example.parquet": ("JetClass", 100),
    "ftag/puma_file1.h5": ("flavour-tagging HDF5", 1000),
    "delphes/uproot-issue513.root": ("Delphes ROOT", 10),
    "nanoaod/nano_dy.root": ("NanoAOD", 40),
    "nanoaod/pfnano.root": ("NanoAOD", 10),
    "hepmc/events.eeH.hepmc3.zst": ("HepMC", 100),
    "cms-open-events/MinimumBias_Run2012C_0.ig": ("CMS event display (.ig)", 25),
    "calochallenge/hepemshow_e_shared.h5": ("CaloChallenge HDF5", 1000),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_shared(name)) for name in REAL])
def test_a_real_file_is_recognised_without_its_extension(tmp_path, name):
    path = tmp_path / "file"
    shutil.copy(real_file(name), path)
    known, rows = REAL[name]
    assert formats.recognise(path).name == known
    assert len(formats.read(path)) == rows


OTHERS = [
    "fcc/test_FCC_Winter2023.root",
    "flat-ntuples/uproot-HZZ.root",
    "lhcb/tracks_hits.root",
    "km3net/basic_analysis_sample.h5",
    "jetnet/pnet_state_dict.pt",
]


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_shared(name)) for name in OTHERS])
def test_a_real_file_of_another_kind_is_refused(name):
    with pytest.raises(DataError, match="of no known format"):
        formats.read(real_file(name))

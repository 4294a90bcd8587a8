from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from scipy import ndimage

from napari_s3net.errors import AmbiguousSeriesError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom.contents import list_series, look_into
from napari_s3net.io.dicom.header import DIRECTORY
from napari_s3net.io.dicom.series import read_file, read_series, read_slices
from tests.io.dicom.test_planes import group
from tests.io.made_files import hounsfield, make_dicom, make_slice, phantom, write_dicom


def test_a_series_is_a_volume_in_the_order_of_space(series):
    image = read_series(series, None, "name")
    np.testing.assert_array_equal(image.array, np.stack([hounsfield(i) for i in range(4)]))
    assert image.kind == "ct"
    assert image.geometry.spacing == (3.0, 0.7, 0.7)
    assert image.geometry.origin == (10.0, 6.0, 5.0)
    assert image.name == "name"


def test_files_of_other_kinds_in_the_folder_do_not_matter(series):
    (series / "README.txt").write_text("hello", encoding="utf-8")
    (series / "empty").touch()
    (series / "inside").mkdir()
    assert read_series(series, None, "a").shape == (4, 24, 20)


def test_several_series_are_listed_without_patient_data(series):
    write_dicom(
        series / "scout", hounsfield(9), series="1.2.9", number=7, modality="MR", tags={"0018|0050": "5"}.items()
    )
    with pytest.raises(AmbiguousSeriesError, match="2 series") as caught:
        read_series(series, None, "a")
    listed = dict(caught.value.series)
    assert list(caught.value.series) == list_series(look_into(series))
    assert listed["1.2.3"] == "CT, series 1, 4 files of 20 × 24"
    assert listed["1.2.9"] == "MR, series 7, 1 file of 20 × 24, 5 mm thick"
    assert all(series_id in str(caught.value) for series_id in listed)
    assert "SECRET" not in str(caught.value)


def test_one_of_several_series_is_chosen(series):
    write_dicom(series / "scout", hounsfield(9), series="1.2.9", modality="MR")
    image = read_series(series, "1.2.9", "a")
    np.testing.assert_array_equal(image.array, hounsfield(9))
    assert image.kind == "mr"
    assert read_series(series, "1.2.3", "a").shape == (4, 24, 20)
    with pytest.raises(ReadError, match=r"no series '4'.*1\.2\.3: CT"):
        read_series(series, "4", "a")


def test_free_text_where_a_code_belongs_is_not_shown(tmp_path):
    write_dicom(tmp_path / "a", hounsfield(), modality="JOHN DOE")
    assert list_series(look_into(tmp_path)) == [("1.2.3", "image, series 1, 1 file of 20 × 24")]


def test_a_folder_without_images_says_what_is_in_it(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert list_series(look_into(tmp_path)) == []
    with pytest.raises(UnsupportedFormatError, match=r"no DICOM images \(1 other files, 1 folders\)"):
        read_series(tmp_path, None, "a")


def test_a_gap_ends_the_volume_and_is_said(series):
    write_dicom(series / "far", hounsfield(9), position=(5.0, 6.0, 28.0))
    with pytest.warns(ReadWarning) as said:
        assert read_series(series, None, "a").shape == (4, 24, 20)
    assert [str(w.message) for w in said] == [
        "its slices are unevenly spaced, 3 to 9 mm: some may be missing. The 4 that are even are opened.",
        "1 of its images is left out (beyond a gap): far.",
    ]


def test_two_images_at_one_place_are_refused_by_name(series):
    write_dicom(series / "twin", hounsfield(9), position=(5.0, 6.0, 13.0))
    with pytest.raises(ReadError, match="same place, and nothing tells them apart: file3 and twin"):
        read_series(series, None, "a")


def test_a_folder_whose_name_is_no_utf8(series):
    odd = series.parent / os.fsdecode(b"caf\xe9")
    shutil.move(series, odd)
    assert read_series(odd, None, "a").shape == (4, 24, 20)
    assert len(list_series(look_into(odd))) == 1


def test_more_than_the_memory_is_refused(series, monkeypatch):
    monkeypatch.setattr("napari_s3net.io.validation.limits.physical_memory", lambda: 1000)
    with pytest.raises(ReadError, match="4 × 24 × 20 values"):
        read_series(series, None, "a")


def test_a_file_that_was_cut_off_is_not_left_out_in_silence(series):
    path = series / "file0"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ReadError, match=r"in its file file0 the header promises .* cut off"):
        read_series(series, None, "a")


def test_each_slice_has_its_own_slope_and_the_values_are_exact(tmp_path):
    stored = [phantom((24, 20), np.uint16) + 7 * i for i in range(3)]
    slopes = [("1", "0"), ("0.0001", "0"), ("0.25", "-3")]
    for i, (array, (slope, intercept)) in enumerate(zip(stored, slopes, strict=True)):
        make_slice(tmp_path / f"{i}", array, 2.0 * i, RescaleSlope=slope, RescaleIntercept=intercept)
    image = read_series(tmp_path, None, "a")
    assert image.array.dtype == np.float64
    for plane, array, (slope, intercept) in zip(image.array, stored, slopes, strict=True):
        np.testing.assert_array_equal(plane, array * float(slope) + float(intercept))


def test_slices_of_different_types_lose_nothing(tmp_path):
    make_slice(tmp_path / "0", np.full((24, 20), 60_000, np.uint16), 0.0)
    make_slice(tmp_path / "1", np.full((24, 20), -30_000, np.int16), 2.0)
    image = read_series(tmp_path, None, "a")
    assert image.array[:, 0, 0].tolist() == [60_000, -30_000]
    assert image.array.dtype == np.int32


def test_whole_slopes_give_whole_numbers(tmp_path):
    for i in range(2):
        make_slice(
            tmp_path / f"{i}",
            hounsfield(i).astype(np.uint16) * 0 + 9,
            2.0 * i,
            RescaleSlope=2 + i,
            RescaleIntercept=-1024,
        )
    image = read_series(tmp_path, None, "a")
    assert image.array.dtype == np.int32
    assert image.array[:, 0, 0].tolist() == [-1006, -997]


def test_a_localizer_of_the_same_series_is_left_out_and_named(series):
    make_slice(series / "scout", hounsfield(), position=(0, 0, 300.0), axes=(1, 0, 0, 0, 0, -1), spacing=(4, 4))
    with pytest.warns(ReadWarning, match=r"1 of its images is left out \(of another orientation or spacing\): scout"):
        image = read_series(series, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([hounsfield(i) for i in range(4)]))
    assert image.geometry.spacing == (3.0, 0.7, 0.7)


def tilted(folder, degrees, n=6, step=2.5):
    """Slices of a cylinder that stands upright in the world, taken with a tilted gantry."""
    for i in range(n):
        start = -step * i * np.tan(np.deg2rad(degrees))
        y = start + np.arange(40)[:, np.newaxis] * 0.5
        x = np.arange(30)[np.newaxis] * 0.5
        array = np.where((y - 9) ** 2 + (x - 7) ** 2 < 16, 500, 0).astype(np.int16)
        make_slice(folder / f"{i}", array, position=(0.0, start, step * i), spacing=(0.5, 0.5))


@pytest.mark.parametrize("degrees", [30, -17])
def test_a_tilted_gantry_is_set_upright_with_a_word(tmp_path, degrees):
    tilted(tmp_path, degrees)
    with pytest.warns(ReadWarning, match=rf"tilted by {abs(degrees)}° .*they are moved to where they lie"):
        image = read_series(tmp_path, None, "a")
    assert image.geometry.spacing == (2.5, 0.5, 0.5)
    for plane in image.array:
        centre = np.array(ndimage.center_of_mass(plane)) * 0.5 + image.geometry.origin[1:]
        np.testing.assert_allclose(centre, (9, 7), atol=0.1)


def test_slices_that_wander_are_moved_and_far_ones_refused(tmp_path):
    for i, away in enumerate((0.0, 2.1, -1.4, 0.7)):
        make_slice(tmp_path / f"{i}", hounsfield(), position=(away, 0.0, 3.0 * i))
    with pytest.warns(ReadWarning, match="shifted sideways by up to 2.1 mm"):
        image = read_series(tmp_path, None, "a")
    assert image.array.shape == (4, 24, 25)
    make_slice(tmp_path / "4", hounsfield(), position=(49.0, 0.0, 12.0))
    with pytest.raises(ReadError, match="shifted sideways by up to 49 mm"):
        read_series(tmp_path, None, "a")


def test_slightly_uneven_slices_are_resampled_and_quite_uneven_ones_refused(tmp_path):
    for i, height in enumerate((0.0, 2.8, 6.1, 9.0, 12.4)):
        make_slice(tmp_path / f"{i}", np.full((24, 20), round(100 * height), np.int16), height)
    with pytest.warns(ReadWarning, match=r"unevenly spaced, 2.8 to 3.4 mm: they are resampled to 3.1 mm"):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array[:, 0, 0], 310 * np.arange(5))
    make_slice(tmp_path / "5", hounsfield(), 40.0)
    make_slice(tmp_path / "6", hounsfield(), 99.0)
    with pytest.raises(ReadError, match=r"unevenly spaced, 2\.8 to 59 mm, and make no volume"):
        read_series(tmp_path, None, "a")


def test_of_two_echoes_the_first_is_opened_and_the_other_named(tmp_path):
    for i in range(3):
        for echo in (1, 2):
            make_slice(
                tmp_path / f"{i}{echo}",
                phantom((24, 20)) + echo,
                2.0 * i,
                EchoTime=10 * echo,
                Modality="MR",
                InstanceNumber=i,
            )
    with pytest.warns(ReadWarning, match=r"3 of its images are left out \(other echoes\): 02, 12, 22"):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([phantom((24, 20)) + 1] * 3))


def test_times_and_echoes_at_once(tmp_path):
    for i in range(2):
        for echo in (1, 2):
            for time in (1, 2, 3):
                make_slice(
                    tmp_path / f"{i}{echo}{time}", phantom((24, 20)) + 10 * echo + time, 2.0 * i, EchoTime=echo,
                    TemporalPositionIdentifier=time,
                )  # fmt: skip
    with pytest.warns(ReadWarning):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([phantom((24, 20)) + 11] * 2))


def test_of_a_heart_whose_beats_differ_from_slice_to_slice_the_first_moments_are_opened(tmp_path):
    for i in range(3):
        for time in (2, 1, 0):
            make_slice(
                tmp_path / f"{i}{2 - time}", phantom((24, 20)) + 10 * i + time, 8.0 * i, Modality="MR",
                TriggerTime=40.5 * time + i,
            )  # fmt: skip
    with pytest.warns(ReadWarning, match=r"6 of its images are left out \(other times\)"):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([phantom((24, 20)) + 10 * i for i in range(3)]))
    (tmp_path / "12").unlink()  # the first moment of one slice
    with pytest.raises(ReadError, match="nothing tells them apart"):
        read_series(tmp_path, None, "a")


def test_of_diffusion_in_several_directions_the_first_is_opened(tmp_path):
    for way in range(3):
        for i in range(2):
            make_slice(
                tmp_path / f"{way}{i}", phantom((24, 20)) + way, 2.0 * i, Modality="MR", DiffusionBValue=1000.0,
                DiffusionGradientOrientation=np.eye(3)[way].tolist(),
            )  # fmt: skip
    with pytest.warns(ReadWarning, match=r"other diffusion directions\): 10, 11, 20 and 1 more"):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([phantom((24, 20))] * 2))


def test_a_file_that_lies_there_twice_is_taken_once(series):
    shutil.copy(series / "file0", series / "file0 (1)")
    with pytest.warns(ReadWarning, match=r"left out \(copies of others\): file0 \(1\)"):
        assert read_series(series, None, "a").shape == (4, 24, 20)


def test_photographs_stand_for_themselves(tmp_path):
    rgb = phantom((24, 20, 3), np.uint8)
    photo = {"Modality": "XC", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}
    make_dicom(tmp_path / "a.dcm", rgb, **photo)
    image = read_series(tmp_path, None, "a")
    assert image.kind == "rgb"
    np.testing.assert_array_equal(image.array, rgb)
    make_dicom(tmp_path / "b.dcm", rgb, **photo)
    assert list_series(look_into(tmp_path)) == []
    assert [header.path.name for header in look_into(tmp_path).singles] == ["a.dcm", "b.dcm"]
    with pytest.raises(UnsupportedFormatError, match="2 DICOM images that stand for themselves"):
        read_series(tmp_path, None, "a")
    make_slice(tmp_path / "c.dcm", hounsfield(), SeriesInstanceUID="9")
    assert [identity for identity, _ in list_series(look_into(tmp_path))] == ["9"]


def test_slices_without_places_are_in_the_order_of_their_numbers(tmp_path):
    for i in (2, 0, 1):
        make_dicom(tmp_path / f"{7 * i % 4}", phantom((24, 20)) + i, InstanceNumber=i)
    with pytest.warns(ReadWarning, match="order of their numbers"):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([phantom((24, 20)) + i for i in range(3)]))
    assert image.geometry.unit == "pixel"
    make_dicom(tmp_path / "9", phantom((24, 20)), InstanceNumber=1)
    with pytest.raises(ReadError, match="do not tell where they lie"):
        read_series(tmp_path, None, "a")


def test_frames_of_a_film_have_no_distance(tmp_path):
    film = phantom((3, 24, 20), np.uint8)
    path = make_slice(tmp_path / "a", film, FrameTime=40.0, Modality="XA", SpacingBetweenSlices=None)
    with pytest.warns(
        ReadWarning, match=r"3 frames do not tell how far apart .* sizes are in pixels, each 0.7 × 0.7 mm"
    ):
        image = read_file(path, None, "a")
    np.testing.assert_array_equal(image.array, film)
    assert image.geometry.unit == "pixel"
    assert image.geometry.spacing == (1.0, 1.0, 1.0)


def test_frames_of_a_dose_are_a_volume_with_its_scaling(tmp_path):
    stored = phantom((3, 24, 20), np.uint16)
    path = make_slice(
        tmp_path / "a", stored, 5.0, Modality="RTDOSE", DoseGridScaling="0.0025", GridFrameOffsetVector=[0, 2.5, 5]
    )
    image = read_file(path, None, "a")
    np.testing.assert_array_equal(image.array, stored * 0.0025)
    assert image.geometry.spacing == (2.5, 0.7, 0.7)
    assert image.geometry.origin[0] == 5.0


@pytest.mark.parametrize(
    ("axes", "shown"), [((0, 1, 0, 0, 0, -1), "PIL"), ((1, 0, 0, 0, 0, -1), "LIP"), ((1, 0, 0, 0, 1, 0), "LPS")]
)
def test_a_series_is_shown_in_the_plane_in_which_it_was_taken(tmp_path, axes, shown):
    normal = np.cross(axes[:3], axes[3:])
    for i in range(3):
        make_slice(tmp_path / f"{i}", phantom((24, 20)) + i, position=tuple(4.0 * i * normal), axes=axes)
    image = read_series(tmp_path, None, "a")
    assert image.geometry.shown == shown
    assert image.geometry.spacing == (4.0, 0.7, 0.7)
    planes = np.stack([phantom((24, 20)) + i for i in range(3)])
    np.testing.assert_array_equal(image.array, planes if normal.sum() > 0 else planes[::-1])


def test_white_that_is_zero_is_shown_as_it_was_meant(tmp_path):
    stored = phantom((24, 20), np.uint16)
    path = make_dicom(
        tmp_path / "a", stored, PhotometricInterpretation="MONOCHROME1", Modality="DX", BitsStored=12, HighBit=11
    )
    with pytest.warns(ReadWarning, match="MONOCHROME1"):
        image = read_file(path, None, "a")
    np.testing.assert_array_equal(image.array, 4095 - stored)


def test_a_modality_table_is_applied(tmp_path):
    table = Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.LUTData = (np.arange(256, dtype=np.uint16) * 3 + 1).tobytes()
    table.ModalityLUTType = "US"
    stored = phantom((24, 20), np.uint8)
    path = make_dicom(tmp_path / "a", stored, Modality="CR", ModalityLUTSequence=[table])
    np.testing.assert_array_equal(read_file(path, None, "a").array, stored * 3.0 + 1)
    make_dicom(path, stored, Modality="CR", ModalityLUTSequence=[table], PhotometricInterpretation="MONOCHROME1")
    with pytest.warns(ReadWarning, match="left as they are"):  # its values are not those that the stored bits can hold
        np.testing.assert_array_equal(read_file(path, None, "a").array, stored * 3.0 + 1)


def directory(folder, *paths):
    """A DICOMDIR that names files."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DIRECTORY
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.DirectoryRecordSequence = []
    for path in paths:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = list(path)
        dataset.DirectoryRecordSequence.append(record)
    dataset.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_directory_file_opens_its_series(series, tmp_path):
    path = directory(tmp_path, *(("series", file.name) for file in sorted(series.iterdir())), ("series", "GONE"))
    with pytest.warns(ReadWarning, match="1 of the files that it names are not in its folder"):
        assert read_file(path, None, "a").shape == (4, 24, 20)
    make_slice(series / "MORE", hounsfield(), SeriesInstanceUID="9")
    path = directory(tmp_path, *(("series", file.name) for file in sorted(series.iterdir())))
    with pytest.raises(AmbiguousSeriesError, match="2 series"):
        read_file(path, None, "a")
    assert read_file(path, "9", "a").shape == (24, 20)
    files = sorted(series.iterdir())
    path = directory(tmp_path, *(("series", file.name) for file in files), ("GONE",), ("series", "GONE"), ("GONE",))
    with pytest.raises(AmbiguousSeriesError, match="2 of the files that it names"):
        read_file(path, None, "a")


def test_a_directory_file_names_nothing_outside_its_folder(series, tmp_path):
    (tmp_path / "inner").mkdir()
    path = directory(tmp_path / "inner", ("..", "series", "file0"))
    with pytest.raises(UnsupportedFormatError, match="DICOMDIR"):
        read_file(path, None, "a")


def test_objects_without_an_image_are_called_what_they_are(tmp_path):
    path = make_dicom(tmp_path / "a", hounsfield(), SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", Modality="RTSTRUCT")
    dataset = dcmread(path)
    for keyword in ("PixelData", "Rows", "Columns"):
        del dataset[keyword]
    dataset.save_as(path)
    with pytest.raises(UnsupportedFormatError, match="no image: RT Structure Set"):
        read_file(path, None, "a")
    make_slice(tmp_path / "b", hounsfield())
    assert read_series(tmp_path, None, "a").shape == (24, 20)


@pytest.mark.parametrize(("modality", "kind"), [("CT", "ct"), ("MR", "mr"), ("PT", "grey")])
def test_a_slice_is_a_plane_that_knows_its_place(tmp_path, modality, kind):
    array = hounsfield() + 2000
    write_dicom(tmp_path / "slice", array, position=(5.0, 6.0, 7.0), modality=modality)
    image = read_file(tmp_path / "slice", None, "slice")
    np.testing.assert_array_equal(image.array, array)
    assert image.kind == kind
    assert image.geometry.spacing == (0.7, 0.7)
    assert image.geometry.unit == "mm"
    assert image.geometry.volume.origin == (7.0, 6.0, 5.0)


def test_a_file_without_a_spacing_has_no_millimetres(tmp_path):
    write_dicom(tmp_path / "plain", hounsfield(), modality="US")
    assert read_file(tmp_path / "plain", None, "plain").geometry.unit == "pixel"


def test_a_file_that_is_cut_off_anywhere_is_no_image(tmp_path):
    path = make_slice(tmp_path / "a", phantom((8, 6)))
    whole = path.read_bytes()
    for end in range(140, len(whole), 5):
        path.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read_file(path, None, "a")


def test_chosen_files_are_checked_as_a_series_is(series, tmp_path):
    paths = sorted(series.iterdir())
    assert read_slices(paths, "a").shape == (4, 24, 20)
    write_dicom(tmp_path / "far", hounsfield(9), position=(5.0, 6.0, 99.0))
    with pytest.warns(ReadWarning, match="beyond a gap"):
        assert read_slices([*paths, tmp_path / "far"], "a").shape == (4, 24, 20)
    photo = make_dicom(tmp_path / "photo", phantom((24, 20, 3), np.uint8), Modality="XC")
    assert read_slices([photo, photo], "a") is None
    plan = make_dicom(tmp_path / "plan", hounsfield(), SOPClassUID="1.2.840.10008.5.1.4.1.1.481.5")
    dataset = dcmread(plan)
    del dataset.PixelData, dataset.Rows
    dataset.save_as(plan)
    with pytest.raises(ReadError, match=r"in its file plan: .*no image"):
        read_slices([plan], "a")


def test_frames_of_one_file_are_sorted_by_their_places_each_with_its_own_scale(tmp_path):
    heights, stored = (4.0, 0.0, 2.0), phantom((3, 24, 20), np.uint16)
    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[1, 2, height])],
            PixelValueTransformationSequence=[group(RescaleSlope=1 + i, RescaleIntercept=-i, RescaleType="US")],
        )
        for i, height in enumerate(heights)
    ]
    shared = group(
        PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.4], SliceThickness=9)],
        PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    path = make_dicom(
        tmp_path / "a",
        stored,
        Modality="MR",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        PerFrameFunctionalGroupsSequence=frames,
        SharedFunctionalGroupsSequence=[shared],
    )
    image = read_file(path, None, "a")
    signed = stored.astype(int)
    np.testing.assert_array_equal(image.array, [signed[1] * 2 - 1, signed[2] * 3 - 2, signed[0]])
    assert image.geometry.spacing == (2.0, 0.5, 0.4)
    assert image.geometry.origin == (0.0, 2.0, 1.0)
    assert image.kind == "mr"


def test_frames_of_two_times_in_one_file(tmp_path):
    stored = phantom((4, 24, 20), np.uint16)
    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[0, 0, 3.0 * (i % 2)])],
            FrameContentSequence=[group(TemporalPositionIndex=1 + i // 2)],
        )
        for i in range(4)
    ]
    orientation = group(PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
    path = make_dicom(
        tmp_path / "a",
        stored,
        PixelSpacing=[1, 1],
        PerFrameFunctionalGroupsSequence=frames,
        SharedFunctionalGroupsSequence=[orientation],
    )
    with pytest.warns(ReadWarning, match=r"2 of its images are left out \(other times\): frame 3, frame 4"):
        image = read_file(path, None, "a")
    np.testing.assert_array_equal(image.array, stored[:2])


def test_of_files_that_are_known_no_other_is_looked_into(series):
    names = sorted(file.name for file in series.iterdir())
    (series / "damaged").write_bytes((series / names[0]).read_bytes()[:-9])
    with pytest.raises(ReadError, match="in its file damaged"):
        read_series(series, None, "a")
    assert read_series(series, "1.2.3", "a", names).shape == (4, 24, 20)
    assert read_series(series, "1.2.3", "a", names[1:]).shape == (3, 24, 20)
    with pytest.raises(ReadError, match="in its file damaged"):
        read_series(series, "1.2.3", "a", [*names, "damaged"])


@pytest.mark.parametrize("element", ["PatientID", "StudyInstanceUID"])
def test_slices_of_two_patients_with_one_series_are_no_volume(tmp_path, element):
    for n in range(5):
        elements = {element: "1.2.8" if n < 2 else "1.2.9"}
        make_slice(tmp_path / f"{n}.dcm", hounsfield(n), 3.0 * n, **elements)
    with pytest.warns(
        ReadWarning, match=r"2 of its images are left out \(of another patient or study\): 0\.dcm, 1\.dcm"
    ):
        image = read_series(tmp_path, None, "a")
    np.testing.assert_array_equal(image.array, np.stack([hounsfield(n) for n in (2, 3, 4)]))


def write_slices(folder, heights, elements=lambda n: {}, **common):
    """Slices called IM000 and so on."""
    folder.mkdir(exist_ok=True)
    for n, height in enumerate(heights):
        make_slice(folder / f"IM{n:03d}", hounsfield(n), height, InstanceNumber=n + 1, **{**common, **elements(n)})
    return folder


@pytest.mark.parametrize("step", [0.003, 0.009, 0.018, 0.5, 3.0])
def test_a_missing_or_a_double_slice_is_found_however_near_slices_lie(tmp_path, recwarn, step):
    """Slices of a micro-CT lie some thousandths of a millimetre apart."""
    tiny = {"spacing": (step, step), "SliceThickness": step}
    heights = [step * n for n in range(8)]
    whole = read_series(write_slices(tmp_path / "whole", heights, **tiny), None, "a")
    assert not recwarn
    np.testing.assert_allclose(whole.geometry.spacing, [step] * 3, rtol=1e-6)
    np.testing.assert_array_equal(whole.array, np.stack([hounsfield(n) for n in range(8)]))
    with pytest.warns(ReadWarning, match="some may be missing. The 5 that are even"):
        part = read_series(write_slices(tmp_path / "gap", heights[:5] + heights[6:], **tiny), None, "a")
    np.testing.assert_allclose(part.geometry.spacing[0], step, rtol=1e-6)
    with pytest.raises(ReadError, match="two of its images lie at the same place"):
        read_series(write_slices(tmp_path / "double", [*heights, heights[3]], **tiny), None, "a")


@pytest.mark.parametrize(
    "lacking", [{"RescaleIntercept": None}, {"RescaleSlope": None}, {"RescaleSlope": None, "RescaleIntercept": None}]
)
@pytest.mark.filterwarnings("ignore:its header tells no")
def test_slices_with_and_without_a_scale_do_not_compare(tmp_path, lacking):
    """One slice of a CT would be off by 1024 Hounsfield units."""
    scale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    folder = write_slices(tmp_path / "a", [0, 3, 6, 9], lambda n: lacking if n == 2 else {}, **scale)
    with pytest.raises(ReadError, match=r"not told alike in its 4 images.*IM002") as caught:
        read_series(folder, None, "a")
    assert "SECRET" not in str(caught.value)
    assert read_series(write_slices(folder, [0, 3, 6, 9], **{**scale, **lacking}), None, "a").shape == (4, 24, 20)


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (bytes(3000), "no DICOM file")])
@pytest.mark.parametrize("n", [0, 2, 3])
def test_a_file_that_is_named_like_the_slices_and_is_none_is_not_left_out_in_silence(tmp_path, content, said, n):
    """At an end of the series nothing else tells that it is missing."""
    folder = write_slices(tmp_path / "a", [0, 3, 6, 9])
    for other in ("._IM001", "IM001.txt", "VERSION", "IM"):
        (folder / other).write_bytes(content)
    assert read_series(folder, None, "a").shape == (4, 24, 20)
    (folder / f"IM00{n}").write_bytes(content)
    with pytest.raises(ReadError, match=f"in its file IM00{n} it is {said}"):
        read_series(folder, None, "a")


def test_several_frames_of_reference_are_said(tmp_path):
    frames = ("1.5", "1.5", "1.6", "1.6")
    folder = write_slices(tmp_path / "a", [0, 3, 6, 9], lambda n: {"FrameOfReferenceUID": frames[n]})
    with pytest.warns(ReadWarning, match="several frames of reference"):
        assert read_series(folder, None, "a").shape == (4, 24, 20)


def test_a_mosaic_is_refused(tmp_path):
    kind = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    folder = write_slices(tmp_path / "a", [0], Modality="MR", ImageType=kind)
    for path, read in ((folder, read_series), (folder / "IM000", read_file)):
        with pytest.raises(UnsupportedFormatError, match=r"mosaic.*dcm2niix"):
            read(path, None, "a")


def test_colours_have_no_scale(tmp_path):
    """A header may have kept slope and intercept of what was coloured."""
    colours = phantom((24, 20, 3), np.uint8)
    kept = {"RescaleSlope": 2.5, "RescaleIntercept": -3, "Modality": "PT"}
    image = read_file(make_dicom(tmp_path / "a", colours, **kept), None, "a")
    assert (image.kind, image.array.dtype) == ("rgb", np.uint8)
    np.testing.assert_array_equal(image.array, colours)


def test_pixels_that_are_not_square_are_said_where_nothing_tells_their_size(tmp_path, recwarn):
    known = {"Modality": "US", "PixelAspectRatio": [4, 3]}
    read_file(make_dicom(tmp_path / "a", phantom((24, 20), np.uint8), PixelSpacing=[0.4, 0.3], **known), None, "a")
    read_file(
        make_dicom(tmp_path / "b", phantom((24, 20), np.uint8), Modality="US", PixelAspectRatio=[1, 1]), None, "a"
    )
    assert not recwarn
    with pytest.warns(ReadWarning, match="4 high to 3 wide"):
        read_file(make_dicom(tmp_path / "c", phantom((24, 20), np.uint8), **known), None, "a")


def test_slices_that_tell_their_distance_and_no_size_of_pixels_are_said(tmp_path):
    folder = write_slices(tmp_path / "a", [0, 3, 6], PixelSpacing=None)
    with pytest.warns(ReadWarning, match="not how large its pixels are: sizes are in pixels"):
        assert read_series(folder, None, "a").geometry.unit == "pixel"


def test_copies_lie_at_one_place_whatever_ids_slices_have(tmp_path):
    """By a mistake all slices may have one id; a series of four was one slice then."""
    folder = write_slices(tmp_path / "a", [0, 3, 6, 9, 9], SOPInstanceUID="1.2.3.4")
    with pytest.warns(ReadWarning, match=r"1 of its images is left out \(copies of others\): IM004"):
        assert read_series(folder, None, "a").shape == (4, 24, 20)

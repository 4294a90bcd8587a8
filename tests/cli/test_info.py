from tests.cli.helpers import run


def test_info(capsys):
    assert run("info") == 0
    words = capsys.readouterr().out
    for name in ("napari-s3net", "python", "torch", "numpy", "SimpleITK", "napari", "cpu", "memory"):
        assert f"\n{name} " in f"\n{words}"
    assert "GiB" in words

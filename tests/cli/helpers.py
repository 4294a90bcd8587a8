"""Run a command, and look at what it wrote."""

from napari_s3net import cli


def run(*words):
    return cli.main([str(word) for word in words])


def names(folder):
    return sorted(path.name for path in folder.iterdir())

"""Run a command, and look at what it wrote."""

from napari_s3net import cli

#: A network that is learned in a moment.
TINY = ["--device", "cpu", "--set", "size=32", "steps=20", "batch=2", "keypoint_width=8", "most_keypoints=16"]


def run(*words):
    return cli.main([str(word) for word in words])


def names(folder):
    return sorted(path.name for path in folder.iterdir())

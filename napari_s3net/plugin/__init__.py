"""The napari side: the only folder that imports napari, vispy or Qt. It holds no algorithm."""

from napari_s3net.runtime.threads import wait_asleep

wait_asleep()  # before anything of the plugin loads torch

#: By which napari knows the plugin.
PLUGIN = "napari-s3net"
#: What it is called on the screen, as in the manifest.
DISPLAY_NAME = "S³-Net"

"""The parts of `gpu_check.py`: each is a function of a device and a number of images, and gives figures."""

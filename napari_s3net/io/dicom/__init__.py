"""DICOM: pydicom reads the headers, GDCM (in SimpleITK) decodes the pixels, and what came is compared with the promise.

The way of a file: its header; its planes, one for each frame, which know where they lie and what their values mean; the
box, those planes of a series that make one volume; the pixels. Everything here runs in the child process.
"""

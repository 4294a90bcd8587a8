"""The exceptions of this package. A message says what was expected, what came and what to do."""

from __future__ import annotations


class S3NetError(Exception):
    """Base of every error that this package raises on purpose."""


class ReadError(S3NetError):
    """A file could not be read; the message names the file and what was tried."""


class UnsupportedFormatError(ReadError):
    """The file is of a kind that is not read here."""


class HoldsLabelsError(UnsupportedFormatError):
    """The file holds labels, not an image; `napari_s3net.io.read_labels` opens it."""


class AmbiguousSeriesError(ReadError):
    """A folder holds more than one DICOM series.

    Attributes
    ----------
    series : tuple of (str, str)
        Series id and a description without patient data, in a stable order.
    """

    def __init__(self, message: str, series: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.series = series


class WriteError(S3NetError):
    """A result could not be written; the message names the file and the reason."""


class OutputError(WriteError):
    """The standard output cannot be written to, as a file on a full disk: no reason to call an input failed."""


class InvalidImageError(S3NetError, ValueError):
    """The array is not an image that can be segmented: dimensions, NaN, constant intensity."""


class InvalidSettingsError(S3NetError, ValueError):
    """A setting has an unknown name, a wrong type or a value outside its range."""


class InvalidConstraintsError(S3NetError, ValueError):
    """The user's strokes do not fit the image."""


class DeviceError(S3NetError, RuntimeError):
    """The device that was asked for is not at hand on this machine."""


class DivergedError(S3NetError, RuntimeError):
    """A loss is not finite any more; the message names the iteration."""


class OutOfMemoryError(S3NetError, RuntimeError):
    """Memory ran out; the message says what was needed, what was free and what to try."""


class ModelFileError(S3NetError):
    """A weight file is not ours, does not fit, or comes from a newer version; the message says which."""


class ReadWarning(UserWarning):
    """A file was opened, but not all of it, or something in it looks wrong; the message says what."""

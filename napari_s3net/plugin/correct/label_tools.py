"""The label tools as functions: each changes the labels in view as one step that undo takes back, and respects locks.

The Correct dock calls the functions. The forms below stand in napari's Layers menus and in its command palette; the
manifest names them. Annotations are types here, not texts: magicgui makes fields from them.
"""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from magicgui import magic_factory
from magicgui.widgets import FunctionGui
from napari.layers import Labels
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtWidgets import QMainWindow

from napari_s3net import labels as edit
from napari_s3net.errors import S3NetError
from napari_s3net.labels.regions import measure_regions
from napari_s3net.plugin.correct import tools
from napari_s3net.plugin.correct.label_editor import editor_of
from napari_s3net.plugin.correct.measurement_table import MeasurementTable
from napari_s3net.plugin.correct.tools import Scope
from napari_s3net.plugin.correct.volume_tools import reshape_volume, voxel_size
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.widgets.undo_keys import hold_keys

#: What a form says of a tool that found nothing to do.
UNCHANGED = "Nothing changed: there is nothing of that kind here, or it is locked."


def smooth(viewer: Viewer, layer: Labels, scope: Scope = "object", radius: float = 2.0) -> bool:
    """Round off the border by a Gaussian blur of the region.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    scope : "object", "all", int or sequence of int
        The object as one region, every label one after the other, or these labels.
    radius : float
        What is narrower than about twice this many pixels goes.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on.
    """
    return _reshape(viewer, layer, scope, partial(edit.smooth, radius=radius))


def fill_holes(viewer: Viewer, layer: Labels, scope: Scope = "object", *, in_3d: bool = False) -> bool:
    """Take in what the region encloses.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    scope : "object", "all", int or sequence of int
        The object as one region, every label one after the other, or these labels.
    in_3d : bool
        Whether the whole volume is meant, its slices connected; else the plane in view.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on, or no volume.
    """
    return _reshape(viewer, layer, scope, partial(edit.fill_holes, in_3d=in_3d), in_3d=in_3d)


def keep_largest(viewer: Viewer, layer: Labels, scope: Scope = "object", *, in_3d: bool = False) -> bool:
    """Drop all but the largest connected part.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    scope : "object", "all", int or sequence of int
        The object as one region, every label one after the other, or these labels.
    in_3d : bool
        Whether the whole volume is meant, its slices connected; else the plane in view.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on, or no volume.
    """
    return _reshape(viewer, layer, scope, partial(edit.keep_largest, in_3d=in_3d), in_3d=in_3d)


def remove_small(
    viewer: Viewer, layer: Labels, scope: Scope = "object", smallest: float = 50.0, *, in_3d: bool = False
) -> bool:
    """Drop small connected parts.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    scope : "object", "all", int or sequence of int
        The object as one region, every label one after the other, or these labels.
    smallest : float
        Parts smaller than this go: in mm², of a volume in mm³, where the image knows its spacing; else in pixels.
    in_3d : bool
        Whether the whole volume is meant, its slices connected; else the plane in view.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on, or no volume.
    """
    editor = editor_of(viewer, layer)
    size = voxel_size(editor) if in_3d else editor.pixel_size()[0]
    return _reshape(
        viewer, layer, scope, partial(edit.remove_small, smallest=smallest / size, in_3d=in_3d), in_3d=in_3d
    )


def dilate(viewer: Viewer, layer: Labels, scope: Scope = "object", pixels: int = 1) -> bool:
    """Move the border outwards, or inwards.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    scope : "object", "all", int or sequence of int
        The object as one region, every label one after the other, or these labels.
    pixels : int
        How far outwards; inwards where it is negative.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on.
    """
    return _reshape(viewer, layer, scope, partial(edit.dilate, pixels=pixels))


def merge(viewer: Viewer, layer: Labels, ids: Sequence[int] = ()) -> bool:
    """Make one label of several: that of the lowest number.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    ids : sequence of int
        Two labels or more.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If fewer than two labels are given, or there are no labels on an image.
    """
    return editor_of(viewer, layer).change(lambda plane, locked: tools.merge(plane, ids, locked))


def split_parts(viewer: Viewer, layer: Labels, ids: Sequence[int] = ()) -> bool:
    """Give each connected part of labels a number of its own; the largest keeps the label's.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back; locked labels and parts stay.
    ids : sequence of int
        One label or more.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If no label is given, or there are no labels on an image.
    """
    return editor_of(viewer, layer).change(lambda plane, locked: tools.split_parts(plane, ids, locked))


def swap_sides(viewer: Viewer, layer: Labels) -> bool:
    """Make background of what is object, and the other way round.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Is changed by one step that undo takes back, of a volume in all slices; locked parts stay.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If a label of the plane is locked, or there are no labels on an image.
    """
    return editor_of(viewer, layer).change(tools.swap_sides)


def measure(viewer: Viewer, layer: Labels) -> list[dict[str, Any]]:
    """Measure the object and every label: sizes, shapes and colours, with units in the columns' names.

    The rows are also the layer's features, which napari shows under the mouse.

    Parameters
    ----------
    viewer : napari.Viewer
        Its sliders say which plane is meant.
    layer : napari.layers.Labels
        Gets the features; its labels stay as they are.

    Returns
    -------
    list of dict
        A row for the object, then one for each label; see `napari_s3net.labels.regions.COLUMNS`.

    Raises
    ------
    InvalidImageError
        If there are no labels on an image.
    """
    editor = editor_of(viewer, layer)
    plane, (_, source) = editor.plane, editor.target()
    regions = measure_regions(plane.labels, source.read(), foreground=plane.foreground, names=plane.names)
    rows = [region.to_columns() for region in regions]
    of_labels = [row for row in rows if isinstance(row["label"], int)]
    columns = dict.fromkeys(name for row in of_labels for name in row)
    features = {name: [row.get(name) for row in of_labels] for name in columns}
    layer.features = {"index": [row["label"] for row in of_labels], **features}
    return rows


def _reshape(viewer: Viewer, layer: Labels, scope: Scope, change: Callable[..., Any], *, in_3d: bool = False) -> bool:
    editor = editor_of(viewer, layer)
    if in_3d:
        return reshape_volume(editor, scope, change)
    return editor.change(lambda plane, locked: tools.reshape(plane, scope, locked, change))


# -- forms


def _form(tool: Callable[..., Any], button: str, prepare: Callable[[FunctionGui], None], **fields: Any) -> Any:
    """A form with a button; what a tool refuses, or finds nothing to do, is said as napari's notification."""

    @wraps(tool)
    def from_form(*args: Any, **values: Any) -> Any:
        _hold_undo(values.get("viewer") or args[0])
        try:
            result = tool(*args, **values)
        except S3NetError as error:
            show_error(str(error))
            return None
        if result is False:
            show_info(UNCHANGED)
        return result

    tips = {"layer": {"label": "Labels", "tooltip": "Which labels; the plane in view is meant."}}
    return magic_factory(from_form, call_button=button, widget_init=prepare, **tips, **fields)


def _hold_undo(viewer: Viewer) -> None:
    """Let Ctrl-Z know what no layer's own history knows, such as another object; also once the form is closed."""
    undo_log_of(viewer)
    docked = [getattr(one, "native", one) for one in viewer.window.dock_widgets.values()]
    for window in {one.window() for one in docked if isinstance(one.window(), QMainWindow)}:
        hold_keys(window, viewer, window)


def _list_labels(form: FunctionGui) -> None:
    """Offer the labels of the layer that is chosen, and again when they have changed."""
    for name in {field.name for field in form} & {"scope", "ids"}:
        field = form[name]
        field.choices = partial(_choices, form, name)
        form.layer.changed.connect(field.reset_choices)
        form.called.connect(field.reset_choices)


def _choices(form: FunctionGui, name: str, _: Any = None) -> list[tuple[str, Any]]:
    """Text and value of each choice."""
    choices: list[tuple[str, Any]] = [("The object", "object"), ("Every label", "all")] if name == "scope" else []
    viewer, layer = form.viewer.value, form.layer.value
    editor = None if viewer is None or layer is None else editor_of(viewer, layer)
    if editor is not None and editor.key is not None:
        choices += [(f"{label}  {name}", label) for label, name, _ in editor.rows()]
    return choices


def _add_table(form: FunctionGui) -> None:
    """Show the measurements below the button."""
    table = MeasurementTable()
    form.native.layout().addWidget(table)
    form.called.connect(table.show_rows)


_SCOPE = {
    "widget_type": "ComboBox",
    "choices": [("The object", "object"), ("Every label", "all")],
    "label": "On",
    "tooltip": "What is changed: the object as one region, every label one after the other, or one label.",
}
_IDS = {"widget_type": "Select", "choices": [], "label": "Which", "tooltip": "Ctrl or Shift selects several."}
_RADIUS = {"min": 0.5, "max": 50.0, "step": 0.5, "label": "Radius (px)"}
_SMALLEST = {"min": 0.0, "max": 1e9, "step": 1.0, "label": "Below (mm², mm³ or px)"}
_IN_3D = {"label": "Whole volume, in 3-D", "tooltip": "All slices at once, as one body; else the plane in view."}
_PIXELS = {"min": -200, "max": 200, "step": 1, "label": "Outwards (px)"}

smooth_form = _form(smooth, "Smooth", _list_labels, scope=_SCOPE, radius=_RADIUS)
fill_holes_form = _form(fill_holes, "Fill holes", _list_labels, scope=_SCOPE, in_3d=_IN_3D)
keep_largest_form = _form(keep_largest, "Keep largest", _list_labels, scope=_SCOPE, in_3d=_IN_3D)
remove_small_form = _form(
    remove_small, "Remove small parts", _list_labels, scope=_SCOPE, smallest=_SMALLEST, in_3d=_IN_3D
)
dilate_form = _form(dilate, "Grow or shrink", _list_labels, scope=_SCOPE, pixels=_PIXELS)
merge_form = _form(merge, "Merge", _list_labels, ids=_IDS)
split_parts_form = _form(split_parts, "Split", _list_labels, ids=_IDS)
swap_sides_form = _form(swap_sides, "Swap object and background", _list_labels)
measure_form = _form(measure, "Measure", _add_table)

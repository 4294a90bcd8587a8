"""Fill in folders, as a person does who chooses them."""


def choose_batch_folders(form, source, output=None):
    form.source.value = source
    if output is not None:
        form.output.value = output
    form.changed.emit()


def choose_learn_folders(form, images, labels):
    form.images.value, form.labels.value = images, labels
    form.labels.line_edit.native.editingFinished.emit()

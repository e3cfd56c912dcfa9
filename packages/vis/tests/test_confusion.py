"""Pictures of confusion matrices."""

import numpy as np
import pytest

from eng.vis import draw_confusion_matrix


def test_darker_cells_have_more_elements():
    image = draw_confusion_matrix([[9, 1], [2, 8]], ["cat", "dog"], "step 3")
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    dark = image.astype(int).sum(2) < 300
    rows, columns = np.nonzero(dark)
    # The diagonal runs from the top left to the bottom right.
    assert np.corrcoef(rows, columns)[0, 1] > 0.2


@pytest.mark.parametrize(("size", "normalize"), [(1, False), (26, True), (61, False)])
def test_any_number_of_classes(size, normalize):
    image = draw_confusion_matrix(np.eye(size, dtype=int), ["a"] * 3, normalize=normalize)
    assert max(image.shape) <= 1500
    assert len(np.unique(image)) > 10


def test_classes_without_targets():
    assert draw_confusion_matrix(np.zeros((3, 3), int)).size


@pytest.mark.parametrize("matrix", [[], [[1, 2]], [1, 2]])
def test_a_matrix_is_square(matrix):
    with pytest.raises(ValueError, match=r"matrix must have the shape \(classes, classes\), not"):
        draw_confusion_matrix(matrix)


def test_names_with_dollars_are_no_math():
    drawn = draw_confusion_matrix([[1, 0], [0, 1]], [r"$\frac$", "a"], title=r"$\frac$")
    assert drawn.dtype == np.uint8

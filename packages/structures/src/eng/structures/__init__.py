"""Data elements: instances, labels and pixels."""

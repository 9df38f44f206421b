"""Labeled faces, and how well a model reads them."""

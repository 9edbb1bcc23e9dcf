"""Radiographs: files, pixels, what the grays and the millimetres mean, and how they reach a screen."""

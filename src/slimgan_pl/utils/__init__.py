"""Helpers without knowledge of GANs; import each module by its own name."""

"""Sprite tiles: how many, on which sheets, and the three forms in which players are told of them."""

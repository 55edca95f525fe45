"""How far a video is: stages, their weights, and where it is told."""

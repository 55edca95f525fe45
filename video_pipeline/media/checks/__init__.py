"""The checks before a release: each compares what was made with the plan, by reading the files again."""

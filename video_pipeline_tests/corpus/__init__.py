"""Every clip of the corpus through the pipeline, judged by tools that know nothing of it. `make corpus` prints it."""

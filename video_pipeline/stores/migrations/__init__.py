"""Migrations of the index, run by `stores.index.Index.upgrade`."""

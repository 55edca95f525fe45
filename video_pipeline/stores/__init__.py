"""Where bytes and rows live: the object store, what is kept in it, and the index."""

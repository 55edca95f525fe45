"""Takes jobs from the queue and settles them: a reconciler, not an event handler."""

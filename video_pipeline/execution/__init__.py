"""How runs are executed: warm Celery workers, their slots, heartbeats and cancellation."""

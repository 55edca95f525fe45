"""The embedded deployment: every service on one machine, started and stopped together."""

"""The metrics as text for Prometheus. docs/metrics.md describes each."""

"""The runner: claims due deliveries, starts attempts within limits, and records their outcomes."""

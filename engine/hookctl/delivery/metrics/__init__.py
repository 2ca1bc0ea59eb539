"""What a process counts for monitoring. ``hookctl.report.metrics`` writes it as text."""

"""Deliveries by hookctl beside its peers, against nginx over TLS on loopback. Figures and method: README.md."""

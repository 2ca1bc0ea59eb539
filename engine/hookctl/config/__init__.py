"""The config wing: webhook files are loaded, checked, compiled, compared with what is applied, and reviewed."""

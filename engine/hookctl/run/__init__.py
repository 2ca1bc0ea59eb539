"""Deliveries on their way: route, render, authenticate, send, validate, retry."""

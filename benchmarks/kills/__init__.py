"""What becomes of deliveries when the program that makes them is killed. Figures and method: README.md."""

"""Reports: frozen data, and each way to show it."""

"""What else the textbook code runs over: exact, high-precision, differentiating and proving numbers."""

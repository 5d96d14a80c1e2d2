"""Training on tables of numbers: data sets, scaled columns, and the verb `train`."""

"""From wrong numbers to the mistake that makes them, in a sentence, with the line of the recurrence."""

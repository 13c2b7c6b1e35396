# This is not what a run writes.

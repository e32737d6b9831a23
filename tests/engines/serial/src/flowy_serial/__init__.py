"""An engine for Flowy that runs one task at a time, in the thread that runs the workflow."""

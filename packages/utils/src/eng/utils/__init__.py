"""Named instances, paths, progress bars, timers, type checks and versions."""

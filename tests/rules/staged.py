"""Input staged while a run is paused: R-40 to R-45."""

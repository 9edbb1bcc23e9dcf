"""Pre-grades: bundles, the crop, the pipeline and its worker process."""

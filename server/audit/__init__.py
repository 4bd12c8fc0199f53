"""Who saw, exported or deleted which recording. Entries are only ever added."""

"""Brings in what was filmed elsewhere, as a lesson like one we have recorded."""

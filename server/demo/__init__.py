"""The demonstration: a lesson without a teacher, published like any other."""

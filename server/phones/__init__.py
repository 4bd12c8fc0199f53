"""Phones of local teachers: how one gets into a lesson beside its class, and the photos of pupils' work it sends."""

"""Slides: what a teacher brings as a PDF or a picture, drawn once as pictures of pages that every class can show."""

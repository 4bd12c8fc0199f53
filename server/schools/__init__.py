"""Schools, their classes with each class's own code of the term, and the consent a class gave to being recorded."""

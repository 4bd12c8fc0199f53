"""Handouts: what is printed or read before a lesson (导学案, 练习册页), kept with the lesson and gone with it."""

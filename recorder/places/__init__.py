"""Where lessons are archived: a folder of this machine, or a store of objects with a working copy here."""

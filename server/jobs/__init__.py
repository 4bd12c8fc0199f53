"""What is made of a lesson after it: pictures for the seek bar, who spoke when, MP4. In its own process, by huey."""

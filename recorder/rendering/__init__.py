"""What is made out of a closed lesson's files: pictures for the seek bar, who spoke when, MP4. It may take its time."""

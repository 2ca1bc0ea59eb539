"""Makes webhook files of the files of other tools. Nothing is requested, and no secret is written."""

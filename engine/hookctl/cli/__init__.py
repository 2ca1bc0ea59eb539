"""The command line: one file per command. Commands parse, call, report and choose the exit code; nothing else."""

package main

// fullBacklog is for POSIX systems: Windows refuses what does not fit into the
// backlog.
func fullBacklog() string { panic("stages: full is for POSIX systems") }

package kv

import "errors"

// block fails: nothing that comes with Windows wakes a stopped process up.
func block(int) error { return errors.New("kv: Block is for POSIX systems") }

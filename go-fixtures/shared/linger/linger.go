// Package linger keeps a misbehaving fixture alive without leaving it behind.
package linger

import (
	"os"
	"time"
)

// WhileParentLives comes back when the process's parent has gone. It is no
// `select {}`, which Go's runtime would report as a deadlock, and it does not
// outlive the test that started the process.
func WhileParentLives() {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(250 * time.Millisecond)
	}
}

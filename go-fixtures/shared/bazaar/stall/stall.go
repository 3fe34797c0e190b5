// Package stall has types whose names clash with those of package bazaar.
package stall

import "encoding/gob"

// Order is not bazaar's Order.
type Order struct{ Table int }

// Hidden is reached through bazaar alone.
type Hidden struct{ Depth uint8 }

// Level is a named integer.
type Level int8

const (
	// Low is the least.
	Low Level = iota
	// High is the most.
	High
)

func init() {
	gob.Register(map[string]Order{})
}

//go:build go1.22

package main

import "errors"

func fromBinary(file string, packages, receivers []string) (*Contract, error) {
	return nil, errors.New("not yet")
}

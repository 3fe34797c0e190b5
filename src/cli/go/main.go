//go:build go1.22

// Command contract writes what a peer needs to know of a Go program's net/rpc services, as JSON on the standard
// output. It uses the standard library alone, so that `go run` builds it in any module.
//
//	contract [-receiver NAME]... PACKAGE...
//	contract -binary FILE [-receiver NAME]... [PACKAGE...]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string         { return strings.Join(*l, ",") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

func main() {
	var receivers list
	flag.Var(&receivers, "receiver", "take this receiver only (may be repeated)")
	binary := flag.String("binary", "", "read this executable instead of source")
	flag.Parse()

	var contract *Contract
	var err error
	if *binary != "" {
		contract, err = fromBinary(*binary, flag.Args(), receivers)
	} else {
		contract, err = fromSource(flag.Args(), receivers)
	}
	if err != nil {
		// One line: the reader is a program that shows it to a person.
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	if err := out.Encode(contract); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

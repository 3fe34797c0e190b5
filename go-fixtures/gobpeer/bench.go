package main

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"strings"
	"time"
)

// Person and the values below are made alike in bench/gob/values.ts.
type Person struct {
	Name   string
	Age    int
	Email  string
	Active bool
	Score  float64
}

func person(i int) Person {
	return Person{fmt.Sprintf("Person %d", i), 20 + i%50, fmt.Sprintf("p%d@example.com", i), i%2 == 0, float64(i) * 1.5}
}

func benchValue(name string) (any, func() any) {
	switch name {
	case "person":
		p := person(4321)
		return &p, func() any { return new(Person) }
	case "persons":
		v := make([]Person, 1e4)
		for i := range v {
			v[i] = person(i)
		}
		return &v, func() any { return new([]Person) }
	case "floats":
		v := make([]float64, 1e5)
		for i := range v {
			v[i] = float64(i)*1.1 + 0.1
		}
		return &v, func() any { return new([]float64) }
	case "ints":
		v := make([]int, 1e5)
		for i := range v {
			v[i] = i*7919%(1<<24) - 1<<23
		}
		return &v, func() any { return new([]int) }
	case "map":
		v := map[string]string{}
		for i := 0; i < 1e4; i++ {
			v[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
		}
		return &v, func() any { return new(map[string]string) }
	case "bytes":
		v := make([]byte, 1<<20)
		for i := range v {
			v[i] = byte(i * 31)
		}
		return &v, func() any { return new([]byte) }
	}
	panic("unknown value " + name)
}

// sink takes an encoder's output into a buffer that is new for every value, as a caller who keeps it would.
type sink struct{ buf *bytes.Buffer }

func (s *sink) Write(p []byte) (int, error) { return s.buf.Write(p) }

// bench measures one direction on a warm stream.
func bench(row string, n int) (float64, error) {
	parts := strings.Split(row, ".")
	value, fresh := benchValue(parts[1])
	out := &sink{new(bytes.Buffer)}
	enc := gob.NewEncoder(out)
	if err := enc.Encode(value); err != nil {
		return 0, err
	}
	first := out.buf
	if parts[0] == "encode" {
		start := time.Now()
		for i := 0; i < n; i++ {
			out.buf = new(bytes.Buffer)
			if err := enc.Encode(value); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start).Nanoseconds()) / float64(n), nil
	}
	in := bytes.NewReader(first.Bytes())
	dec := gob.NewDecoder(in)
	if err := dec.Decode(fresh()); err != nil {
		return 0, err
	}
	out.buf = new(bytes.Buffer)
	if err := enc.Encode(value); err != nil {
		return 0, err
	}
	message := out.buf.Bytes()
	start := time.Now()
	for i := 0; i < n; i++ {
		in.Reset(message)
		if err := dec.Decode(fresh()); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n), nil
}

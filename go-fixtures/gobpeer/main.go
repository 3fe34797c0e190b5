// gobpeer is Go's encoding/gob as a process: it reads a JSON request per line and writes a JSON answer per line.
//
//	{"op":"types"}                              -> {"types":[{"name":"...","desc":{...}}]}
//	{"op":"sample","type":"...","seed":1}       -> {"hex":"..."}: a value of a listed type, made from the seed
//	{"op":"check","type":"...","seed":1,"hex"}  -> {"equal":true,"hex":"..."}: decodes, compares with the sample, encodes again
//	{"op":"recode","desc":{...},"hex":"..."}    -> {"hex":"..."}: decodes into a type built from its description, encodes again
//	{"op":"bench","row":"...","n":100}          -> {"ns":123.4}: nanoseconds an operation
//
// An answer may be {"error":"..."} instead.
package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

type request struct {
	Op   string `json:"op"`
	Type string `json:"type"`
	Seed int64  `json:"seed"`
	Hex  string `json:"hex"`
	Desc *desc  `json:"desc"`
	Row  string `json:"row"`
	N    int    `json:"n"`
}

type answer struct {
	Types []typeEntry `json:"types,omitempty"`
	Hex   string      `json:"hex,omitempty"`
	Equal *bool       `json:"equal,omitempty"`
	Got   string      `json:"got,omitempty"`
	Want  string      `json:"want,omitempty"`
	Ns    float64     `json:"ns,omitempty"`
	Error string      `json:"error,omitempty"`
}

func encode(v reflect.Value) (string, error) {
	var out bytes.Buffer
	// By address: types whose methods have pointer receivers cannot be sent otherwise.
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	if err := gob.NewEncoder(&out).EncodeValue(p); err != nil {
		return "", err
	}
	return hex.EncodeToString(out.Bytes()), nil
}

func decode(t reflect.Type, text string) (reflect.Value, error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return reflect.Value{}, err
	}
	p := reflect.New(t)
	err = gob.NewDecoder(bytes.NewReader(raw)).DecodeValue(p)
	return p.Elem(), err
}

// normal is a sample as it arrives: what gob does not keep (nil against empty, pointers to zero) is gone from it.
func normal(t reflect.Type, seed int64) (reflect.Value, error) {
	text, err := encode(sample(t, seed))
	if err != nil {
		return reflect.Value{}, err
	}
	return decode(t, text)
}

func serve(r request) (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	switch r.Op {
	case "types":
		for _, t := range listed {
			a.Types = append(a.Types, typeEntry{t.name, describe(t.t, map[reflect.Type]bool{})})
		}
	case "sample":
		a.Hex, err = encode(sample(byName(r.Type), r.Seed))
	case "check":
		t := byName(r.Type)
		want, err := normal(t, r.Seed)
		if err != nil {
			return a, err
		}
		got, err := decode(t, r.Hex)
		if err != nil {
			return a, err
		}
		equal := reflect.DeepEqual(got.Interface(), want.Interface())
		a.Equal = &equal
		if !equal {
			a.Got = fmt.Sprintf("%+v", got.Interface())
			a.Want = fmt.Sprintf("%+v", want.Interface())
		}
		a.Hex, err = encode(got)
		return a, err
	case "recode":
		var v reflect.Value
		if v, err = decode(build(r.Desc), r.Hex); err == nil {
			a.Hex, err = encode(v)
		}
	case "bench":
		a.Ns, err = bench(r.Row, r.N)
	default:
		err = fmt.Errorf("unknown op %q", r.Op)
	}
	return a, err
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var r request
			var a answer
			e := json.Unmarshal(line, &r)
			if e == nil {
				a, e = serve(r)
			}
			if e != nil {
				a = answer{Error: e.Error()}
			}
			enc.Encode(a)
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

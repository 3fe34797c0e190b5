// hpackpeer is Go's golang.org/x/net/http2/hpack as a process, one encoder and one decoder for its life: it reads a
// JSON request per line and writes a JSON answer per line.
//
//	{"op":"encode","fields":[["name","value"],…]}  -> {"hex":"…"}
//	{"op":"decode","hex":"…"}                      -> {"fields":[["name","value"],…]}
//	{"op":"size","size":1024}                      -> {}: the encoder's table from now on
//	{"op":"limit","size":1024}                     -> {}: the decoder allows no larger table from now on
//
// Strings are hexadecimal. An answer may be {"error":"…"} instead.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"

	"golang.org/x/net/http2/hpack"
)

type request struct {
	Op     string      `json:"op"`
	Fields [][2]string `json:"fields"`
	Hex    string      `json:"hex"`
	Size   uint32      `json:"size"`
}

type answer struct {
	Fields [][2]string `json:"fields,omitempty"`
	Hex    string      `json:"hex,omitempty"`
	Error  string      `json:"error,omitempty"`
}

func main() {
	var encoded bytes.Buffer
	encoder := hpack.NewEncoder(&encoded)
	decoder := hpack.NewDecoder(4096, nil)
	text := func(s string) string {
		raw, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return string(raw)
	}
	handle := func(r request) (a answer) {
		switch r.Op {
		case "encode":
			encoded.Reset()
			for _, field := range r.Fields {
				f := hpack.HeaderField{Name: text(field[0]), Value: text(field[1])}
				if err := encoder.WriteField(f); err != nil {
					return answer{Error: err.Error()}
				}
			}
			a.Hex = hex.EncodeToString(encoded.Bytes())
		case "decode":
			fields, err := decoder.DecodeFull([]byte(text(r.Hex)))
			if err != nil {
				return answer{Error: err.Error()}
			}
			for _, f := range fields {
				a.Fields = append(a.Fields, [2]string{
					hex.EncodeToString([]byte(f.Name)), hex.EncodeToString([]byte(f.Value)),
				})
			}
		case "size":
			encoder.SetMaxDynamicTableSize(r.Size)
		case "limit":
			decoder.SetAllowedMaxDynamicTableSize(r.Size)
		default:
			a.Error = "unknown op " + r.Op
		}
		return a
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}
		if err := out.Encode(handle(r)); err != nil {
			panic(err)
		}
	}
}

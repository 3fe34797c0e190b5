package main

import (
	"encoding"
	"encoding/gob"
	"fmt"
	"math/big"
	"reflect"
)

// strictMaps: a nil map and an empty one are not the same.
var strictMaps bool

var (
	gobEncoder      = typeOf[gob.GobEncoder]()
	binaryMarshaler = typeOf[encoding.BinaryMarshaler]()
)

func marshalsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(gobEncoder) || p.Implements(binaryMarshaler)
}

// differ says where two values differ first, "" when they do not.
func differ(want, got reflect.Value, path string) string {
	if want.Kind() != got.Kind() || want.IsValid() && want.Type() != got.Type() {
		return fmt.Sprintf("%s: want %s, got %s", path, describe(want), describe(got))
	}
	if !want.IsValid() {
		return ""
	}
	different := func() string { return fmt.Sprintf("%s: want %s, got %s", path, describe(want), describe(got)) }
	if want.Type() == typeOf[big.Rat]() {
		// A zero one is written in two ways.
		a, b := want.Interface().(big.Rat), got.Interface().(big.Rat)
		if a.Cmp(&b) != 0 {
			return different()
		}
		return ""
	}
	if marshalsItself(want.Type()) && want.CanInterface() {
		if !reflect.DeepEqual(want.Interface(), got.Interface()) {
			return different()
		}
		return ""
	}
	switch want.Kind() {
	case reflect.Pointer, reflect.Interface:
		if want.IsNil() != got.IsNil() {
			return different()
		}
		return differ(want.Elem(), got.Elem(), path)
	case reflect.Struct:
		for i := 0; i < want.NumField(); i++ {
			if field := want.Type().Field(i); field.IsExported() {
				if d := differ(want.Field(i), got.Field(i), path+"."+field.Name); d != "" {
					return d
				}
			}
		}
	case reflect.Slice, reflect.Array:
		if want.Len() != got.Len() || want.Kind() == reflect.Slice && want.IsNil() != got.IsNil() {
			return different()
		}
		for i := 0; i < want.Len(); i++ {
			if d := differ(want.Index(i), got.Index(i), fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
	case reflect.Map:
		if want.Len() != got.Len() || strictMaps && want.IsNil() != got.IsNil() {
			return different()
		}
		for _, key := range want.MapKeys() {
			if d := differ(want.MapIndex(key), got.MapIndex(key), fmt.Sprintf("%s[%v]", path, key)); d != "" {
				return d
			}
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
	default:
		if want.CanInterface() && !reflect.DeepEqual(want.Interface(), got.Interface()) {
			return different()
		}
	}
	return ""
}

func describe(v reflect.Value) string {
	if !v.IsValid() {
		return "nothing"
	}
	text := fmt.Sprintf("%#v", v)
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return fmt.Sprintf("%s %s", v.Type(), text)
}

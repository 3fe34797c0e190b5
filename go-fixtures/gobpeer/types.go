package main

import (
	"encoding/gob"
	"fmt"
	"math/big"
	"math/rand"
	"net/netip"
	"net/url"
	"reflect"
	"testing/quick"
	"time"
)

// desc describes a type: kind is Go's reflect.Kind, or "custom" for a type that marshals itself, or "ref" for a named
// type that is described further out.
type desc struct {
	Kind   string  `json:"kind"`
	Name   string  `json:"name,omitempty"`
	Key    *desc   `json:"key,omitempty"`
	Elem   *desc   `json:"elem,omitempty"`
	Len    int     `json:"len,omitempty"`
	Fields []field `json:"fields,omitempty"`
}

type field struct {
	Name string `json:"name"`
	Type *desc  `json:"type"`
}

type typeEntry struct {
	Name string `json:"name"`
	Desc *desc  `json:"desc"`
}

type listedType struct {
	name string
	t    reflect.Type
}

type (
	Point struct{ X, Y int }
	Inner struct {
		A int
		S string
	}
	Weekday int
	Label   string
	Blob    []byte
	Grid    [][]int16
	Table   map[string][]float64
	Base    struct {
		ID   int64
		Name string
	}
	Embedding struct {
		Base
		*Inner
		Extra string
	}
	Deep struct {
		L   []map[string][]Inner
		M   map[int8][2]Point
		P   ***int
		PS  *[]string
		Arr [2][3]uint8
		In  struct{ Z complex64 }
	}
	List struct {
		V    int
		Next *List
	}
	Tree struct {
		Name string
		Kids []Tree
		By   map[string]*Tree
	}
	Hidden struct {
		A      int
		secret string
		F      func()
		C      chan int
		B      string
	}
	Empty  struct{}
	WithIn struct {
		N string
		V any
		W any
		Z int
	}
	Named struct {
		W Weekday
		L Label
		B Blob
		G Grid
		T Table
		D time.Duration
	}
	Stamps struct {
		At  time.Time
		Ptr *time.Time
		L   []time.Time
		M   map[string]time.Time
	}
	Bigs struct {
		I  *big.Int
		V  big.Int
		R  *big.Rat
		F  *big.Float
		Is []*big.Int
	}
	Nets struct {
		U *url.URL
		A netip.Addr
		L []netip.Addr
	}
)

var scalars = []any{
	false, int(0), int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), uintptr(0),
	float32(0), float64(0), complex64(0), complex128(0), "",
}

var listed []listedType

func list(t reflect.Type) { listed = append(listed, listedType{t.String(), t}) }

func init() {
	text := reflect.TypeOf("")
	for _, s := range scalars {
		t := reflect.TypeOf(s)
		list(t)
		list(reflect.SliceOf(t))
		list(reflect.ArrayOf(3, t))
		list(reflect.MapOf(text, t))
		list(reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: t}, {Name: "P", Type: reflect.PointerTo(t)}, {Name: "L", Type: reflect.SliceOf(reflect.SliceOf(t))},
		}))
		if t.Kind() != reflect.String {
			list(reflect.MapOf(t, text))
		}
	}
	for _, v := range []any{
		Point{}, Inner{}, Weekday(0), Label(""), Blob{}, Grid{}, Table{}, Base{}, Embedding{}, Deep{}, List{}, Tree{},
		Hidden{}, Empty{}, WithIn{}, Named{}, Stamps{}, Bigs{}, Nets{}, time.Time{}, big.Int{}, url.URL{}, netip.Addr{},
		time.Duration(0), []Point{}, []*Point{}, [2]Inner{}, map[string]Point{}, map[Point]string{}, map[[2]int8]*Inner{},
		[]any{}, map[string]any{}, [][]Tree{}, struct{}{}, []struct{}{},
	} {
		list(reflect.TypeOf(v))
	}
	gob.Register(Point{})
	gob.Register(&Inner{})
	gob.Register(Weekday(0))
	gob.Register(time.Time{})
	gob.Register([]any{})
	gob.Register(map[string]any{})
	gob.RegisterName("tree/name", Tree{})
}

func byName(name string) reflect.Type {
	for _, l := range listed {
		if l.name == name {
			return l.t
		}
	}
	panic(fmt.Sprintf("unknown type %q", name))
}

var custom = map[reflect.Type]bool{
	reflect.TypeOf(time.Time{}): true, reflect.TypeOf(big.Int{}): true, reflect.TypeOf(big.Rat{}): true,
	reflect.TypeOf(big.Float{}): true, reflect.TypeOf(url.URL{}): true, reflect.TypeOf(netip.Addr{}): true,
}

func fullName(t reflect.Type) string {
	if t.Name() == "" || t.PkgPath() == "" {
		return ""
	}
	return t.PkgPath() + "." + t.Name()
}

func describe(t reflect.Type, open map[reflect.Type]bool) *desc {
	d := &desc{Kind: t.Kind().String(), Name: fullName(t)}
	if custom[t] {
		d.Kind = "custom"
		return d
	}
	if d.Name != "" && open[t] {
		d.Kind = "ref"
		return d
	}
	open[t] = true
	defer delete(open, t)
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		d.Elem = describe(t.Elem(), open)
	case reflect.Array:
		d.Elem, d.Len = describe(t.Elem(), open), t.Len()
	case reflect.Map:
		d.Key, d.Elem = describe(t.Key(), open), describe(t.Elem(), open)
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			if k := f.Type.Kind(); f.IsExported() && k != reflect.Func && k != reflect.Chan {
				d.Fields = append(d.Fields, field{f.Name, describe(f.Type, open)})
			}
		}
	}
	return d
}

var byKind = map[string]reflect.Type{"interface": reflect.TypeOf((*any)(nil)).Elem()}

func init() {
	for _, s := range scalars {
		byKind[reflect.TypeOf(s).String()] = reflect.TypeOf(s)
	}
}

// build is the unnamed type of a description.
func build(d *desc) reflect.Type {
	switch d.Kind {
	case "slice":
		return reflect.SliceOf(build(d.Elem))
	case "ptr":
		return reflect.PointerTo(build(d.Elem))
	case "array":
		return reflect.ArrayOf(d.Len, build(d.Elem))
	case "map":
		return reflect.MapOf(build(d.Key), build(d.Elem))
	case "struct":
		fields := []reflect.StructField{}
		for _, f := range d.Fields {
			fields = append(fields, reflect.StructField{Name: f.Name, Type: build(f.Type)})
		}
		return reflect.StructOf(fields)
	case "custom":
		return reflect.TypeOf(time.Time{})
	}
	if t, ok := byKind[d.Kind]; ok {
		return t
	}
	panic("cannot build " + d.Kind)
}

// sample makes a value of a type from a seed. Seed 0 is the zero value where gob can send it.
func sample(t reflect.Type, seed int64) reflect.Value {
	r := rand.New(rand.NewSource(seed))
	v := reflect.New(t).Elem()
	if seed != 0 {
		fill(v, r, 0)
	} else if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		v.Set(reflect.Zero(t))
	}
	return v
}

func fill(v reflect.Value, r *rand.Rand, depth int) {
	t := v.Type()
	if custom[t] {
		v.Set(reflect.ValueOf(customSample(t, r)).Elem())
		return
	}
	switch t.Kind() {
	case reflect.Interface:
		if pick := anySample(r, depth); pick != nil {
			v.Set(reflect.ValueOf(pick))
		}
	case reflect.Pointer:
		if depth < 6 && r.Intn(4) > 0 || depth == 0 {
			p := reflect.New(t.Elem())
			fill(p.Elem(), r, depth+1)
			v.Set(p)
		}
	case reflect.Slice:
		n := r.Intn(4)
		if depth > 5 {
			n = 0
		}
		s := reflect.MakeSlice(t, n, n)
		for i := 0; i < n; i++ {
			element(s.Index(i), r, depth+1)
		}
		v.Set(s)
	case reflect.Array:
		for i := 0; i < t.Len(); i++ {
			element(v.Index(i), r, depth+1)
		}
	case reflect.Map:
		n := r.Intn(4)
		if depth > 5 {
			n = 0
		}
		v.Set(reflect.MakeMap(t))
		for i := 0; i < n; i++ {
			k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			element(k, r, depth+1)
			element(e, r, depth+1)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if f := t.Field(i); f.IsExported() && f.Type.Kind() != reflect.Func && f.Type.Kind() != reflect.Chan {
				fill(v.Field(i), r, depth+1)
			}
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.Intn(64) >> (64 - t.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(r.Uint64() >> r.Intn(64) >> (64 - t.Bits()))
	default:
		q, ok := quick.Value(t, r)
		if !ok {
			panic("no sample of " + t.String())
		}
		v.Set(q)
	}
}

// element is fill for what gob refuses to send as nil: the elements of containers.
func element(v reflect.Value, r *rand.Rand, depth int) {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		element(p.Elem(), r, depth)
		v.Set(p)
		return
	}
	fill(v, r, depth)
}

func anySample(r *rand.Rand, depth int) any {
	if depth > 5 {
		return nil
	}
	switch r.Intn(12) {
	case 0:
		return nil
	case 1:
		return Point{r.Intn(9), -1}
	case 2:
		return &Inner{r.Intn(9), "in"}
	case 3:
		return Weekday(r.Intn(7))
	case 4:
		return []any{r.Intn(5), "s", nil, Point{1, 2}, []byte{1, 2}}
	case 5:
		return map[string]any{"k": Tree{Name: "t", Kids: []Tree{{Name: "u"}}}}
	case 6:
		return *customSample(reflect.TypeOf(time.Time{}), r).(*time.Time)
	case 7:
		return []string{"a", ""}
	}
	t := reflect.TypeOf(scalars[r.Intn(len(scalars))])
	v := reflect.New(t).Elem()
	fill(v, r, depth+1)
	return v.Interface()
}

func customSample(t reflect.Type, r *rand.Rand) any {
	switch t.String() {
	case "time.Time":
		zones := []*time.Location{time.UTC, time.FixedZone("", 3600*(r.Intn(25)-12)), time.FixedZone("", 1234)}
		at := time.Unix(r.Int63n(1<<35)-1<<34, r.Int63n(1e9)).In(zones[r.Intn(3)])
		return &at
	case "big.Int":
		i := new(big.Int).Rand(r, new(big.Int).Lsh(big.NewInt(1), uint(r.Intn(200)+1)))
		if r.Intn(2) == 0 {
			i.Neg(i)
		}
		return i
	case "big.Rat":
		return big.NewRat(r.Int63()-r.Int63(), r.Int63()+1)
	case "big.Float":
		return new(big.Float).SetPrec(uint(r.Intn(200) + 1)).SetFloat64(r.NormFloat64())
	case "url.URL":
		u, _ := url.Parse(fmt.Sprintf("https://user@example.com:%d/a%%20b?q=%d#f", r.Intn(9999), r.Intn(99)))
		return u
	case "netip.Addr":
		all := []string{"192.0.2.1", "::1", "2001:db8::1:0:0:1", "::ffff:1.2.3.4", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "::"}
		a := netip.MustParseAddr(all[r.Intn(len(all))])
		return &a
	}
	panic("no sample of " + t.String())
}

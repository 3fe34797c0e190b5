package main

import (
	"crypto/x509"
	"fmt"
	"math"
	"math/big"
	"math/rand"
	"net/netip"
	"net/url"
	"reflect"
	"sort"
	"time"
)

// A style is a kind of values.
type style int

const (
	zero style = iota
	// empty: nothing is nil, and everything is zero or empty.
	empty
	// distinct: no two numbers or texts are the same.
	distinct
	// extreme: the ends of the ranges.
	extreme
	// Mixed ones, with nil and zero between others.
	mixed1
	mixed2
	mixed3
	styles
)

var (
	// safeInt64: no integer is beyond what a JavaScript number holds.
	safeInt64 bool
	// plainNumbers: interfaces hold numbers of Go's builtin types, too.
	plainNumbers bool
)

// custom makes values of types whose fields cannot be set; more are added for single contracts.
var custom = map[reflect.Type]func(n int64) any{
	typeOf[time.Time](): func(n int64) any {
		zones := []*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -5*3600-1800)}
		return time.Unix(n*1_000_003, n%1_000_000_000).In(zones[n%3])
	},
	typeOf[big.Int]():   func(n int64) any { return *new(big.Int).Exp(big.NewInt(-n-2), big.NewInt(61), nil) },
	typeOf[big.Rat]():   func(n int64) any { return *big.NewRat(-n-1, n+2) },
	typeOf[big.Float](): func(n int64) any { return *big.NewFloat(float64(n) + 0.25) },
	typeOf[url.URL](): func(n int64) any {
		u, err := url.Parse(fmt.Sprintf("https://user:pass@example.com:8443/a%%2Fb/%d?q=%d&r=%%20#f", n, n))
		if err != nil {
			panic(err)
		}
		return *u
	},
	typeOf[x509.OID](): func(n int64) any {
		oid, err := x509.OIDFromInts([]uint64{1, 2, 840, uint64(n)})
		if err != nil {
			panic(err)
		}
		return oid
	},
	typeOf[netip.Addr](): func(n int64) any { return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}) },
}

// A variant is a way to make a method's argument and reply.
type variant struct {
	style style
	// candidate is which of the registered types stands in an interface that is the whole value.
	candidate int
}

// variants are all styles, and where an interface is the whole argument or reply, all of them for each type that can stand in it.
func variants(m method) []variant {
	candidates := 1
	for _, t := range []reflect.Type{m.arg, m.reply} {
		if t.Kind() == reflect.Interface {
			candidates = max(candidates, len((&filler{}).candidates(t, 0)))
		}
	}
	var all []variant
	for s := zero; s < styles; s++ {
		for i := 0; i < candidates; i++ {
			all = append(all, variant{s, i})
		}
	}
	return all
}

type filler struct {
	variant
	n      int64
	random *rand.Rand
	budget int
	seen   map[reflect.Type]bool
	// open counts the types around the value that is being filled, so that those that contain themselves end.
	open map[reflect.Type]int
}

// sample makes an addressable value; an error says that Go itself cannot send it.
func sample(t reflect.Type, of variant, seen map[reflect.Type]bool) (reflect.Value, error) {
	f := &filler{variant: of, random: rand.New(rand.NewSource(int64(of.style))), budget: 20_000, seen: seen, open: map[reflect.Type]int{}}
	v := reflect.New(t).Elem()
	if of.style != zero {
		f.fill(v, 0)
	}
	_, err := throughGo(v)
	return v, err
}

func (f *filler) next() int64 {
	f.n++
	return f.n
}

// leave says whether a place stays zero.
func (f *filler) leave() bool {
	return f.style >= mixed1 && f.random.Intn(4) == 0
}

func (f *filler) fill(v reflect.Value, depth int) {
	t := v.Type()
	f.budget--
	if f.budget < 0 || f.open[t] > 1 || depth > 0 && f.leave() {
		return
	}
	if t.Name() != "" {
		f.seen[t] = true
	}
	if make, ok := custom[t]; ok {
		if f.style != empty {
			v.Set(reflect.ValueOf(make(f.next())))
		}
		return
	}
	f.open[t]++
	defer func() { f.open[t]-- }()
	switch v.Kind() {
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if field := v.Field(i); field.CanSet() {
				f.fill(field, depth+1)
			}
		}
	case reflect.Pointer:
		if depth > 0 && f.open[t.Elem()] > 1 {
			return
		}
		v.Set(reflect.New(t.Elem()))
		f.fill(v.Elem(), depth+1)
	case reflect.Slice:
		n := f.length(t.Elem(), depth)
		v.Set(reflect.MakeSlice(t, n, n))
		for i := 0; i < n; i++ {
			f.element(v.Index(i), depth)
		}
	case reflect.Array:
		for i := 0; i < v.Len(); i++ {
			f.element(v.Index(i), depth)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		for i := f.length(t.Elem(), depth); i > 0; i-- {
			key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			f.element(key, depth)
			f.element(elem, depth)
			v.SetMapIndex(key, elem)
		}
	case reflect.Interface:
		f.fillInterface(v, depth)
	default:
		if f.style != empty {
			f.scalar(v)
		}
	}
}

// element fills what must not be a nil pointer.
func (f *filler) element(v reflect.Value, depth int) {
	f.fill(v, depth+1)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
}

func (f *filler) length(elem reflect.Type, depth int) int {
	for elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	switch {
	case f.style == empty || f.open[elem] > 1:
		return 0
	case elem.Kind() == reflect.Uint8:
		return 300
	case depth > 3:
		return 1
	}
	return 2
}

func (f *filler) fillInterface(v reflect.Value, depth int) {
	if f.style == empty {
		return
	}
	candidates := f.candidates(v.Type(), depth)
	if len(candidates) == 0 || depth > 12 {
		return
	}
	pick := int(f.next())
	if depth == 0 {
		pick = f.candidate
	}
	of := reflect.New(candidates[pick%len(candidates)]).Elem()
	// Neither nil in an interface nor what lies under it: gob would not send it.
	f.element(of, depth)
	if of.Kind() == reflect.Map && of.IsNil() {
		of.Set(reflect.MakeMap(of.Type()))
	}
	v.Set(of)
}

// candidates are the types that can stand in an interface: what is registered, in an order that does not change. A number that is the
// whole value does not know its Go type in JavaScript, and so cannot be handed on without being given one.
func (f *filler) candidates(t reflect.Type, depth int) []reflect.Type {
	names := []string{}
	found := map[string]reflect.Type{}
	registered.Range(func(key, value any) bool {
		name, of := key.(string), value.(reflect.Type)
		builtin := of.PkgPath() == "" && of.Name() != "" || of.Kind() == reflect.Slice && of.Elem().PkgPath() == "" && of.Elem().Name() != ""
		if depth == 0 && isNumber(of.Kind()) {
			return true
		}
		if of.Implements(t) && f.open[of] < 2 && (builtin || registrations[name]) && (!builtin || plainNumbers || of.Kind() == reflect.String || of.Kind() == reflect.Bool) {
			names = append(names, name)
			found[name] = of
		}
		return true
	})
	sort.Strings(names)
	types := make([]reflect.Type, len(names))
	for i, name := range names {
		types[i] = found[name]
	}
	return types
}

func isNumber(k reflect.Kind) bool {
	return reflect.Int <= k && k <= reflect.Complex128
}

const mostExact = 1<<53 - 1

func (f *filler) scalar(v reflect.Value) {
	n := f.next()
	high := n%2 == 0
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		switch {
		case f.style != extreme:
			v.SetString(fmt.Sprintf("text %d", n))
		case high:
			v.SetString("\ufeff \U0001F600 \u2028 \x00 \" \\ " + fmt.Sprint(n))
		default:
			v.SetString(string(make([]byte, 2000)))
		}
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n) + 0.5)
		if f.style == extreme {
			extremes := []float64{math.MaxFloat32, -math.MaxFloat32, math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat32}
			if v.Kind() == reflect.Float64 {
				extremes = append(extremes, math.MaxFloat64, math.SmallestNonzeroFloat64, -math.Pi)
			}
			v.SetFloat(extremes[int(n)%len(extremes)])
		}
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(n), -float64(n)/2))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits()
		most, least := int64(1)<<(bits-1)-1, int64(-1)<<(bits-1)
		if v.Kind() == reflect.Int || v.Kind() == reflect.Int64 && safeInt64 {
			most, least = mostExact, -mostExact
		}
		switch {
		case f.style != extreme:
			v.SetInt(n % 127)
			if bits > 8 {
				v.SetInt(n)
			}
		case high:
			v.SetInt(most)
		default:
			v.SetInt(least)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		bits := v.Type().Bits()
		most := uint64(math.MaxUint64) >> (64 - bits)
		if v.Kind() == reflect.Uint || v.Kind() == reflect.Uint64 && safeInt64 {
			most = mostExact
		}
		v.SetUint(most - uint64(n%100))
		if f.style != extreme {
			v.SetUint(uint64(n) % 255)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"net/rpc"
	"time"
)

type (
	Args  struct{ A, B int }
	Reply struct{ C int }

	Arith        struct{}
	hidden       struct{}
	Embed        struct{ hidden }
	BuiltinTypes struct{}
)

func newServer() *rpc.Server {
	s := rpc.NewServer()
	for _, err := range []error{
		s.Register(&Arith{}),
		s.RegisterName("net.rpc.Arith", &Arith{}),
		s.RegisterName("newServer.Arith", &Arith{}),
		s.Register(&Embed{}),
		s.Register(&BuiltinTypes{}),
	} {
		if err != nil {
			fail(err)
		}
	}
	return s
}

func (*Arith) Add(args Args, reply *Reply) error {
	reply.C = args.A + args.B
	return nil
}

func (*Arith) Mul(args *Args, reply *Reply) error {
	reply.C = args.A * args.B
	return nil
}

func (*Arith) Div(args Args, reply *Reply) error {
	if args.B == 0 {
		return errors.New("divide by zero")
	}
	reply.C = args.A / args.B
	return nil
}

func (*Arith) String(args *Args, reply *string) error {
	*reply = fmt.Sprintf("%d+%d=%d", args.A, args.B, args.A+args.B)
	return nil
}

func (*Arith) Scan(args string, reply *Reply) error {
	_, err := fmt.Sscan(args, &reply.C)
	return err
}

func (*Arith) SleepMilli(args *Args, reply *Reply) error {
	time.Sleep(time.Duration(args.A) * time.Millisecond)
	reply.C = args.A
	return nil
}

func (*Arith) Error(_ *Args, _ *Reply) error { panic("ERROR") }

func (*Arith) Fail(text string, _ *Reply) error { return errors.New(text) }

func (*Arith) Echo(in []byte, out *[]byte) error {
	*out = in
	return nil
}

func (*Arith) Nothing(_ any, _ *any) error { return nil }

func (*hidden) Exported(args Args, reply *Reply) error {
	reply.C = args.A + args.B
	return nil
}

func (*BuiltinTypes) Map(args *Args, reply *map[int]int) error {
	(*reply)[args.A] = args.B
	return nil
}

func (*BuiltinTypes) Slice(args *Args, reply *[]int) error {
	*reply = append(*reply, args.A, args.B)
	return nil
}

func (*BuiltinTypes) Array(args *Args, reply *[2]int) error {
	*reply = [2]int{args.A, args.B}
	return nil
}

// largefields calls an interoperability server on a port of this machine with large texts and metadata, and prints a
// line a case: what came of it. After each case a plain call on the same connection must work.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	initialKey  = "x-grpc-test-echo-initial"
	trailingKey = "x-grpc-test-echo-trailing-bin"
)

func main() {
	conn, err := grpc.NewClient("passthrough:///127.0.0.1:"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	client := testgrpc.NewTestServiceClient(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	fails := func(size int) func() {
		return func() {
			text := strings.Repeat("x", size)
			_, err := client.UnaryCall(ctx, &testpb.SimpleRequest{
				ResponseStatus: &testpb.EchoStatus{Code: 2, Message: text},
			}, grpc.MaxCallSendMsgSize(64<<20))
			s := status.Convert(err)
			if len(s.Message()) < 500 {
				fmt.Printf("(%s) ", s.Message())
			}
			fmt.Printf("code %d, the text is there: %t", s.Code(), s.Message() == text)
		}
	}
	echoes := func(pairs ...string) func() {
		return func() {
			var header, trailer metadata.MD
			out := metadata.NewOutgoingContext(ctx, metadata.Pairs(pairs...))
			_, err := client.UnaryCall(out, &testpb.SimpleRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
			length := 0
			for _, value := range append(header[initialKey], trailer[trailingKey]...) {
				length += len(value)
			}
			fmt.Printf("code %d, %d bytes came back", status.Code(err), length)
		if err != nil {
			fmt.Printf(" (%v)", err)
		}
		}
	}
	many := make([]string, 0, 4000)
	for i := 0; i < 2000; i++ {
		many = append(many, fmt.Sprintf("x-%d", i), fmt.Sprintf("value %d", i))
	}
	cases := []struct {
		name string
		run  func()
	}{
		{"a text of 10 MB", fails(10_000_000)},
		{"a text of 20 MB", fails(20_000_000)},
		{"a header of 200 KB", echoes(initialKey, strings.Repeat("h", 200_000))},
		{"a trailer of 1 MB", echoes(trailingKey, strings.Repeat("t", 1_000_000))},
		{"2,000 fields", echoes(append(many, initialKey, "all")...)},
		{"a header of 17 MB", echoes(initialKey, strings.Repeat("h", 17_000_000))},
	}
	for _, c := range cases {
		fmt.Printf("%s: ", c.name)
		c.run()
		if _, err := client.EmptyCall(ctx, &testpb.Empty{}); err != nil {
			fmt.Printf("; the next call failed: %v", err)
		}
		fmt.Println()
	}
}

// callpeer is a client of grpc-go for servers that break the rules: for each line with a port and a deadline in milliseconds it
// makes one unary call on a connection of its own, and prints the status code that it ends with.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func call(port string, limit time.Duration) uint32 {
	conn, err := grpc.NewClient("passthrough:///127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, err = testgrpc.NewTestServiceClient(conn).EmptyCall(ctx, &testgrpc.Empty{})
	if os.Getenv("VERBOSE") != "" {
		log.Print(err)
	}
	return uint32(status.Code(err))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var port string
		var milliseconds int
		if _, err := fmt.Sscan(lines.Text(), &port, &milliseconds); err != nil {
			log.Fatal(err)
		}
		fmt.Println(call(port, time.Duration(milliseconds)*time.Millisecond))
	}
}

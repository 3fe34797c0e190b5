package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvgrpc"
	"example.com/goplug/fixtures/shared/pattern"
)

// messages is how many a streaming call carries.
const messages = 5000

// workload is what is measured again and again.
type workload struct {
	inFlight int
	// size is that of the value under "bench", and of messages.
	size int
	// units is what one call counts as.
	units int
	call  func() error
}

func workloadOf(raw any, mode string, size int) (*workload, error) {
	store := raw.(kv.Store)
	w := &workload{inFlight: 1, size: size, units: 1}
	get := func() error {
		v, err := store.Get("bench")
		return checkLength(int64(len(v)), int64(w.size), err)
	}
	var payload []byte
	echo := func() error {
		v, err := raw.(*kv.Client).Echo(payload)
		return checkLength(int64(len(v)), int64(w.size), err)
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(mode, "inflight")); err == nil {
		w.inFlight, w.call = n, get
		payload = pattern.Bytes(w.size)
		return w, nil
	}
	switch mode {
	case "sequential":
		w.call = get
	case "get1MiB":
		w.size, w.call = 1<<20, get
	case "put1MiB":
		w.size, w.call = 1<<20, func() error { return store.Put("bench", payload) }
	case "echo64k":
		w.size, w.call = 1<<16, echo
	case "echo":
		w.call = echo
	case "stream.down":
		w.units, w.call = messages, func() error { return down(raw.(*kvgrpc.Client).Stream, size) }
	case "stream.up":
		w.units, w.call = messages, func() error { return up(raw.(*kvgrpc.Client).Stream, payload) }
	default:
		return nil, fmt.Errorf("unknown mode %q", mode)
	}
	payload = pattern.Bytes(w.size)
	return w, nil
}

func down(client fixturepb.StreamClient, size int) error {
	all := int64(messages * size)
	stream, err := client.Source(context.Background(), &fixturepb.SourceRequest{Bytes: all, Chunk: int32(size)})
	if err != nil {
		return err
	}
	n := int64(0)
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return checkLength(n, all, nil)
		}
		if err != nil {
			return err
		}
		n += int64(len(chunk.Data))
	}
}

func up(client fixturepb.StreamClient, payload []byte) error {
	stream, err := client.Count(context.Background())
	if err != nil {
		return err
	}
	chunk := &fixturepb.Chunk{Data: payload}
	for range messages {
		if err := stream.Send(chunk); err != nil {
			return err
		}
	}
	reply, err := stream.CloseAndRecv()
	return checkLength(reply.GetBytes(), int64(messages*len(payload)), err)
}

func checkLength(n, want int64, err error) error {
	if err == nil && n != want {
		err = fmt.Errorf("an answer of %d bytes instead of %d", n, want)
	}
	return err
}

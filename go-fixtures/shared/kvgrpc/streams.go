package kvgrpc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/pattern"
)

const defaultChunk = 1 << 16

func writeLines(n int, reply *int) error {
	for i := range n {
		if _, err := fmt.Fprintf(os.Stdout, "out %d\n", i); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(os.Stderr, "err %d\n", i); err != nil {
			return err
		}
	}
	*reply = n
	return nil
}

type streams struct {
	fixturepb.UnimplementedStreamServer
}

func (streams) Source(in *fixturepb.SourceRequest, s fixturepb.Stream_SourceServer) error {
	size := int64(in.Chunk)
	if size <= 0 {
		size = defaultChunk
	}
	for done := int64(0); done < in.Bytes; done += size {
		b := make([]byte, min(size, in.Bytes-done))
		pattern.Fill(b, int(done))
		if err := s.Send(&fixturepb.Chunk{Data: b}); err != nil {
			return err
		}
	}
	if in.Stay {
		<-s.Context().Done()
	}
	return status.Error(codes.Code(in.Code), in.Text)
}

func (streams) Sink(s fixturepb.Stream_SinkServer) error {
	hash := sha256.New()
	n, err := drain(s.Recv, func(data []byte) { _, _ = hash.Write(data) })
	if err != nil {
		return err
	}
	return s.SendAndClose(&fixturepb.SinkReply{Bytes: n, Sha256: hex.EncodeToString(hash.Sum(nil))})
}

func (streams) Count(s fixturepb.Stream_CountServer) error {
	n, err := drain(s.Recv, func([]byte) {})
	if err != nil {
		return err
	}
	return s.SendAndClose(&fixturepb.SinkReply{Bytes: n})
}

// drain reads to the end and returns the number of bytes.
func drain(receive func() (*fixturepb.Chunk, error), each func([]byte)) (int64, error) {
	n := int64(0)
	for {
		chunk, err := receive()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += int64(len(chunk.Data))
		each(chunk.Data)
	}
}

func (streams) Mirror(s fixturepb.Stream_MirrorServer) error {
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(chunk); err != nil {
			return err
		}
	}
}

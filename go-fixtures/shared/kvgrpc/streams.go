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
	hash, n := sha256.New(), 0
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&fixturepb.SinkReply{Bytes: int64(n), Sha256: hex.EncodeToString(hash.Sum(nil))})
		}
		if err != nil {
			return err
		}
		n += len(chunk.Data)
		_, _ = hash.Write(chunk.Data)
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

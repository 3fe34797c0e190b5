package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

func init() {
	addGRPC("all", "store", "health", "the health service: \"plugin\" is SERVING, an unknown name NOT_FOUND", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			health := grpc_health_v1.NewHealthClient(c)
			reply, err := call(health.Check, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
			if err != nil || reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
				return fmt.Errorf("plugin: %v, %v", reply, err)
			}
			_, err = call(health.Check, &grpc_health_v1.HealthCheckRequest{Service: "nobody"})
			return wantStatus(err, codes.NotFound, "")
		})
	})
	addGRPC("all", "kv", "health-all", "the health service: \"\", the whole server, is SERVING", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			reply, err := call(grpc_health_v1.NewHealthClient(c).Check, &grpc_health_v1.HealthCheckRequest{})
			if err != nil || reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
				return fmt.Errorf("%v, %v", reply, err)
			}
			return nil
		})
	})
	addGRPC("all", "kv", "health-watch", "a Watch of \"plugin\" says SERVING at once, and ends with the plugin", func(h *harness) error {
		return watchHealth(h, false)
	})
	addGRPC("ts", "kv", "health-stop", "a Watch of \"plugin\" says NOT_SERVING when the plugin is asked to end", func(h *harness) error {
		return watchHealth(h, true)
	})
	addGRPC("all", "kv", "reflection", "reflection (v1) lists health, broker, controller, stdio and the plugin's services, and describes proto.KV", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error { return reflectV1(c) })
	})
	addGRPC("all", "kv", "reflection-v1alpha", "the same over the older reflection service", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error { return reflectV1alpha(c) })
	})
}

func watchHealth(h *harness, notServing bool) error {
	return launched(h, func(p *process, c *grpcConn, _ net.Addr) error {
		ctx, cancel := soon()
		defer cancel()
		s, err := grpc_health_v1.NewHealthClient(c).Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
		if err != nil {
			return err
		}
		if reply, err := s.Recv(); err != nil || reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("first %v, %v", reply, err)
		}
		if err := shutdown(c); err != nil {
			return err
		}
		seen := false
		for {
			reply, err := s.Recv()
			if err != nil {
				break
			}
			seen = seen || reply.Status == grpc_health_v1.HealthCheckResponse_NOT_SERVING
		}
		if notServing && !seen {
			return errors.New("it never said NOT_SERVING")
		}
		_, err = p.waitExit(patience)
		return err
	})
}

var wantServices = []string{
	"goplug.fixtures.Stream", "goplug.fixtures.Tools", "grpc.health.v1.Health",
	"plugin.GRPCBroker", "plugin.GRPCController", "plugin.GRPCStdio", "proto.KV",
}

func reflectV1(c *grpcConn) error {
	ctx, cancel := soon()
	defer cancel()
	s, err := reflectionv1.NewServerReflectionClient(c).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	if err := s.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{ListServices: "*"}}); err != nil {
		return err
	}
	reply, err := s.Recv()
	if err != nil {
		return err
	}
	var names []string
	for _, service := range reply.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	if err := s.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "proto.KV"}}); err != nil {
		return err
	}
	if reply, err = s.Recv(); err != nil {
		return err
	}
	return errors.Join(checkReflection(names, reply.GetFileDescriptorResponse().GetFileDescriptorProto()), s.CloseSend(), drained(func() error {
		_, err := s.Recv()
		return err
	}))
}

func reflectV1alpha(c *grpcConn) error {
	ctx, cancel := soon()
	defer cancel()
	s, err := reflectionv1alpha.NewServerReflectionClient(c).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	if err := s.Send(&reflectionv1alpha.ServerReflectionRequest{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{ListServices: "*"}}); err != nil {
		return err
	}
	reply, err := s.Recv()
	if err != nil {
		return err
	}
	var names []string
	for _, service := range reply.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	if err := s.Send(&reflectionv1alpha.ServerReflectionRequest{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "proto.KV"}}); err != nil {
		return err
	}
	if reply, err = s.Recv(); err != nil {
		return err
	}
	return errors.Join(checkReflection(names, reply.GetFileDescriptorResponse().GetFileDescriptorProto()), s.CloseSend(), drained(func() error {
		_, err := s.Recv()
		return err
	}))
}

func drained(recv func() error) error {
	if err := recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end of the stream is %v", err)
	}
	return nil
}

func checkReflection(names []string, files [][]byte) error {
	for _, want := range wantServices {
		if !slices.Contains(names, want) {
			return fmt.Errorf("%s is not among %q", want, names)
		}
	}
	for _, raw := range files {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(raw, file); err != nil {
			return err
		}
		for _, service := range file.Service {
			if file.GetPackage() == "proto" && service.GetName() == "KV" {
				var methods []string
				for _, method := range service.Method {
					methods = append(methods, method.GetName())
				}
				slices.Sort(methods)
				if got := strings.Join(methods, " "); got != "Get Put" {
					return fmt.Errorf("proto.KV has the methods %s", got)
				}
				return nil
			}
		}
	}
	return fmt.Errorf("none of %d files describes proto.KV", len(files))
}

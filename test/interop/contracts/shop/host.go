// Program host drives a plugin in TypeScript with the Go half that was generated from its definitions. It is compiled together with that.
package main

import (
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"reflect"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run() error {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "BASIC_PLUGIN", MagicCookieValue: "hello"},
		Plugins:         map[string]plugin.Plugin{"shop": &ShopPlugin{}},
		Cmd:             exec.Command(os.Args[1], os.Args[2:]...),
		Logger:          hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense("shop")
	if err != nil {
		return err
	}
	var shop Shop = raw.(*ShopRPCClient)

	want := Order{
		Id: 1 << 62, Colour: "red", Digest: [4]uint8{1, 2, 255, 0}, Prices: map[string]float32{"tea": 2.5},
		Placed: time.Unix(1700000000, 5).UTC(), Total: Money{Payload: []byte("250")}, Spent: big.NewInt(-77), Wait: time.Minute,
		Part:  &Part{Name: "whole", Parts: []Part{{Name: "half"}}, Whole: &Part{Name: "more"}},
		Any:   &Part{Name: "in an interface"},
		Inner: OrderInner{Deep: []OrderInnerDeep{{X: 1, Y: 2 + 3i}}}, Bytes: []byte{0, 1},
	}
	got, err := shop.Echo(want)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Errorf("Echo: want %+v, got %+v", want, got)
	}
	for _, want := range []any{nil, "text", true, &Part{Name: "p"}, want, []any{"a", nil}, map[string]any{"k": []any{true}}, &plugin.BasicError{Message: "m"}} {
		got, err := shop.Any(want)
		if err != nil {
			return fmt.Errorf("Any(%#v): %w", want, err)
		}
		if !reflect.DeepEqual(want, got) {
			return fmt.Errorf("Any: want %#v, got %#v", want, got)
		}
	}
	if n, err := shop.Count(ShopCountArgs{Of: []string{"a", "b"}}); err != nil || n != 2 {
		return fmt.Errorf("Count: %d, %v", n, err)
	}
	if _, err := shop.Fail("sold out"); err == nil || err.Error() != "sold out" {
		return fmt.Errorf("Fail: %v", err)
	}
	return nil
}

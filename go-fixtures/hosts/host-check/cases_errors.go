package main

import (
	"errors"
	"fmt"
	"net/rpc"
	"strings"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/errs"
)

func init() {
	add("all", "errors", "errors-text", "a method's error travels as its text, whatever is in it", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			texts := []string{"plain", "zwei\nZeilen äöü", "rpc: can't find method Plugin.PluginHTTPStream", strings.Repeat("long ", 20000)}
			for _, text := range texts {
				var nothing any
				if err := wantError(c.Call("Plugin.Plain", text, &nothing), text); err != nil {
					return err
				}
			}
			return alive(c)
		})
	})
	add("all", "errors", "errors-basic", "BasicError as a field of a reply, set and nil", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			for _, text := range []string{"in a field", ""} {
				var reply errs.BasicReply
				if err := c.Call("Plugin.Basic", text, &reply); err != nil {
					return err
				}
				if reply.Value != "value of "+text {
					return fmt.Errorf("the value is %q", reply.Value)
				}
				if text == "" && reply.Error != nil {
					return fmt.Errorf("the error is %v instead of nil", reply.Error)
				}
				if text != "" && (reply.Error == nil || reply.Error.Message != text) {
					return fmt.Errorf("the error is %v", reply.Error)
				}
			}
			return nil
		})
	})
	add("all", "errors", "errors-registered", "BasicError in an interface field, registered as *plugin.BasicError", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			for _, text := range []string{"in an interface", ""} {
				var reply errs.RegisteredReply
				if err := c.Call("Plugin.Registered", text, &reply); err != nil {
					return err
				}
				if reply.Value != "value of "+text {
					return fmt.Errorf("the value is %q", reply.Value)
				}
				basic, _ := reply.Error.(*plugin.BasicError)
				if text == "" && reply.Error != nil {
					return fmt.Errorf("the error is %v instead of nil", reply.Error)
				}
				if text != "" && (basic == nil || basic.Message != text) {
					return fmt.Errorf("the error is %#v", reply.Error)
				}
			}
			return nil
		})
	})
	add("all", "any", "errors-unknown-plugin", "`unknown plugin type: nope`, and the connection lives", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		for range 3 {
			_, err := p.rpc.Dispense("nope")
			if err := wantError(err, "unknown plugin type: nope"); err != nil {
				return err
			}
		}
		if err := p.greet(); err != nil {
			return err
		}
		return p.quit()
	})
	add("all", "errors", "errors-factory", "a factory's error is Dispense's error", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		_, err = p.rpc.Dispense(errs.Broken)
		if err := wantError(err, "factory refused: broken"); err != nil {
			return err
		}
		c, err := p.dispense(errs.Name)
		if err != nil {
			return err
		}
		if err := alive(c.Client); err != nil {
			return err
		}
		return p.quit()
	})
	add("all", "errors", "errors-unknown-method", "Go's exact texts for unknown methods and services", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			for _, method := range []struct{ name, text string }{
				{"Plugin.Nope", "rpc: can't find method Plugin.Nope"},
				{"Plugin.PluginHTTPStream", "rpc: can't find method Plugin.PluginHTTPStream"},
				{"Plugin.plain", "rpc: can't find method Plugin.plain"},
				{"Plugin.toString", "rpc: can't find method Plugin.toString"},
				{"Plugin.constructor", "rpc: can't find method Plugin.constructor"},
				{"Plugin.", "rpc: can't find method Plugin."},
				{"Nope.Plain", "rpc: can't find service Nope.Plain"},
				{"a.b.Plain", "rpc: can't find service a.b.Plain"},
				{"Control.Ping", "rpc: can't find service Control.Ping"},
				{"Plain", "rpc: service/method request ill-formed: Plain"},
				{"", "rpc: service/method request ill-formed: "},
			} {
				var reply any
				if err := wantError(c.Call(method.name, errs.AddArgs{A: 1, B: 2}, &reply), method.text); err != nil {
					return err
				}
			}
			return alive(c)
		})
	})
	add("all", "errors", "errors-bad-argument", "arguments of the wrong type fail the call, not the connection", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			var sum int
			var nothing any
			for _, call := range []struct {
				method string
				args   any
				reply  any
			}{
				{"Plugin.Add", "a string", &sum},
				{"Plugin.Add", 5, &sum},
				{"Plugin.Add", struct{ C, D int }{1, 2}, &sum},
				{"Plugin.Add", struct{ A, B string }{"1", "2"}, &sum},
				{"Plugin.Plain", errs.AddArgs{A: 1, B: 2}, &nothing},
				{"Plugin.Nothing", "a string where an interface is expected", &nothing},
				{"Plugin.Nothing", struct{}{}, &nothing},
			} {
				err := c.Call(call.method, call.args, call.reply)
				if _, remote := err.(rpc.ServerError); !remote {
					return fmt.Errorf("%s(%#v): the error is %v", call.method, call.args, err)
				}
				if err := alive(c); err != nil {
					return fmt.Errorf("after %s(%#v): %w", call.method, call.args, err)
				}
			}
			return nil
		})
	})
	add("all", "errors", "errors-evolution", "missing and further fields of an argument are no error", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			var sum int
			args := struct {
				Z string
				B int
				Y []map[string]float64
			}{"more", 5, []map[string]float64{{"pi": 3.14}}}
			if err := c.Call("Plugin.Add", args, &sum); err != nil || sum != 5 {
				return fmt.Errorf("%d, %v", sum, err)
			}
			return nil
		})
	})
	add("ts", "errors", "errors-panic", "a handler that throws fails its call; the plugin lives", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			var nothing any
			err := c.Call("Plugin.Panic", "out of cheese", &nothing)
			if err == nil || !strings.Contains(err.Error(), "out of cheese") {
				return fmt.Errorf("the error is %v", err)
			}
			return alive(c)
		})
	})
	add("ts", "errors", "errors-bad-reply", "a reply that is not of its type fails its call; the connection lives", func(h *harness) error {
		return withErrors(h, func(_ *peer, c *rpc.Client) error {
			var reply string
			if _, remote := c.Call("Plugin.BadReply", new(any), &reply).(rpc.ServerError); !remote {
				return errors.New("no error from the plugin")
			}
			return alive(c)
		})
	})
}

func withErrors(h *harness, f func(*peer, *rpc.Client) error) error {
	p, c, err := h.dispense(errs.Name)
	if err != nil {
		return err
	}
	if err := f(p, c.Client); err != nil {
		return err
	}
	return p.quit()
}

func wantError(err error, text string) error {
	if err == nil {
		return fmt.Errorf("no error instead of %q", text)
	}
	if err.Error() != text {
		return fmt.Errorf("the error is %.200q instead of %.200q", err.Error(), text)
	}
	return nil
}

// alive makes a call that must succeed.
func alive(c *rpc.Client) error {
	var sum int
	if err := c.Call("Plugin.Add", errs.AddArgs{A: 20, B: 22}, &sum); err != nil || sum != 42 {
		return fmt.Errorf("20 + 22 is %d, %v", sum, err)
	}
	return nil
}

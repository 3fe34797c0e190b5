// host-tls is a Go host that loads a greeter plugin over TLS, and lets a test
// look at the plugin's socket meanwhile:
//
//	host-tls [-ca FILE [-cert FILE -key FILE]] [-versions 1,2] -- COMMAND ARGUMENTS...
//
// Without -ca it uses AutoMTLS. It greets, prints one line of JSON (network,
// address, greeting, version), waits for a line on stdin, greets again, prints
// {"greeting"}, and ends. An error is a line {"error"} and exit code 1.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
)

var (
	ca       = flag.String("ca", "", "PEM file of the certificate to trust; default: AutoMTLS")
	cert     = flag.String("cert", "", "PEM file of the certificate to present, with -ca")
	key      = flag.String("key", "", "PEM file of its key")
	versions = flag.String("versions", "1", "app protocol versions")
)

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		say(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
}

func run(command []string) (err error) {
	if len(command) == 0 {
		return errors.New("no command")
	}
	config, err := clientConfig()
	if err != nil {
		return err
	}
	config.Cmd = exec.Command(command[0], command[1:]...)
	client := plugin.NewClient(config)
	defer client.Kill()

	protocol, err := client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(greeter.Name)
	if err != nil {
		return err
	}
	greet := raw.(greeter.Greeter).Greet
	text, err := greet()
	if err != nil {
		return err
	}
	address := client.ReattachConfig().Addr
	say(map[string]any{
		"network":  address.Network(),
		"address":  address.String(),
		"greeting": text,
		"version":  client.NegotiatedVersion(),
	})
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	if text, err = greet(); err != nil {
		return err
	}
	say(map[string]any{"greeting": text})
	return nil
}

func clientConfig() (*plugin.ClientConfig, error) {
	config := &plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   handshake.Config.MagicCookieKey,
			MagicCookieValue: handshake.Config.MagicCookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn}),
	}
	for _, text := range strings.Split(*versions, ",") {
		version, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		config.VersionedPlugins[version] = plugin.PluginSet{greeter.Name: &greeter.Plugin{}}
	}
	if *ca == "" {
		config.AutoMTLS = true
		return config, nil
	}
	pem, err := os.ReadFile(*ca)
	if err != nil {
		return nil, err
	}
	config.TLSConfig = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if !config.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + *ca)
	}
	if *cert != "" {
		own, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return nil, err
		}
		config.TLSConfig.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", line)
}

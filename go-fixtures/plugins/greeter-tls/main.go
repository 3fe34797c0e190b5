// greeter-tls serves the plugin "greeter" over net/rpc with a TLS
// configuration of its own:
//
//	GOPLUG_TLS_CERT, GOPLUG_TLS_KEY  PEM files of its certificate; without them
//	                                 it has no TLS provider, and does AutoMTLS
//	                                 with hosts that ask for it
//	GOPLUG_TLS_CLIENT_CA             PEM file; clients must present a
//	                                 certificate that this one has signed
//	GOPLUG_VERSIONS                  app protocol versions, such as 2,3; by
//	                                 default 1 alone
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
)

type hello struct{ version int }

func (h hello) Greet() (string, error) { return fmt.Sprintf("Hello from version %d!", h.version), nil }

func main() {
	config := &plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   handshake.Config.MagicCookieKey,
			MagicCookieValue: handshake.Config.MagicCookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{},
		Logger:           handshake.Logger("greeter-tls"),
	}
	versions := os.Getenv("GOPLUG_VERSIONS")
	if versions == "" {
		versions = "1"
	}
	for _, text := range strings.Split(versions, ",") {
		version, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(64)
		}
		config.VersionedPlugins[version] = plugin.PluginSet{greeter.Name: &greeter.Plugin{Impl: hello{version}}}
	}
	if os.Getenv("GOPLUG_TLS_CERT") != "" {
		config.TLSProvider = provide
	}
	plugin.Serve(config)
}

func provide() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(os.Getenv("GOPLUG_TLS_CERT"), os.Getenv("GOPLUG_TLS_KEY"))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if path := os.Getenv("GOPLUG_TLS_CLIENT_CA"); path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("no certificate in " + path)
		}
	}
	return config, nil
}

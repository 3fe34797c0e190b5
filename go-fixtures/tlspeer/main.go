// tlspeer speaks TLS as go-plugin's two sides configure it, and nothing above
// it: a peer for tests of the TLS layer alone.
//
//	tlspeer server    plays the plugin: reads {"clientCert": PEM} from stdin,
//	                  listens, prints one line of JSON with its address and
//	                  certificate, then a line for each connection. Each
//	                  connection is echoed after its end.
//	tlspeer client    plays the host: prints {"clientCert": PEM}, reads
//	                  {"network", "address", "serverCert"} from stdin, connects,
//	                  sends a greeting, ends its side, prints what came back.
//	tlspeer inspect   reads a PEM certificate from stdin, prints what Go reads.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

var (
	network = flag.String("network", "unix", "server: unix or tcp")
	kind    = flag.String("cert", "good", "own certificate: good, expired, other-name, other, child, none (client only)")
	maxTLS  = flag.String("max", "1.3", "highest TLS version: 1.1, 1.2 or 1.3")
)

var input = bufio.NewReader(os.Stdin)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("want server, client or inspect"))
	}
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	var err error
	switch os.Args[1] {
	case "server":
		err = server()
	case "client":
		err = client()
	case "inspect":
		err = inspect()
	default:
		err = fmt.Errorf("unknown role %q", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func server() error {
	var asked struct {
		ClientCert string `json:"clientCert"`
	}
	if err := receive(&asked); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(asked.ClientCert)) {
		return errors.New("client cert provided but failed to parse")
	}
	own, err := makeIdentity(*kind)
	if err != nil {
		return err
	}
	config, err := baseConfig(own.presented)
	if err != nil {
		return err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = pool
	config.RootCAs = pool

	listener, err := listen()
	if err != nil {
		return err
	}
	send(map[string]any{
		"network":    listener.Addr().Network(),
		"address":    listener.Addr().String(),
		"serverCert": base64.RawStdEncoding.EncodeToString(own.announced),
	})
	go exitWithInput()
	secured := tls.NewListener(listener, config)
	for {
		conn, err := secured.Accept()
		if err != nil {
			return err
		}
		go echo(conn.(*tls.Conn))
	}
}

// echo answers all that came once the client has ended its side.
func echo(conn *tls.Conn) {
	defer func() { _ = conn.Close() }()
	if err := conn.Handshake(); err != nil {
		send(map[string]any{"refused": err.Error()})
		return
	}
	data, err := io.ReadAll(conn)
	if err == nil {
		_, err = conn.Write(data)
	}
	if err == nil {
		err = conn.CloseWrite()
	}
	send(map[string]any{"echoed": len(data), "error": text(err), "version": tls.VersionName(conn.ConnectionState().Version)})
}

func client() error {
	var certs []tls.Certificate
	shown := ""
	if *kind != "none" {
		own, err := makeIdentity(*kind)
		if err != nil {
			return err
		}
		certs = []tls.Certificate{own.presented}
		shown = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.announced}))
	}
	send(map[string]any{"clientCert": shown})

	var peer struct{ Network, Address, ServerCert string }
	if err := receive(&peer); err != nil {
		return err
	}
	der, err := base64.RawStdEncoding.DecodeString(peer.ServerCert)
	if err != nil {
		return err
	}
	announced, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	config, err := baseConfig(certs...)
	if err != nil {
		return err
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(announced)

	got, err := converse(peer.Network, peer.Address, config)
	send(map[string]any{"received": got, "error": text(err)})
	return nil
}

func converse(network, address string, config *tls.Config) (string, error) {
	raw, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return "", err
	}
	conn := tls.Client(raw, config)
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write([]byte("hello from Go")); err != nil {
		return "", err
	}
	if err := conn.CloseWrite(); err != nil {
		return "", err
	}
	got, err := io.ReadAll(conn)
	return string(got), err
}

func inspect() error {
	data, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	block, rest := pem.Decode(data)
	if block == nil || len(rest) > 0 {
		return errors.New("want one PEM block")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	_, verr := cert.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	send(map[string]any{
		"commonName":   cert.Subject.CommonName,
		"organization": cert.Subject.Organization,
		"dnsNames":     cert.DNSNames,
		"serialBits":   cert.SerialNumber.BitLen(),
		"serialSign":   cert.SerialNumber.Sign(),
		"notBefore":    cert.NotBefore.Unix(),
		"notAfter":     cert.NotAfter.Unix(),
		"isCA":         cert.IsCA && cert.BasicConstraintsValid,
		"keyUsage":     int(cert.KeyUsage),
		"extKeyUsage":  cert.ExtKeyUsage,
		"signature":    cert.SignatureAlgorithm.String(),
		"verify":       text(verr),
		"selfSigned":   text(cert.CheckSignatureFrom(cert)),
	})
	return nil
}

// baseConfig is what go-plugin's two sides have in common.
func baseConfig(certs ...tls.Certificate) (*tls.Config, error) {
	config := &tls.Config{Certificates: certs, MinVersion: tls.VersionTLS12, ServerName: "localhost"}
	switch *maxTLS {
	case "1.3":
	case "1.2":
		config.MaxVersion = tls.VersionTLS12
	case "1.1":
		config.MinVersion, config.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	default:
		return nil, fmt.Errorf("unknown version %q", *maxTLS)
	}
	return config, nil
}

func listen() (net.Listener, error) {
	if *network == "tcp" {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	dir, err := os.MkdirTemp("", "tlspeer")
	if err != nil {
		return nil, err
	}
	socketDir = dir
	return net.Listen("unix", filepath.Join(dir, "socket"))
}

var socketDir string

// exitWithInput ends the server when whoever started it closes its stdin.
func exitWithInput() {
	_, _ = io.Copy(io.Discard, input)
	if socketDir != "" {
		_ = os.RemoveAll(socketDir)
	}
	os.Exit(0)
}

func receive(into any) error {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

func send(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	fmt.Printf("%s\n", line)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "tlspeer:", err)
	os.Exit(1)
}

// Package tlsenv gives a plugin fixture the TLS configuration that its
// environment asks for:
//
//	GOPLUG_TLS_CERT, GOPLUG_TLS_KEY  PEM files of its certificate; without them it has no TLS provider, and does
//	                                 AutoMTLS with hosts that ask for it
//	GOPLUG_TLS_CLIENT_CA             PEM file; clients must present a certificate that this one has signed
package tlsenv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
)

// Provider is for plugin.ServeConfig.TLSProvider: nil without GOPLUG_TLS_CERT.
func Provider() func() (*tls.Config, error) {
	if os.Getenv("GOPLUG_TLS_CERT") == "" {
		return nil
	}
	return provide
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

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// identity is a certificate to present and the one to announce: the same,
// but for an impostor.
type identity struct {
	presented tls.Certificate
	announced []byte
}

// makeIdentity makes a certificate with the properties of those that
// go-plugin makes for AutoMTLS ("good"), or with one of them wrong. An
// "other" one is good but not the announced one; a "child" is signed by the
// announced one.
func makeIdentity(kind string) (identity, error) {
	switch kind {
	case "other", "child":
		announced, err := makeCertificate("good", nil)
		if err != nil {
			return identity{}, err
		}
		var parent *tls.Certificate
		if kind == "child" {
			parent = &announced
		}
		presented, err := makeCertificate("good", parent)
		return identity{presented, announced.Certificate[0]}, err
	default:
		cert, err := makeCertificate(kind, nil)
		if err != nil {
			return identity{}, err
		}
		return identity{cert, cert.Certificate[0]}, nil
	}
}

func makeCertificate(kind string, parent *tls.Certificate) (tls.Certificate, error) {
	name, from, until := "localhost", time.Now().Add(-30*time.Second), time.Now().Add(262980*time.Hour)
	switch kind {
	case "good":
	case "expired":
		from, until = from.Add(-2*time.Hour), from.Add(-time.Hour)
	case "other-name":
		name = "example.com"
	default:
		return tls.Certificate{}, fmt.Errorf("unknown kind of certificate %q", kind)
	}
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name, Organization: []string{"HashiCorp"}},
		DNSNames:              []string{name},
		NotBefore:             from,
		NotAfter:              until,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	issuer, signer := template, any(key)
	if parent != nil {
		template.Subject.Organization = []string{"HashiCorp, signed"}
		if issuer, err = x509.ParseCertificate(parent.Certificate[0]); err != nil {
			return tls.Certificate{}, err
		}
		signer = parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

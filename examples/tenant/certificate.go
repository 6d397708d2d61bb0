package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validFor is how long the certificates are valid. They are new in every run.
const validFor = 365 * 24 * time.Hour

// newCertificate makes an authority and a certificate of it for this machine. The authority can vouch for nothing else,
// and its key is not kept, so that trusting it is no risk.
func newCertificate(hosts []string) (leaf tls.Certificate, authority []byte, err error) {
	ca := unsigned("intunetest tenant (test only)")
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign
	ca.PermittedDNSDomainsCritical = true
	server := unsigned("intunetest tenant")
	server.KeyUsage, server.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			if ip4 := ip.To4(); ip4 != nil {
				ip = ip4
			}
			server.IPAddresses = append(server.IPAddresses, ip)
			ca.PermittedIPRanges = append(ca.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
		} else {
			server.DNSNames = append(server.DNSNames, host)
			ca.PermittedDNSDomains = append(ca.PermittedDNSDomains, host)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	authority, err = x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return leaf, nil, err
	}
	signed, err := x509.CreateCertificate(rand.Reader, server, ca, key.Public(), caKey)
	if err != nil {
		return leaf, nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})
	return tls.Certificate{Certificate: [][]byte{signed, authority}, PrivateKey: key}, block, nil
}

func unsigned(name string) *x509.Certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails
	serial[0] &= 0x7f
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour), // of machines whose clock is slow
		NotAfter:     now.Add(validFor),
	}
}

// writeAuthority writes the certificate of the authority for clients, to the file or to a new one. remove takes away
// what nobody asked for by name.
func writeAuthority(name string, authority []byte) (path string, remove func(), err error) {
	if name == "" {
		folder, err := os.MkdirTemp("", "tenant-")
		if err != nil {
			return "", nil, err
		}
		name, remove = filepath.Join(folder, "ca.pem"), func() { _ = os.RemoveAll(folder) }
		if err := os.WriteFile(name, authority, 0o644); err != nil {
			remove()
			return "", nil, err
		}
		return name, remove, nil
	}
	path, err = filepath.Abs(name)
	if err != nil {
		return "", nil, err
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	if block, rest := pem.Decode(old); len(old) > 0 && (block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0) {
		return "", nil, fmt.Errorf("-ca %s exists and holds something else than a certificate; it is left alone", name)
	}
	return path, func() {}, os.WriteFile(path, authority, 0o644)
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// patience is how long requests under way may take when the server ends.
const patience = 2 * time.Second

// serve listens, says so, and answers until the context ends.
func serve(ctx context.Context, s settings, simulator *simulator, stdout, stderr io.Writer) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	at := place{root: "http://" + reachable(listener.Addr()), device: simulator.content.nameToPaste()}
	server := &http.Server{
		Handler:           simulator.handler(s.open),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(stderr, "tenant: ", 0),
	}
	if !s.plainHTTP {
		at.root = "https://" + reachable(listener.Addr())
		certificate, authority, err := newCertificate(hosts(s))
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		var remove func()
		if at.ca, remove, err = writeAuthority(s.ca, authority); err != nil {
			return errors.Join(err, listener.Close())
		}
		defer remove()
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	at.announce(stdout, stderr)

	ended := make(chan error, 1)
	go func() {
		if s.plainHTTP {
			ended <- server.Serve(listener)
		} else {
			ended <- server.ServeTLS(listener, "", "")
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if server.Shutdown(last) != nil {
		_ = server.Close() // a delay that was injected need not be waited for
	}
	return nil
}

// reachable is an address that a client on this machine can use.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// hosts are the names that the certificate is for.
func hosts(s settings) []string {
	list := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(s.addr); err == nil && host != "" && !isLoopback(host) && !net.ParseIP(host).IsUnspecified() {
		list = append(list, host)
	}
	if !s.open {
		return list
	}
	if name, err := os.Hostname(); err == nil {
		list = append(list, name)
	}
	addresses, _ := net.InterfaceAddrs() // without them, clients need -addr to name the host
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && !network.IP.IsLoopback() {
			list = append(list, network.IP.String())
		}
	}
	return list
}

// place is where the server is, and a device that is there.
type place struct{ root, ca, device string }

// announce prints one line for programs, and how to go on for people.
func (at place) announce(stdout, stderr io.Writer) {
	const devices = "/v1.0/deviceManagement/managedDevices"
	url := at.root + devices
	trust := map[string]string{"curl": "", "powershell": "", "javascript": "", "helpdesk": ""}
	insecure, withCertificate := "InsecureAllowCredentialWithHTTP: true, ", ""
	if at.ca != "" {
		trust = map[string]string{
			"curl": "--cacert '" + at.ca + "' ", "powershell": "-SkipCertificateCheck ", "javascript": "NODE_EXTRA_CA_CERTS='" + at.ca + "' ",
			"helpdesk": " --ca '" + at.ca + "'",
		}
		insecure, withCertificate = "", ", with SSL_CERT_FILE='"+at.ca+"' on Linux"
	}
	fmt.Fprintf(stderr, "This is a test server with invented devices; it is not Microsoft Graph, and it takes any token. Ctrl+C ends it.\n"+
		"  helpdesk    helpdesk connect %[10]s --graph %[7]s%[11]s\n"+
		"  curl        curl %[1]s-H 'Authorization: Bearer test' '%[2]s'\n"+
		"  PowerShell  Invoke-RestMethod %[3]s-Headers @{Authorization = 'Bearer test'} '%[4]s'\n"+
		"  JavaScript  %[5]snode -e \"fetch('%[6]s', {headers: {Authorization: 'Bearer test'}}).then(r => r.json()).then(console.log)\"\n"+
		"  Go          intune.NewClient(intune.StaticToken(\"test\"), &intune.ClientOptions{"+
		"ClientOptions: azcore.ClientOptions{%[8]sCloud: cloud.Configuration{"+
		"ActiveDirectoryAuthorityHost: %[7]q, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{"+
		"intune.ServiceGraph: {Endpoint: %[7]q, Audience: \"https://graph.microsoft.com\"}}}}})%[9]s\n"+
		"docs/testing.md has a whole test in each of them.\n",
		trust["curl"], url, trust["powershell"], url, trust["javascript"], url, at.root, insecure, withCertificate,
		at.device, trust["helpdesk"])
	line := "ready " + at.root + " page " + at.root + "/_tenant/"
	if at.ca != "" {
		line += " ca " + at.ca
	}
	fmt.Fprintln(stdout, line)
}

package compare

import (
	"io"
	"log"
	"os"
	"testing"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viaazcore"
	"github.com/go-intune/intune/benchmarks/internal/peer/viahamilton"
	"github.com/go-intune/intune/benchmarks/internal/peer/viahashicorp"
	"github.com/go-intune/intune/benchmarks/internal/peer/viaintune"
	"github.com/go-intune/intune/benchmarks/internal/peer/viamsgraph"
	"github.com/go-intune/intune/benchmarks/internal/peer/vianethttp"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(pageOfServer); file != "" {
		if err := servePage(file); err != nil {
			log.Fatal(err)
		}
		return
	}
	log.SetOutput(io.Discard) // one of the libraries logs a line for each request
	os.Exit(m.Run())
}

// contender is a library. Its name is the one of its program under programs/.
type contender struct {
	name string
	new  func(peer.Setup) (peer.Client, error)
}

func of[C peer.Client](name string, newClient func(peer.Setup) (C, error)) contender {
	return contender{name, func(s peer.Setup) (peer.Client, error) { return newClient(s) }}
}

// contenders are all libraries, this one first.
var contenders = []contender{
	of("intune", viaintune.New),
	of("msgraph", viamsgraph.New),
	of("hashicorp", viahashicorp.New),
	of("hamilton", viahamilton.New),
	of("azcore", viaazcore.New),
	of("nethttp", vianethttp.New),
}

func (c contender) client(tb testing.TB, s peer.Setup) peer.Client {
	tb.Helper()
	s.Token = "opaque-token"
	client, err := c.new(s)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

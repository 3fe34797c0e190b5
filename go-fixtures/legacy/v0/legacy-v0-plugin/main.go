// legacy-v0-plugin serves the common services on go-plugin of February 2017: its
// handshake line has four fields, and its log lines are no hclog lines.
package main

import (
	"log"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/common"
	"example.com/goplug/fixtures/legacy/v0/glue"
)

func main() {
	log.Printf("[INFO] legacy: serving")
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: glue.Handshake, Plugins: glue.Set(common.Names...)})
}
